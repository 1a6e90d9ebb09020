import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox import rest_operations

COPY = {"x-amz-copy-source": "bucket/other"}
REQUESTS = [
    ("GET", "/", {}, "ListBuckets"),
    ("PUT", "/bucket", {}, "CreateBucket"),
    ("GET", "/bucket", {}, "ListObjects"),
    ("GET", "/bucket?list-type=2&prefix=AWSLogs/", {}, "ListObjectsV2"),
    ("GET", "/bucket/?list-type=2", {}, "ListObjectsV2"),
    ("GET", "/bucket?policy", {}, "GetBucketPolicy"),
    ("PUT", "/bucket?policy", {}, "PutBucketPolicy"),
    ("HEAD", "/bucket", {}, "HeadBucket"),
    ("DELETE", "/bucket", {}, "DeleteBucket"),
    ("POST", "/bucket?delete", {}, "DeleteObjects"),
    ("GET", "/bucket/AWSLogs/a/b.log.gz", {}, "GetObject"),
    ("HEAD", "/bucket/key", {}, "HeadObject"),
    ("PUT", "/bucket/a/deep/key", {}, "PutObject"),
    ("PUT", "/bucket/key", COPY, "CopyObject"),
    ("PUT", "/bucket/key?partNumber=1&uploadId=x", {}, "UploadPart"),
    ("PUT", "/bucket/key?partNumber=1&uploadId=x", COPY, "UploadPartCopy"),
    ("POST", "/bucket/key?uploads", {}, "CreateMultipartUpload"),
    ("POST", "/bucket/key?uploadId=x", {}, "CompleteMultipartUpload"),
    ("DELETE", "/bucket/key", {}, "DeleteObject"),
    ("PATCH", "/bucket/key", {}, ""),
]


@pytest.mark.parametrize(("method", "address", "headers", "operation"), REQUESTS)
def test_method_and_address_tell_the_operation(method, address, headers, operation):
    request = Request(EnvironBuilder(method=method, path=address, headers=headers).get_environ())
    assert rest_operations.name("s3", request) == operation
