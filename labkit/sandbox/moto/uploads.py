"""Amazon S3's multipart uploads: one that does not exist is an error of S3's; moto fails on it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html#API_UploadPart_Errors
"""

from __future__ import annotations

from typing import NoReturn

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import MultipartDict


class Uploads(MultipartDict):
    """A bucket's uploads by their ids."""

    def __missing__(self, upload_id: str) -> NoReturn:
        raise NoSuchUpload(upload_id=upload_id)
