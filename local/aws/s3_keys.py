"""Refuses S3 keys of more than 1,024 bytes of UTF-8, which moto accepts.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
"""

from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

MAXIMUM_KEY_BYTES = 1024

_moto_key_response = S3Response._key_response


class KeyTooLongError(S3ClientError):
    """S3's answer; `Size` is the key's length in bytes."""

    code = "KeyTooLongError"

    def __init__(self, size: int) -> None:
        super().__init__("Your key is too long")
        self.Size = size
        self.MaxSizeAllowed = MAXIMUM_KEY_BYTES


def key_response(self: S3Response, request: Any, full_url: str) -> TYPE_RESPONSE:
    """S3Response._key_response. Raises KeyTooLongError."""
    size = len(self.parse_key_name().encode())
    if size > MAXIMUM_KEY_BYTES:
        raise KeyTooLongError(size)
    return _moto_key_response(self, request, full_url)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    S3Response._key_response = key_response  # type: ignore[method-assign]
