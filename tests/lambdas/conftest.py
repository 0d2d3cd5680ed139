"""Buckets and the ledger in moto, and the environment variables that the stack gives the functions."""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.s3.models import s3_backends

from local.aws import dynamodb_items, s3_listing

MEDIA, CLINICAL, AUDIENCE = "media-bucket", "clinical-bucket", "audience-bucket"
OPERATIONS, ACCESS_LOGS = "operations-bucket", "access-logs-bucket"
LEDGER, MEMBERS = "ledger-table", "members-table"
MODEL_ARN = "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/m"
PARAMETERS: dict[str, dict[str, Any]] = {
    "StartMedicalTranscriptionJob": {
        "LanguageCode": "en-US",
        "Specialty": "PRIMARYCARE",
        "Type": "DICTATION",
        "ContentIdentificationType": "PHI",
        "MediaFormat": None,
    },
    "StartEntitiesDetectionV2Job": {"LanguageCode": "en"},
    "StartAudienceGenerationJob": {"configuredAudienceModelArn": MODEL_ARN, "collaborationId": None},
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RESOURCE_PREFIX": "clinical-media-test",
        "MEDIA_BUCKET": MEDIA,
        "CLINICAL_BUCKET": CLINICAL,
        "AUDIENCE_BUCKET": AUDIENCE,
        "OPERATIONS_BUCKET": OPERATIONS,
        "ACCESS_LOGS_BUCKET": ACCESS_LOGS,
        "MEDIA_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/media",
        "AUDIENCE_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/audience",
        "CLINICAL_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/clinical",
        "OPERATIONS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/operations",
        "LEDGER_TABLE": LEDGER,
        "MEMBERS_TABLE": MEMBERS,
        "RESULTS_EXPIRE_AFTER_DAYS": "",
        "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:pipeline",
        "PARAMETERS": json.dumps(PARAMETERS),
        "CONCURRENT_JOBS": "7",
        "MAXIMUM_DOCUMENT_BYTES": "40000",
        "ENTITY_DETECTION_ROLE_ARN": "arn:aws:iam::123456789012:role/entity-detection",
        "BATCH_CEILING_USD": "100",
        "DAY_CEILING_USD": "1000",
        "ABOVE_BATCH_CEILING": "stop",
        "COHORTS": "[]",
        "SQL_COHORTS": "[]",
        "SEED_READER_ROLE_ARN": "arn:aws:iam::123456789012:role/seed-reader",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = mocked("s3")
        for bucket in (MEDIA, CLINICAL, AUDIENCE, OPERATIONS, ACCESS_LOGS):
            client.create_bucket(Bucket=bucket)
            # As PutBucketVersioning does, which would be a third of what it takes to set this up.
            s3_backends["123456789012"]["aws"].buckets[bucket].versioning_status = "Enabled"
        create_ledger()
        dynamodb_items.install()  # without it, moto mixes up transactions of several threads
        s3_listing.install()  # without it, moto leaves out versions behind a key
        yield client


@functools.cache
def mocked(service: str) -> Any:
    """A client for every test: to make one takes longer than most of them."""
    return boto3.client(service)  # type: ignore[call-overload]


def create_ledger() -> None:
    for table, keys in ((LEDGER, {"pk": "HASH"}), (MEMBERS, {"pk": "HASH", "sk": "RANGE"})):
        mocked("dynamodb").create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.fixture
def stubbed() -> Iterator[Callable[[Any], Stubber]]:
    """Makes a client answer from a script; what was scripted and not asked for fails the test."""
    stubbers: list[Stubber] = []

    def stub(client: Any) -> Stubber:
        stubber = Stubber(client)
        stubber.activate()
        stubbers.append(stubber)
        return stubber

    yield stub
    for stubber in stubbers:
        stubber.deactivate()
        stubber.assert_no_pending_responses()
