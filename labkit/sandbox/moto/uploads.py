"""Amazon S3's multipart uploads: raise S3's error for one that doesn't exist, on which moto fails.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html#API_UploadPart_Errors
"""

from __future__ import annotations

from typing import NoReturn

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import MultipartDict


class Uploads(MultipartDict):
    """A bucket's uploads by id; a missing one raises NoSuchUpload."""

    def __missing__(self, upload_id: str) -> NoReturn:
        raise NoSuchUpload(upload_id=upload_id)
