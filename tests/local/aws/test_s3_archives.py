from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.s3_archives import archive
from local.server import LocalAws

DAYS = {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}
PLACES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("GLACIER", {"StorageClass": "GLACIER"}, {"StorageClass": "GLACIER"}, DAYS),
    ("DEEP_ARCHIVE", {"StorageClass": "DEEP_ARCHIVE"}, {"StorageClass": "DEEP_ARCHIVE"}, DAYS),
    *(
        (
            tier,
            {"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": tier},
            {"StorageClass": "INTELLIGENT_TIERING", "AccessTier": tier},
            {},
        )
        for tier in ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")
    ),
]


@pytest.fixture(scope="module")
def s3(local_aws: LocalAws) -> Any:
    client = local_aws.client("s3")
    client.create_bucket(Bucket="media")
    client.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.mark.parametrize(("where", "head", "refusal", "restore"), PLACES)
def test_an_archived_object_is_refused_until_it_is_restored_and_stays_the_same_version(
    s3: Any, where: str, head: dict[str, Any], refusal: dict[str, Any], restore: dict[str, Any]
) -> None:
    version = s3.put_object(Bucket="media", Key=where, Body=b"sound")["VersionId"]
    archive("media", where, where)
    seen = s3.head_object(Bucket="media", Key=where)
    assert {name: seen.get(name) for name in head} == head
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="media", Key=where)
    answer: dict[str, Any] = refused.value.response  # type: ignore[assignment]
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("InvalidObjectState", 403)
    assert {name: answer.get(name) for name in refusal} == refusal
    s3.restore_object(Bucket="media", Key=where, RestoreRequest=restore)
    seen = s3.head_object(Bucket="media", Key=where)
    assert (seen["VersionId"], seen.get("ArchiveStatus")) == (version, None)
    assert s3.get_object(Bucket="media", Key=where)["Body"].read() == b"sound"


def test_other_objects_are_read_and_can_not_be_restored(s3: Any) -> None:
    s3.put_object(Bucket="media", Key="instant", Body=b"sound", StorageClass="GLACIER_IR")
    assert s3.get_object(Bucket="media", Key="instant")["Body"].read() == b"sound"
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.restore_object(Bucket="media", Key="instant", RestoreRequest=DAYS)
