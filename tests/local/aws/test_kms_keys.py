from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws import kms_keys


@pytest.fixture
def kms() -> Iterator[Any]:
    kms_keys.install()
    with mock_aws():
        yield boto3.client("kms", region_name="us-east-1")


def test_a_key_is_found_by_each_of_its_names(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/outputs", TargetKeyId=key["KeyId"])
    alias = key["Arn"].replace(f"key/{key['KeyId']}", "alias/outputs")
    for name in (key["KeyId"], key["Arn"], "alias/outputs", alias):
        found = kms_keys.find(name)
        assert found is not None and found.arn == key["Arn"], name


def test_an_arn_is_looked_for_where_it_says(kms: Any) -> None:
    elsewhere = boto3.client("kms", region_name="us-west-2").create_key()["KeyMetadata"]
    found = kms_keys.find(elsewhere["Arn"])
    assert found is not None and found.arn == elsewhere["Arn"]
    assert kms_keys.find(elsewhere["KeyId"]) is None
    assert kms_keys.find(elsewhere["KeyId"], region="us-west-2") is found


@pytest.mark.parametrize("name", ["alias/none", "0af1c9f5-0000-4000-8000-000000000000"])
def test_a_key_that_is_not_there_is_not_found(kms: Any, name: str) -> None:
    assert kms_keys.find(name) is None


def test_a_service_sends_the_name_that_it_was_given_or_the_bare_id(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]
    assert kms_keys.sent(key["Arn"], "as-given") == key["Arn"]
    assert kms_keys.sent(key["Arn"], "id") == key["KeyId"]
    assert kms_keys.sent("alias/none", "id") == "alias/none"


# Operations that name a key, with their other parameters, except those of a missing alias or grant.
OPERATIONS: dict[str, dict[str, Any]] = {
    "cancel_key_deletion": {},
    "create_grant": {"GranteePrincipal": "arn:aws:iam::123456789012:role/r", "Operations": ["Decrypt"]},
    "describe_key": {},
    "disable_key": {},
    "disable_key_rotation": {},
    "enable_key": {},
    "enable_key_rotation": {},
    "encrypt": {"Plaintext": b"text"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "get_key_policy": {"PolicyName": "default"},
    "get_key_rotation_status": {},
    "list_aliases": {},
    "list_grants": {},
    "list_key_policies": {},
    "list_key_rotations": {},
    "list_resource_tags": {},
    "put_key_policy": {"PolicyName": "default", "Policy": "{}"},
    "rotate_key_on_demand": {},
    "schedule_key_deletion": {"PendingWindowInDays": 7},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "untag_resource": {"TagKeys": ["a"]},
    "update_key_description": {"Description": "described"},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_takes_the_arn_of_a_key_for_its_id(kms: Any, operation: str) -> None:
    key = kms.create_key()["KeyMetadata"]
    answer = getattr(kms, operation)(KeyId=key["Arn"], **OPERATIONS[operation])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_key_that_is_disabled_by_its_arn_is_disabled(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]
    kms.disable_key(KeyId=key["Arn"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key["Arn"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize("name", ["0af1c9f5-0000-4000-8000-000000000000", "alias/outputs"])
@pytest.mark.parametrize("operation", ["disable_key", "list_key_rotations", "schedule_key_deletion"])
def test_what_is_no_key_is_not_found_and_no_fault_of_the_service(kms: Any, operation: str, name: str) -> None:
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/outputs", TargetKeyId=key["KeyId"])
    for called in (name, key["Arn"].replace(f"key/{key['KeyId']}", name if "/" in name else f"key/{name}")):
        with pytest.raises(kms.exceptions.NotFoundException):
            getattr(kms, operation)(KeyId=called)
