"""Archived objects: transitions, and the archive tiers of Intelligent-Tiering, which moto lacks.

moto refuses to read objects that were put into GLACIER or DEEP_ARCHIVE, and restores them. On AWS most are archived
later, by a lifecycle rule, or after 90 days without a read by Intelligent-Tiering.

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-archive-status)

Difference from AWS: a restore ends at once, and a restored copy doesn't expire.
"""

from typing import Any

from moto.s3.exceptions import InvalidObjectState
from moto.s3.models import FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response

from local.aws.credentials import ACCOUNT_ID

ACCESS_TIERS = ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")

_moto_get_key = S3Response._get_key
_moto_restore_object = S3Backend.restore_object
_moto_response_dict = FakeKey.response_dict


class ArchivedInTier(InvalidObjectState):
    """S3's answer to a read of an object in an archive tier."""

    def __init__(self, tier: str) -> None:
        super().__init__(storage_class="INTELLIGENT_TIERING")
        self.access_tier = tier


def archive(bucket: str, key: str, where: str) -> None:
    """Archive the object in GLACIER, DEEP_ARCHIVE, or a tier of Intelligent-Tiering.

    It stays the same version. Raises KeyError if there is no such object.
    """
    stored = s3_backends[ACCOUNT_ID]["aws"].buckets[bucket].keys[key]
    stored.set_storage_class("INTELLIGENT_TIERING" if where in ACCESS_TIERS else where)
    stored.archive_tier = where if where in ACCESS_TIERS else None


def _tier(key: FakeKey) -> str | None:
    return getattr(key, "archive_tier", None)


def get_key(self: S3Response, validate_storage_class: bool = True) -> tuple[FakeKey, bool]:
    """S3Response._get_key. Raises ArchivedInTier."""
    found, not_modified = _moto_get_key(self, validate_storage_class)
    if validate_storage_class and (tier := _tier(found)):
        raise ArchivedInTier(tier)
    return found, not_modified


def response_dict(self: FakeKey) -> dict[str, Any]:
    """FakeKey.response_dict: the headers of the answers to HeadObject and GetObject."""
    headers: dict[str, Any] = _moto_response_dict.__get__(self)
    return {**headers, "x-amz-archive-status": tier} if (tier := _tier(self)) else headers


def restore_object(self: S3Backend, bucket_name: str, key_name: str, days: str | None, type_: str | None) -> bool:
    """S3Backend.restore_object. A restore from an archive tier moves the object itself and makes no temporary copy."""
    found = self.get_object(bucket_name, key_name)
    if found is None or not _tier(found):
        return _moto_restore_object(self, bucket_name, key_name, days, type_)
    found.archive_tier = None  # type: ignore[attr-defined]
    return False


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    S3Response._get_key = get_key  # type: ignore[method-assign]
    S3Backend.restore_object = restore_object  # type: ignore[method-assign]
    FakeKey.response_dict = property(response_dict)  # type: ignore[method-assign, assignment]
