from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.in_process import BARE, client_maker, open_host

FIRST, LAST = b"a" * 5 * 2**20, b"the end"


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranges")
    with closing(open_host(folder / "journal.sqlite", BARE)) as host:
        s3 = client_maker(host)("s3")
        s3.create_bucket(Bucket="parts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        upload = s3.create_multipart_upload(Bucket="parts", Key="whole")["UploadId"]
        where = {"Bucket": "parts", "Key": "whole", "UploadId": upload}
        made = [
            {"PartNumber": number, "ETag": s3.upload_part(**where, PartNumber=number, Body=body)["ETag"]}
            for number, body in ((1, FIRST), (2, LAST))
        ]
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": made})
        yield s3


def test_a_part_is_read_by_its_number(s3):
    part = s3.get_object(Bucket="parts", Key="whole", PartNumber=2)
    assert part["Body"].read() == LAST
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (part["PartsCount"], part["ContentRange"]) == (2, f"bytes {len(FIRST)}-{len(FIRST + LAST) - 1}/5242887")
    assert s3.get_object(Bucket="parts", Key="whole", PartNumber=1)["ContentLength"] == len(FIRST)


def test_a_part_that_the_object_does_not_have_is_refused(s3):
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket="parts", Key="whole", PartNumber=3)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("bytes=5-4", "must be of the form bytes=first-last"),
        ("bytes=-5", "must be of the form bytes=first-last"),
        ("0-4", "must be of the form bytes=first-last"),
        ("bytes=0-5242887", "not valid for source object of size: 5242887"),
    ],
)
def test_a_range_that_the_source_does_not_have_is_not_copied(s3, wanted, said):
    upload = s3.create_multipart_upload(Bucket="parts", Key="copy")["UploadId"]
    where = {"Bucket": "parts", "Key": "copy", "UploadId": upload, "PartNumber": 1}
    with pytest.raises(ClientError, match=said) as raised:
        s3.upload_part_copy(**where, CopySource="parts/whole", CopySourceRange=wanted)
    assert raised.value.response["Error"]["Code"] == "InvalidArgument"
    assert s3.upload_part_copy(**where, CopySource="parts/whole", CopySourceRange="bytes=5242880-5242886")
