"""Faults of one recording's object in S3: they reject that recording, and the batch continues.

Errors about our permissions, our own key or S3 itself are raised unchanged: they fail the execution, and a redrive
repeats the step once they are repaired.
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
    "The object was replaced during transcription, so the transcript may be of the newer version. The newer version "
    "starts by itself."
)
CUSTOMER_KEY = (
    "The object is encrypted with the uploader's own key (SSE-C), which S3 does not store, so nobody else can read the "
    "object. Copy the object onto itself with that key, encrypted with the bucket's key: the copy starts by itself."
)
NO_ACCESS = (
    "S3 refuses access to this object (403 Forbidden) but not to others: a bucket policy denies it, perhaps because of "
    "its tags or its prefix. Allow the access, then start again with this recording."
)
ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
# Since HeadObject, the object has gone, changed its ETag, become shorter, or been hidden by a delete marker.
_CHANGED = ("NoSuchKey", "PreconditionFailed", "InvalidRange", "MethodNotAllowed")
# S3 uses the object's key with our rights: a missing right gives AccessDenied; the other four come from KMS.
_KEY_REFUSED = (
    "AccessDenied",
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "KMS.InvalidKeyUsageException",
)


class Unusable(Exception):
    """A recording can't be used; the message is the reason of its rejection, with the remedy."""


def find_recording(bucket: str, key: str) -> Mapping[str, Any] | None:
    """S3's answer to HeadObject, None if there is no such object.

    Raises:
        Unusable: the object is encrypted with a customer's key, and S3 describes it only with that key.
        botocore.exceptions.ClientError: any other refusal; its code is the HTTP status.
    """
    try:
        return find_head(bucket, key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "400":
            raise
    # HeadObject's answer has no body and gives no reason; GetObject's does.
    try:
        s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidRequest":
            raise Unusable(CUSTOMER_KEY) from None
        raise
    return find_head(bucket, key)


def planned_head(recording: NamedRecording) -> Mapping[str, Any]:
    """S3's answer to HeadObject for a planned recording.

    Raises:
        Unusable: the object is no longer the planned version.
        botocore.exceptions.ClientError: as `find_recording`.
    """
    bucket, key = parse_uri(recording["uri"])
    head = find_recording(bucket, key)
    if head is None or media_id(bucket, key, head) != recording["media_id"]:
        raise Unusable(CHANGED)
    return head


def replaced(recording: NamedRecording) -> bool:
    """Whether the object is now another version than the planned one; False if it is gone or S3 denies the answer."""
    bucket, key = parse_uri(recording["uri"])
    try:
        head = find_head(bucket, key)
    except ClientError as error:
        # Denied, encrypted with a customer's key, or gone without our having the right to list.
        if error.response["Error"]["Code"] not in ("400", "403"):
            raise
        return False
    return head is not None and media_id(bucket, key, head) != recording["media_id"]


def archived(head: Mapping[str, Any]) -> str | None:
    """The reason if the object is archived and has no readable restored copy; else None."""
    storage_class, restore = head.get("StorageClass", ""), head.get("Restore", "")
    # Intelligent-Tiering reports its archive tiers in ArchiveStatus, not in the storage class.
    where = head.get("ArchiveStatus") or (storage_class if storage_class in ARCHIVE_CLASSES else "")
    if not where or 'ongoing-request="false"' in restore:
        return None
    if 'ongoing-request="true"' in restore:
        return f"The object is archived ({where}) and is being restored. Start again with it after the restore."
    return _not_restored(where)


def _not_restored(where: str) -> str:
    return (
        f"The object is archived ({where}) and can't be read. Restore it (RestoreObject of S3), then start again with "
        "this recording."
    )


def has_other_key(head: Mapping[str, Any], own_key_arn: str) -> bool:
    """Whether a KMS key other than the bucket's encrypts the object. S3 may give the key's id without its ARN."""
    key: str = head.get("SSEKMSKeyId", "")
    return bool(key) and key.rpartition("/")[2] != own_key_arn.rpartition("/")[2]


def other_key(head: Mapping[str, Any]) -> str:
    """The rejection reason of an object that `has_other_key`."""
    return (
        f"The object is encrypted with the key {head['SSEKMSKeyId']}, not with the bucket's key, and can't be read. "
        "Change its key (UpdateObjectEncryption of S3) or allow the function that reads it to decrypt with that key, "
        "then start again with this recording."
    )


def refused_read(error: ClientError, head: Mapping[str, Any], own_key_arn: str) -> str | None:
    """The rejection reason if GetObject's `error` concerns the object that `head` describes; None if not."""
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
