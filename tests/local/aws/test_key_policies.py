import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws.key_policies import lets_service_use_key

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
CONTEXT = {"kms:EncryptionContext:aws:sqs:arn": QUEUE}
ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


@pytest.fixture
def kms() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms", region_name="us-east-1")


def key(kms: Any, **statement: Any) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": list(ACTIONS),
        "Resource": "*",
        "Condition": {"StringEquals": CONTEXT},
    }
    policy = {"Version": "2012-10-17", "Statement": [allow | statement]}
    made: str = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    return made


def test_a_service_uses_a_key_as_its_policy_says(kms: Any) -> None:
    arn = key(kms)
    assert lets_service_use_key(arn, "events.amazonaws.com", ACTIONS, CONTEXT)
    assert not lets_service_use_key(arn, "sns.amazonaws.com", ACTIONS, CONTEXT)
    assert not lets_service_use_key(arn, "events.amazonaws.com", ACTIONS, {})
    assert not lets_service_use_key(arn, "events.amazonaws.com", [*ACTIONS, "kms:Encrypt"], CONTEXT)


def test_the_account_s_own_rights_are_not_the_service_s(kms: Any) -> None:
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    assert not lets_service_use_key(key(kms, Principal=root), "events.amazonaws.com", ACTIONS, CONTEXT)


def test_a_key_is_found_by_its_id_and_by_an_alias(kms: Any) -> None:
    arn = key(kms)
    kms.create_alias(AliasName="alias/queues", TargetKeyId=arn)
    for name in (arn.rpartition("/")[2], "alias/queues"):
        assert lets_service_use_key(name, "events.amazonaws.com", ACTIONS, CONTEXT)


def test_a_disabled_or_unknown_key_can_be_used_by_nobody(kms: Any) -> None:
    arn = key(kms)
    kms.disable_key(KeyId=arn.rpartition("/")[2])
    assert not lets_service_use_key(arn, "events.amazonaws.com", ACTIONS, CONTEXT)
    for name in ("alias/none", "0af1c9f5-0000-4000-8000-000000000000"):
        assert not lets_service_use_key(name, "events.amazonaws.com", ACTIONS, CONTEXT)
