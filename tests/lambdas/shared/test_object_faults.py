from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.shared import object_faults
from lambdas.shared.object_faults import CHANGED

OURS = "arn:aws:kms:us-east-1:123456789012:key/media"
THEIRS = "arn:aws:kms:us-east-1:123456789012:key/theirs"
RESTORED = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'
KMS = ["KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException", "KMS.InvalidKeyUsageException"]


@pytest.mark.parametrize(
    ("head", "where"),
    [
        ({"StorageClass": "GLACIER"}, "GLACIER"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "DEEP_ARCHIVE"),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, "ARCHIVE_ACCESS"),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "DEEP_ARCHIVE_ACCESS"}, "DEEP_ARCHIVE_ACCESS"),
    ],
)
def test_an_archived_object_names_its_archive_and_what_to_do_until_it_is_restored(
    head: dict[str, str], where: str
) -> None:
    reason = object_faults.archived(head)
    assert reason and f"archived ({where})" in reason and "Restore it (RestoreObject of S3), then start" in reason
    reason = object_faults.archived({**head, "Restore": 'ongoing-request="true"'})
    assert reason and f"archived ({where}) and is being restored" in reason
    assert object_faults.archived({**head, "Restore": RESTORED}) is None


@pytest.mark.parametrize("storage_class", ["STANDARD_IA", "GLACIER_IR", "INTELLIGENT_TIERING", "a class of tomorrow"])
def test_every_other_storage_class_is_read(storage_class: str) -> None:
    assert object_faults.archived({"StorageClass": storage_class}) is None
    assert object_faults.archived({}) is None


@pytest.mark.parametrize(
    ("head", "other"),
    [
        ({}, False),
        ({"SSEKMSKeyId": OURS}, False),
        ({"SSEKMSKeyId": "media"}, False),
        ({"SSEKMSKeyId": THEIRS}, True),
        ({"SSEKMSKeyId": "theirs"}, True),
    ],
)
def test_a_key_is_ours_by_its_arn_or_its_id(head: dict[str, str], other: bool) -> None:
    assert object_faults.has_other_key(head, OURS) is other


def error(code: str, message: str = "", **members: str) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **members}
    return ClientError(response, "GetObject")


@pytest.mark.parametrize("key", [OURS, THEIRS])
@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        *((error(code), CHANGED) for code in ("NoSuchKey", "PreconditionFailed", "InvalidRange", "MethodNotAllowed")),
        (error("InvalidObjectState", StorageClass="GLACIER"), "archived (GLACIER)"),
        (
            error("InvalidObjectState", StorageClass="INTELLIGENT_TIERING", AccessTier="ARCHIVE_ACCESS"),
            "archived (ARCHIVE_ACCESS)",
        ),
        (error("InvalidRequest", "A form of it."), "S3 refuses to read the object: A form of it."),
    ],
)
def test_what_s3_says_of_the_object_is_its_reason_whichever_key_it_has(
    refusal: ClientError, reason: str, key: str
) -> None:
    found = object_faults.refused_read(refusal, {"SSEKMSKeyId": key}, OURS)
    assert found and reason in found


@pytest.mark.parametrize("code", ["AccessDenied", *KMS])
def test_a_refused_key_is_the_object_s_fault_unless_it_is_our_own(code: str) -> None:
    reason = object_faults.refused_read(error(code), {"SSEKMSKeyId": THEIRS}, OURS)
    assert reason and f"encrypted with the key {THEIRS}" in reason and "UpdateObjectEncryption" in reason
    assert object_faults.refused_read(error(code), {"SSEKMSKeyId": OURS}, OURS) is None
    assert object_faults.refused_read(error(code), {}, OURS) is None


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "ThrottlingException", "ExpiredToken", "NoSuchBucket"])
def test_what_the_service_says_of_itself_or_of_us_is_never_the_object_s_fault(code: str) -> None:
    assert object_faults.refused_read(error(code), {"SSEKMSKeyId": THEIRS}, OURS) is None
