from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws import kms_keys


@pytest.fixture
def kms() -> Iterator[Any]:
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
