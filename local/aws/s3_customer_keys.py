"""Objects encrypted with a customer's key (SSE-C) can be read with that key only; moto ignores the key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

_KEY_DIGEST = "x-amz-server-side-encryption-customer-key-MD5"

_moto_put_object = S3Response.put_object
_moto_get_object = S3Response.get_object
_moto_head_object = S3Response.head_object


class KeyMissing(S3ClientError):
    """S3's answer to a request without a key."""

    code = "InvalidRequest"

    def __init__(self) -> None:
        super().__init__(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )


class WrongKey(S3ClientError):
    """S3's answer to a request with another key than the object's."""

    code = "AccessDenied"

    def __init__(self) -> None:
        super().__init__("Access Denied")


def put_object(self: S3Response) -> TYPE_RESPONSE:
    """S3Response.put_object."""
    answer = _moto_put_object(self)
    stored = self.backend.get_object(self.bucket_name, self.parse_key_name())
    if stored is not None and (digest := self.headers.get(_KEY_DIGEST)):
        stored.customer_key_digest = digest  # type: ignore[attr-defined]
        # moto also applies the bucket's default encryption.
        stored.encryption = stored.kms_key_id = stored.bucket_key_enabled = None
    return answer


def get_object(self: S3Response) -> TYPE_RESPONSE:
    """S3Response.get_object. Raises KeyMissing, WrongKey."""
    version = self.querystring.get("versionId", [None])[0]
    if refused := _refusal(self.backend.get_object(self.bucket_name, self.parse_key_name(), version), self.headers):
        raise refused
    return _moto_get_object(self)


def head_object(
    self: S3Response, bucket_name: str, query: dict[str, Any], key_name: str, headers: dict[str, Any]
) -> TYPE_RESPONSE:
    """S3Response.head_object, whose refusals have a status and no body."""
    answer = _moto_head_object(self, bucket_name, query, key_name, headers)
    if answer[0] == 200:
        version = query.get("versionId", [None])[0]
        refused = _refusal(self.backend.get_object(bucket_name, key_name, version), headers)
        if refused:
            return (400 if isinstance(refused, KeyMissing) else 403), {}, ""
    return answer


def _refusal(key: FakeKey | None, headers: Any) -> S3ClientError | None:
    kept = getattr(key, "customer_key_digest", None)
    if kept is None:
        return None
    given = headers.get(_KEY_DIGEST)
    if given is None:
        return KeyMissing()
    return None if given == kept else WrongKey()


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    S3Response.put_object = put_object  # type: ignore[method-assign]
    S3Response.get_object = get_object  # type: ignore[method-assign]
    S3Response.head_object = head_object  # type: ignore[method-assign]
