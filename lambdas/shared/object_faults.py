"""What is wrong with one recording's object in S3, so that this recording is rejected and the batch goes on.

Errors about our permissions, our own key or the service itself stay what they are: they fail the execution, and a
redrive repeats it once they are repaired.
Sources: S3 API reference (HeadObject, GetObject, RestoreObject, UpdateObjectEncryption; "Error responses"); S3 user
guide ("Working with archived objects", "Using server-side encryption with customer-provided keys").
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.identity import media_id
from lambdas.shared.state import NamedRecording
from lambdas.shared.storage import find_head, s3
from lambdas.shared.uris import parse_uri

CHANGED = "The object was deleted or replaced meanwhile."
REPLACED = (
    "The object was replaced while its transcript was made, which may be that of the newer version. That one starts by "
    "itself."
)
CUSTOMER_KEY = (
    "The object is encrypted with a key that was given in its upload and that S3 does not keep (SSE-C), so nobody else "
    "can read it. Copy it onto itself with that key, encrypted with the bucket's key: the copy starts by itself."
)
NO_ACCESS = (
    "S3 refuses access to this object (403 Forbidden) and not to others: a bucket policy denies it, perhaps for its "
    "tags or its prefix. Allow it, then start again with this recording."
)
ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
# The object that the head described is gone, has another ETag, is shorter, or is hidden by a delete marker.
_CHANGED = ("NoSuchKey", "PreconditionFailed", "InvalidRange", "MethodNotAllowed")
# S3 uses the object's key with our rights: who may not use it is denied, and the last four are KMS's own answers.
_KEY_REFUSED = (
    "AccessDenied",
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "KMS.InvalidKeyUsageException",
)


class Unusable(Exception):
    """A recording can't be used; the message is the reason of its rejection, with what to do."""


def find_recording(bucket: str, key: str) -> Mapping[str, Any] | None:
    """S3's answer to HeadObject, None if there is no such object.

    Raises:
        Unusable: the object is encrypted with a customer's key, without which S3 tells nothing about it.
        botocore.exceptions.ClientError: any other refusal; its code is the bare status.
    """
    try:
        return find_head(bucket, key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "400":
            raise
    # An answer to HeadObject has no body, hence no reason. GetObject's has one.
    try:
        s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidRequest":
            raise Unusable(CUSTOMER_KEY) from None
        raise
    return find_head(bucket, key)


def planned_head(recording: NamedRecording) -> Mapping[str, Any]:
    """S3's answer to HeadObject for a recording of a plan, as its item of the Map describes it.

    Raises:
        Unusable: the object isn't the planned version any more.
        botocore.exceptions.ClientError: as `find_recording`.
    """
    bucket, key = parse_uri(recording["uri"])
    head = find_recording(bucket, key)
    if head is None or media_id(bucket, key, head) != recording["media_id"]:
        raise Unusable(CHANGED)
    return head


def replaced(recording: NamedRecording) -> bool:
    """Whether the object is another version by now than the planned one; not if it is gone, or S3 doesn't tell."""
    bucket, key = parse_uri(recording["uri"])
    try:
        head = find_head(bucket, key)
    except ClientError as error:
        # Denied, a customer's key, or gone and not to be listed.
        if error.response["Error"]["Code"] not in ("400", "403"):
            raise
        return False
    return head is not None and media_id(bucket, key, head) != recording["media_id"]


def archived(head: Mapping[str, Any]) -> str | None:
    """The reason if the object is in an archive and no restored copy of it can be read; else None."""
    storage_class, restore = head.get("StorageClass", ""), head.get("Restore", "")
    # Of an object in Intelligent-Tiering the class says nothing: its archive tiers have a header of their own.
    where = head.get("ArchiveStatus") or (storage_class if storage_class in ARCHIVE_CLASSES else "")
    if not where or 'ongoing-request="false"' in restore:
        return None
    if 'ongoing-request="true"' in restore:
        return f"The object is archived ({where}) and is being restored. Start again with it when that has ended."
    return _not_restored(where)


def _not_restored(where: str) -> str:
    return (
        f"The object is archived ({where}) and can't be read. Restore it (RestoreObject of S3), then start again with "
        "this recording."
    )


def has_other_key(head: Mapping[str, Any], own_key_arn: str) -> bool:
    """Whether another KMS key than its bucket's own encrypts the object. Its id may be given without the ARN."""
    key: str = head.get("SSEKMSKeyId", "")
    return bool(key) and key.rpartition("/")[2] != own_key_arn.rpartition("/")[2]


def other_key(head: Mapping[str, Any]) -> str:
    """The reason why an object that `has_other_key` can't be used."""
    return (
        f"The object is encrypted with the key {head['SSEKMSKeyId']}, which can't be used here, and not with the "
        "bucket's own. Change its key (UpdateObjectEncryption of S3) or allow the function that reads it to decrypt "
        "with that one, then start again with this recording."
    )


def refused_read(error: ClientError, head: Mapping[str, Any], own_key_arn: str) -> str | None:
    """The reason if GetObject's `error` speaks of the object that `head` describes; None if of our side or of S3."""
    code = error.response["Error"]["Code"]
    if code in _CHANGED:
        return CHANGED
    if code == "InvalidObjectState":
        answer: Mapping[str, Any] = error.response
        return _not_restored(answer.get("AccessTier") or answer.get("StorageClass") or code)
    if code == "InvalidRequest":
        return f"S3 refuses to read the object: {error.response['Error'].get('Message', code)}"
    if code in _KEY_REFUSED and has_other_key(head, own_key_arn):
        return other_key(head)
    return None
