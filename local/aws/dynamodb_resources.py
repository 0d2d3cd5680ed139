"""CloudFormation's DynamoDB tables.

moto's CloudFormation drops point-in-time recovery, stores the encryption in a form that its own DescribeTable can't
read, and fails on the StreamArn of a table without a stream.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.dynamodb.models.table import Table

from local.aws import kms_keys
from local.aws.resource_types import Properties, ResourceType, operator_client, put_tags


def complete_table(table: Table, properties: Properties) -> None:
    """Apply the properties that moto dropped, and refuse those that AWS would refuse."""
    if properties.get("BillingMode") != "PAY_PER_REQUEST":
        raise ValueError("BillingMode is supported as PAY_PER_REQUEST alone")
    defined = {definition["AttributeName"] for definition in properties["AttributeDefinitions"]}
    if unused := defined - {element["AttributeName"] for element in properties["KeySchema"]}:
        raise ValueError(f"AttributeDefinitions: no key has the attributes {', '.join(sorted(unused))}")
    table.sse_specification = _encryption(table, properties.get("SSESpecification", {"SSEEnabled": False}))
    if expiry := properties.get("TimeToLiveSpecification"):
        operator_client("dynamodb").update_time_to_live(TableName=table.name, TimeToLiveSpecification=expiry)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        operator_client("dynamodb").update_continuous_backups(
            TableName=table.name, PointInTimeRecoverySpecification=recovery
        )


def update_table(table: Table, properties: Properties, previous: Properties) -> None:
    """Raises ValueError for a change that isn't supported here: of the attributes, which need an index to be of use."""
    if properties["AttributeDefinitions"] != previous["AttributeDefinitions"]:
        raise ValueError("AttributeDefinitions can't be changed: only an index could use another attribute")
    dynamodb, absent = operator_client("dynamodb"), set(previous) - set(properties)
    dynamodb.update_table(
        TableName=table.name, DeletionProtectionEnabled=bool(properties.get("DeletionProtectionEnabled", False))
    )
    if "TimeToLiveSpecification" in absent:
        expiry = {**previous["TimeToLiveSpecification"], "Enabled": False}
        dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=expiry)
    if "PointInTimeRecoverySpecification" in absent:
        off = {"PointInTimeRecoveryEnabled": False}
        dynamodb.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=off)
    encryption = properties.get("SSESpecification", {"SSEEnabled": False})
    if encryption["SSEEnabled"] and encryption != previous.get("SSESpecification"):
        if "KMSMasterKeyId" not in encryption:
            raise ValueError("SSESpecification can be changed to a key of one's own only, or to none")
        table.sse_specification = {"KMSMasterKeyId": encryption["KMSMasterKeyId"]}
    complete_table(table, properties)
    put_tags(
        properties,
        previous,
        lambda tags: dynamodb.tag_resource(ResourceArn=table.table_arn, Tags=tags),
        lambda keys: dynamodb.untag_resource(ResourceArn=table.table_arn, TagKeys=keys),
    )


def _encryption(table: Table, properties: Properties) -> dict[str, Any] | None:
    """The specification in the API's form; None for the default, an AWS owned key."""
    if unknown := set(properties) - {"KMSMasterKeyId", "SSEEnabled", "SSEType"}:
        raise ValueError(f"SSESpecification: {', '.join(sorted(unknown))} isn't supported")
    if properties.get("SSEType", "KMS") != "KMS":
        raise ValueError("SSEType is supported as KMS alone")
    if not properties["SSEEnabled"]:
        return None
    # moto has put the AWS managed key there if none is named.
    name = (table.sse_specification or {})["KMSMasterKeyId"]
    key = kms_keys.find(name, table.region_name, table.account_id)
    if key is None or key.key_state != "Enabled":
        raise ValueError(f"SSESpecification: the key {name} doesn't exist or isn't enabled")
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key.arn}


def get_cfn_attribute(self: Table, attribute_name: str) -> str:
    """Table.get_cfn_attribute. Raises UnformattedGetAttTemplateException."""
    if not has_cfn_attr(attribute_name):
        raise UnformattedGetAttTemplateException()
    return self.table_arn


def has_cfn_attr(attr: str) -> bool:
    """Table.has_cfn_attr, without StreamArn: no table here has a stream."""
    return attr == "Arn"


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    Table.get_cfn_attribute = get_cfn_attribute  # type: ignore[method-assign]
    Table.has_cfn_attr = staticmethod(has_cfn_attr)  # type: ignore[method-assign]


TYPES = {
    "AWS::DynamoDB::Table": ResourceType(
        frozenset(
            {
                "AttributeDefinitions",
                "BillingMode",
                "DeletionProtectionEnabled",
                "KeySchema",
                "PointInTimeRecoverySpecification",
                "SSESpecification",
                "TableName",
                "Tags",
                "TimeToLiveSpecification",
            }
        ),
        complete=complete_table,
        replaced_by=frozenset({"KeySchema", "TableName"}),
        update=update_table,
    ),
}
