from collections.abc import Callable

import pytest

from tests.infra.conftest import Deployed

TABLE, MEMBERS = "Ledger/Table", "Ledger/Members"


def test_the_ledger_s_table_is_on_demand_with_one_key_attribute_and_nothing_beside_it(local: Deployed) -> None:
    assert {*local.of_type("AWS::DynamoDB::Table")} == {TABLE, MEMBERS}
    table = local.of_type("AWS::DynamoDB::Table")[TABLE]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    # An index or a stream would be another way to read the items; an expiry would delete a consent.
    assert not {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamSpecification"} & set(table)
    assert not {"TimeToLiveSpecification", "ResourcePolicy"} & set(table)


def test_members_are_read_in_their_order_expire_and_have_no_backups(local: Deployed) -> None:
    table = local.of_type("AWS::DynamoDB::Table")[MEMBERS]
    keys = {"pk": "HASH", "sk": "RANGE"}
    assert table["KeySchema"] == [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert not {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamSpecification"} & set(table)
    assert not {"PointInTimeRecoverySpecification", "ResourcePolicy", "DeletionProtectionEnabled"} & set(table)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_members_are_deleted_with_the_stack_because_a_rebuild_makes_them_again(
    deploy: Callable[..., Deployed], environment: str
) -> None:
    assert deploy(environment).resources[MEMBERS]["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize("table", [TABLE, MEMBERS])
def test_the_ledger_is_encrypted_with_the_key_of_the_data_that_its_ids_are_of(local: Deployed, table: str) -> None:
    assert local.resources[table]["Properties"]["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "Storage/Clinical/Key.Arn",
    }


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_ledger_can_be_restored_to_any_second(deploy: Callable[..., Deployed], environment: str) -> None:
    table = deploy(environment).resources[TABLE]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(("environment", "kept"), [("dev", False), ("prod", True)])
def test_the_ledger_is_kept_where_buckets_are_and_can_be_taken_back_by_a_first_deployment_that_fails(
    deploy: Callable[..., Deployed], environment: str, kept: bool
) -> None:
    deployed = deploy(environment)
    table, bucket = deployed.resources[TABLE], deployed.resources["Storage/Clinical/Bucket"]
    assert (table["DeletionPolicy"] == "RetainExceptOnCreate") is kept
    assert "DeletionProtectionEnabled" not in table["Properties"]
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        assert table[policy] == bucket[policy]
