from collections.abc import Callable
from typing import Any

import pytest

from local.aws.policies import Decision, Request, evaluate
from tests.infra.conftest import ACCOUNT, Deployed

# Recordings and results with their keys, the ledger, queued events, logs and executions.
WITH_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
}
STORES = ["Media", "Clinical", "Audience", "Operations"]
ENCRYPTION = "s3:x-amz-server-side-encryption"
KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"


def refused_by(deployed: Deployed, store: str, headers: dict[str, str], key: str = "some/object") -> set[str]:
    """Sids of the bucket policy's denials of a write with these headers."""
    policy = deployed.resources[f"Storage/{store}/Bucket/Policy"]["Properties"]["PolicyDocument"]
    request = Request(
        "s3:PutObject",
        f"Storage/{store}/Bucket.Arn/{key}",
        headers | {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"},
        account=ACCOUNT,
    )
    return {
        statement["Sid"]
        for statement in policy["Statement"]
        if evaluate([{"Statement": [statement]}], request) is Decision.DENY
    }


@pytest.mark.parametrize("store", STORES)
def test_each_class_of_data_has_a_rotating_key_of_its_own(local: Deployed, store: str) -> None:
    bucket = local.resources[f"Storage/{store}/Bucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": f"Storage/{store}/Key.Arn",
    }
    assert local.resources[f"Storage/{store}/Key"]["Properties"]["EnableKeyRotation"] is True
    assert local.resources[f"Storage/{store}/Key/Alias"]["Properties"]["AliasName"] == (
        f"alias/clinical-media-local-{store.lower()}"
    )


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("headers", "refusals"),
    [
        ({}, set()),
        ({ENCRYPTION: "aws:kms", KEY: "ours by ARN"}, set()),
        ({ENCRYPTION: "aws:kms", KEY: "ours by id"}, set()),
        ({ENCRYPTION: "aws:kms", KEY: "alias/clinical-media-local-clinical"}, {"OnlyOurKey"}),
        ({ENCRYPTION: "AES256"}, {"OnlyKms"}),
        ({ENCRYPTION: "aws:kms:dsse", KEY: "ours by ARN"}, {"OnlyKms"}),
        ({ENCRYPTION: "aws:kms"}, {"NotTheAwsManagedKey"}),
        ({ENCRYPTION: "aws:kms", KEY: "theirs"}, {"OnlyOurKey"}),
        ({CUSTOMER: "AES256"}, {"NoCustomerKeys"}),
    ],
)
def test_a_write_with_other_encryption_than_ours_is_refused(
    local: Deployed, store: str, headers: dict[str, str], refusals: set[str]
) -> None:
    ours = {"ours by ARN": f"Storage/{store}/Key.Arn", "ours by id": f"Storage/{store}/Key"}
    sent = {name: ours.get(value, value) for name, value in headers.items()}
    assert refused_by(local, store, sent) == refusals


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {ENCRYPTION: "AES256"},
        {ENCRYPTION: "aws:kms"},
        {ENCRYPTION: "aws:kms", KEY: "theirs"},
        {CUSTOMER: "AES256"},
    ],
)
def test_transcribes_access_check_is_written_with_any_header_and_nothing_else_is(
    local: Deployed, headers: dict[str, str]
) -> None:
    check = "transcripts/.write_access_check_file.temp"
    assert refused_by(local, "Clinical", headers, check) == set()
    for key in (
        "transcripts/0a1b.json",
        f"{check}2",
        f"{check}/x",
        f"records/{check}",
        ".write_access_check_file.temp",
    ):
        assert bool(refused_by(local, "Clinical", headers, key)) == bool(headers), key
    for store in STORES:
        if store != "Clinical":
            assert bool(refused_by(local, store, headers, check)) == bool(headers), store


def test_every_bucket_is_private_versioned_and_reached_by_tls_only(local: Deployed) -> None:
    buckets = local.of_type("AWS::S3::Bucket")
    assert set(buckets) == {f"Storage/{store}/Bucket" for store in STORES} | {"Storage/AccessLogs"}
    for path, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        denied = [
            statement["Condition"]
            for statement in local.resources[f"{path}/Policy"]["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Action"] == "s3:*"
            if statement["Resource"] == [f"{path}.Arn", f"{path}.Arn/*"]
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


def test_access_to_every_store_is_logged_in_a_bucket_that_s3_can_write_to(local: Deployed) -> None:
    for store in STORES:
        logging = local.resources[f"Storage/{store}/Bucket"]["Properties"]["LoggingConfiguration"]
        assert logging == {"DestinationBucketName": "Storage/AccessLogs", "LogFilePrefix": f"{store.lower()}/"}
    target = local.resources["Storage/AccessLogs"]["Properties"]["BucketEncryption"]
    (rule,) = target["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    writers = {
        statement["Condition"]["ArnLike"]["aws:SourceArn"]: statement["Resource"]
        for statement in local.resources["Storage/AccessLogs/Policy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        if statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    }
    assert writers == {f"Storage/{store}/Bucket.Arn": f"Storage/AccessLogs.Arn/{store.lower()}/*" for store in STORES}


def expiring(deployed: Deployed) -> dict[str, int]:
    """Days by key prefix; a prefix belongs to one store only."""
    return {
        rule["Prefix"]: rule["ExpirationInDays"]
        for path, bucket in deployed.of_type("AWS::S3::Bucket").items()
        if path != "Storage/AccessLogs"
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }


def test_what_was_uploaded_made_and_used_expires_as_the_environment_says(deploy: Callable[..., Deployed]) -> None:
    changes = {
        "recordings_expire_after_days": 100,
        "intermediates_expire_after_days": 25,
        "results_expire_after_days": 400,
    }
    assert expiring(deploy("dev", **changes)) == {
        "media/": 100,
        "documents/": 25,
        "entity-jobs/": 25,
        "entities/": 25,
        "searches/": 25,
        "queries/": 25,
        "transcripts/": 400,
        "deidentified/": 400,
        "reports/": 400,
        "records/": 400,
        "analysis/findings/": 400,
        "analysis/utterances/": 400,
        "batches/": 400,
        "seeds/": 400,
    }


def test_production_keeps_everything_but_intermediates(deploy: Callable[..., Deployed]) -> None:
    assert expiring(deploy("prod")) == dict.fromkeys(
        ("documents/", "entity-jobs/", "entities/", "queries/", "searches/"), 30
    )


def test_every_bucket_forgets_old_versions_and_unfinished_uploads(local: Deployed) -> None:
    for bucket in local.of_type("AWS::S3::Bucket").values():
        tidy = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in rule]
        assert any(rule.get("NoncurrentVersionExpiration") == {"NoncurrentDays": 30} for rule in tidy)
        assert any(rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 7} for rule in tidy)


def test_the_media_bucket_alone_sends_events(local: Deployed) -> None:
    sending = [
        path for path, bucket in local.of_type("AWS::S3::Bucket").items() if "NotificationConfiguration" in bucket
    ]
    assert sending == ["Storage/Media/Bucket"]
    configuration = local.resources["Storage/Media/Bucket"]["Properties"]["NotificationConfiguration"]
    assert configuration == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_what_is_kept_outlives_deletion_and_replacement_and_nothing_outlives_a_failed_creation(
    deploy: Callable[..., Deployed], environments: dict[str, Any]
) -> None:
    """DeletionPolicy and UpdateReplacePolicy; without one CloudFormation deletes (user guide, "DeletionPolicy")."""
    kept = ("RetainExceptOnCreate", "Retain")
    gone = ("Delete", "Delete")
    fates = {
        name: {
            path: (resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete"))
            for path, resource in deploy(name).resources.items()
        }
        for name in environments
    }
    for name, found in fates.items():
        resources = deploy(name).resources
        wanted = kept if environments[name]["retain_data"] else gone
        assert found == {
            path: wanted if resource["Type"] in WITH_DATA and path != "Ledger/Members" else gone
            for path, resource in resources.items()
        }
    assert kept in fates["prod"].values()


def test_key_policies_refer_to_no_resource_that_may_refer_to_the_key(local: Deployed) -> None:
    for path, key in local.of_type("AWS::KMS::Key").items():
        text = str(key["KeyPolicy"])
        assert not [other for other in local.resources if other in text], path


def test_only_the_account_itself_and_named_uses_have_a_key(local: Deployed) -> None:
    root = "arn:aws:iam::123456789012:root"
    for store in STORES:
        statements = local.resources[f"Storage/{store}/Key"]["Properties"]["KeyPolicy"]["Statement"]
        assert [statement["Principal"] for statement in statements if statement["Action"] == "kms:*"] == [{"AWS": root}]
        services = {s["Principal"]["Service"]: s.get("Condition") for s in statements if "Service" in s["Principal"]}
        assert set(services) == (
            {f"{name}.amazonaws.com" for name in ("logs.us-east-1", "events", "delivery.logs", "cloudwatch")}
            if store == "Operations"
            else set()
        )
        # AWS doesn't document which condition EventBridge meets (infra/ingest.py).
        assert {name for name, condition in services.items() if not condition} <= {"events.amazonaws.com"}
