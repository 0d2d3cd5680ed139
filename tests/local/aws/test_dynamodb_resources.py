import json
import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from local.server import LocalAws
from tests.local.aws.stacks import Stack

ACCOUNT = "123456789012"
KEY = {
    "Type": "AWS::KMS::Key",
    "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}, "EnableKeyRotation": True},
}


def table(**properties: Any) -> Any:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            **properties,
        },
    }


@pytest.fixture
def deploy_table(local_aws: LocalAws, create_stack: Any) -> Any:
    """deploy_table(properties) -> (DescribeTable's answer, the ARN of the key next to it)"""

    def deploy(**properties: Any) -> Any:
        outputs = {"Name": {"Ref": "Table"}, "Key": {"Fn::GetAtt": ["Key", "Arn"]}}
        created = create_stack({"Table": table(**properties), "Key": KEY}, outputs)
        return local_aws.client("dynamodb").describe_table(TableName=created["Name"])["Table"], created["Key"]

    return deploy


def test_a_table_has_a_name_that_cloudformation_makes_and_an_arn(local_aws: LocalAws) -> None:
    cloudformation, outputs = local_aws.client("cloudformation"), {"Name": {"Ref": "Ledger"}}
    outputs["Arn"] = {"Fn::GetAtt": ["Ledger", "Arn"]}  # type: ignore[dict-item]
    template = {"Resources": {"Ledger": table()}, "Outputs": {name: {"Value": v} for name, v in outputs.items()}}
    cloudformation.create_stack(StackName="named", TemplateBody=json.dumps(template))
    (stack,) = cloudformation.describe_stacks(StackName="named")["Stacks"]
    values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert re.fullmatch(r"named-Ledger-[A-Z0-9]{12}", values["Name"])
    assert values["Arn"] == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{values['Name']}"


def test_a_table_may_be_given_its_name(deploy_table: Any) -> None:
    described, _ = deploy_table(TableName="given")
    assert described["TableName"] == "given"
    assert described["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_a_table_is_encrypted_with_the_key_that_its_specification_names(deploy_table: Any) -> None:
    specification = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
    described, key = deploy_table(SSESpecification=specification)
    assert described["SSEDescription"] == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}


def test_a_key_may_be_named_by_its_id(deploy_table: Any) -> None:
    described, key = deploy_table(SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}})
    assert described["SSEDescription"]["KMSMasterKeyArn"] == key


def test_without_a_key_of_its_own_a_table_has_one_of_aws_s(local_aws: LocalAws, deploy_table: Any) -> None:
    managed, _ = deploy_table(SSESpecification={"SSEEnabled": True})
    found = local_aws.client("kms").describe_key(KeyId="alias/aws/dynamodb")["KeyMetadata"]["Arn"]
    assert managed["SSEDescription"]["KMSMasterKeyArn"] == found
    for properties in ({}, {"SSESpecification": {"SSEEnabled": False}}):
        owned, _ = deploy_table(**properties)
        assert "SSEDescription" not in owned


def test_a_table_has_its_recovery_its_protection_and_its_tags(local_aws: LocalAws, deploy_table: Any) -> None:
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
    tags = [{"Key": "data", "Value": "clinical"}]
    described, _ = deploy_table(PointInTimeRecoverySpecification=recovery, DeletionProtectionEnabled=True, Tags=tags)
    dynamodb = local_aws.client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName=described["TableName"])["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert backups["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 7
    assert described["DeletionProtectionEnabled"] is True
    assert dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == tags


def test_a_table_has_the_attribute_by_which_its_items_expire(local_aws: LocalAws, deploy_table: Any) -> None:
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    described, _ = deploy_table(TimeToLiveSpecification=expiry)
    answer = local_aws.client("dynamodb").describe_time_to_live(TableName=described["TableName"])
    assert answer["TimeToLiveDescription"] == {"AttributeName": "expires_at", "TimeToLiveStatus": "ENABLED"}


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}}, "does not support StreamSpecification"),
        ({"TimeToLiveSpecification": {"Enabled": True}}, "Missing required parameter in TimeToLiveSpecification"),
        ({"BillingMode": "PROVISIONED"}, "BillingMode is supported as PAY_PER_REQUEST alone"),
        ({"SSESpecification": {"SSEEnabled": True, "Key": "k"}}, "SSESpecification: Key isn't supported"),
        ({"SSESpecification": {"SSEEnabled": True, "SSEType": "AES256"}}, "SSEType is supported as KMS alone"),
        ({"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": "none"}}, "the key none doesn't exist"),
        (
            {"PointInTimeRecoverySpecification": {"Enabled": True}},
            "Unknown parameter in PointInTimeRecoverySpecification",
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "other")]},
            "no key has the attributes other",
        ),
    ],
)
def test_what_would_be_dropped_or_aws_would_not_take_is_refused_by_name(
    deploy_table: Any, properties: Any, reason: str
) -> None:
    with pytest.raises(ClientError, match=rf"(?s)Table \(AWS::DynamoDB::Table\).*{reason}"):
        deploy_table(**properties)


def test_a_table_without_a_stream_has_no_stream_arn(create_stack: Any) -> None:
    stream = {"Fn::GetAtt": ["Table", "StreamArn"]}
    with pytest.raises(ClientError, match="StreamArn"):
        create_stack({"Table": table()}, {"Stream": stream})
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": stream}}
    with pytest.raises(ClientError, match="does not support attribute type StreamArn"):
        create_stack({"Table": table(), "Queue": queue})


@pytest.mark.parametrize(
    ("policy", "protected", "kept"), [("Delete", False, False), ("Delete", True, True), ("Retain", False, True)]
)
def test_a_table_goes_with_its_stack_unless_it_is_retained_or_protected(
    local_aws: LocalAws, policy: str, protected: bool, kept: bool
) -> None:
    cloudformation, dynamodb = local_aws.client("cloudformation"), local_aws.client("dynamodb")
    name = f"table-{uuid.uuid4().hex[:8]}"
    resource = table(TableName=name, DeletionProtectionEnabled=protected) | {"DeletionPolicy": policy}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Table": resource}}))
    cloudformation.delete_stack(StackName=name)
    assert (name in dynamodb.list_tables()["TableNames"]) is kept


def test_a_protected_table_is_deleted_once_it_is_no_longer_protected(local_aws: LocalAws, make_table: Any) -> None:
    dynamodb, name = local_aws.client("dynamodb"), make_table(DeletionProtectionEnabled=True)
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.delete_table(TableName=name)
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)
    assert name not in dynamodb.list_tables()["TableNames"]


def test_moto_still_asks_the_table_for_what_is_mended(local_aws: LocalAws) -> None:
    assert {Table.get_cfn_attribute.__module__, Table.has_cfn_attr.__module__} == {"local.aws.dynamodb_resources"}


def test_a_table_is_changed_in_place_with_its_items(local_aws: LocalAws, stack: Stack) -> None:
    dynamodb = local_aws.client("dynamodb")
    recovery = {"PointInTimeRecoveryEnabled": True}
    expiry = {"AttributeName": "expires", "Enabled": True}
    stack.create({"Table": table(TimeToLiveSpecification=expiry, Tags=[{"Key": "a", "Value": "1"}]), "Key": KEY})
    name = stack.physical_ids()["Table"]
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "kept"}})
    changed = table(
        DeletionProtectionEnabled=True,
        PointInTimeRecoverySpecification=recovery,
        SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}},
        Tags=[{"Key": "b", "Value": "2"}],
    )
    assert stack.update({"Table": changed, "Key": KEY}) == "UPDATE_COMPLETE"
    assert stack.physical_ids()["Table"] == name
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["ItemCount"] == 1 and described["DeletionProtectionEnabled"]
    assert described["SSEDescription"]["KMSMasterKeyArn"].endswith(stack.physical_ids()["Key"])
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [{"Key": "b", "Value": "2"}]


def test_another_key_schema_replaces_a_table(local_aws: LocalAws, stack: Stack) -> None:
    stack.create({"Table": table()})
    name = stack.physical_ids()["Table"]
    other = json.loads(json.dumps(table()).replace('"pk"', '"id"'))
    assert stack.update({"Table": other}) == "UPDATE_COMPLETE"
    replaced = stack.physical_ids()["Table"]
    described = local_aws.client("dynamodb").describe_table(TableName=replaced)["Table"]
    assert replaced != name and described["KeySchema"][0]["AttributeName"] == "id"
    assert name not in local_aws.client("dynamodb").list_tables()["TableNames"]
