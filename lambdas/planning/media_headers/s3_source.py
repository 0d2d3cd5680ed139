"""A recording in S3, read in pieces."""

from collections.abc import Mapping
from typing import Any

from lambdas.shared.storage import s3


class S3Source:
    """The object that `head`, S3's answer to HeadObject, describes.

    Reading raises botocore's ClientError PreconditionFailed if the object has been replaced since. The ETag identifies
    the object, because reading by version would need s3:GetObjectVersion.
    """

    def __init__(self, bucket: str, key: str, head: Mapping[str, Any]) -> None:
        self.size: int = head["ContentLength"]
        self._object = {"Bucket": bucket, "Key": key, "IfMatch": head["ETag"]}

    def read(self, offset: int, length: int) -> bytes:
        answer = s3.get_object(**self._object, Range=f"bytes={offset}-{offset + length - 1}")
        data: bytes = answer["Body"].read()
        return data
