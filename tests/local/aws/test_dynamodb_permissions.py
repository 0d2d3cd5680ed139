import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.calls import Call
from local.aws.required_permissions import required_permissions
from local.server import LocalAws

ACCOUNT, REGION = "123456789012", "us-east-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"


def allow(action: Any, resource: Any = "*", condition: Any = None) -> Any:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def keys_like(*patterns: str) -> Any:
    """The condition that all items have keys like these, and that there are any."""
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def refused(call: Any, **arguments: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
    return refusal.value.response["Error"]["Message"]


def key(value: str) -> Any:
    return {"pk": {"S": value}}


def update(table: str, value: str) -> Any:
    return {
        "TableName": table,
        "Key": key(value),
        "UpdateExpression": "ADD generation :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }


def check(table: str, value: str) -> Any:
    return {"TableName": table, "Key": key(value), "ConditionExpression": "attribute_not_exists(pk)"}


def needs(operation: str, body: Any) -> Any:
    """The permissions that a call needs, as a list of (action, resource, condition keys)."""
    call = Call("dynamodb", operation, "*", REGION, ACCOUNT, "POST", "/", {}, {}, json.dumps(body))
    return [(p.action, p.resource, dict(p.context)) for p in required_permissions(call)]


@pytest.fixture
def table(make_table: Any) -> Any:
    return make_table()


@pytest.fixture
def key_arn(local_aws: LocalAws) -> Any:
    return local_aws.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted(make_table: Any, key_arn: Any) -> Any:
    """The name of a table under `key_arn`"""
    return make_table(SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn})


def test_an_item_is_read_and_written_with_the_action_of_the_operation_on_its_table(table: str) -> None:
    leading = {"dynamodb:LeadingKeys": ["claim#1"]}
    item = {"TableName": table, "Key": key("claim#1")}
    for operation in ("GetItem", "UpdateItem", "DeleteItem"):
        assert needs(operation, item) == [(f"dynamodb:{operation}", f"{TABLE}/{table}", leading)]
    put = {"TableName": table, "Item": {"n": {"N": "1"}, **key("claim#1")}}
    assert needs("PutItem", put) == [("dynamodb:PutItem", f"{TABLE}/{table}", leading)]


def test_a_table_may_be_named_by_its_arn(table: str) -> None:
    arn = f"{TABLE}/{table}"
    leading = {"dynamodb:LeadingKeys": ["claim#1"]}
    assert needs("GetItem", {"TableName": arn, "Key": key("claim#1")}) == [("dynamodb:GetItem", arn, leading)]


def test_a_batch_shows_the_keys_of_all_its_items_of_a_table(table: str, make_table: Any) -> None:
    other = make_table()
    read = {table: {"Keys": [key("claim#1"), key("job#2")]}, other: {"Keys": [key("job#3")]}}
    assert needs("BatchGetItem", {"RequestItems": read}) == [
        ("dynamodb:BatchGetItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["claim#1", "job#2"]}),
        ("dynamodb:BatchGetItem", f"{TABLE}/{other}", {"dynamodb:LeadingKeys": ["job#3"]}),
    ]
    written = {table: [{"PutRequest": {"Item": key("claim#1")}}, {"DeleteRequest": {"Key": key("job#2")}}]}
    assert needs("BatchWriteItem", {"RequestItems": written}) == [
        ("dynamodb:BatchWriteItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["claim#1", "job#2"]}),
    ]


def test_a_transaction_takes_the_right_of_each_of_its_items_and_none_of_its_own(table: str) -> None:
    entries = [
        {"ConditionCheck": {"TableName": table, "Key": key("a")}},
        {"Update": {"TableName": table, "Key": key("b")}},
        {"Put": {"TableName": table, "Item": key("c")}},
        {"Delete": {"TableName": table, "Key": key("d")}},
    ]
    enclosed = {"dynamodb:EnclosingOperation": "TransactWriteItems"}
    assert needs("TransactWriteItems", {"TransactItems": entries}) == [
        ("dynamodb:ConditionCheckItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["a"], **enclosed}),
        ("dynamodb:UpdateItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["b"], **enclosed}),
        ("dynamodb:PutItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["c"], **enclosed}),
        ("dynamodb:DeleteItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["d"], **enclosed}),
    ]
    read = {"TransactItems": [{"Get": {"TableName": table, "Key": key("a")}}]}
    enclosed = {"dynamodb:EnclosingOperation": "TransactGetItems"}
    assert needs("TransactGetItems", read) == [
        ("dynamodb:GetItem", f"{TABLE}/{table}", {"dynamodb:LeadingKeys": ["a"], **enclosed})
    ]


def test_a_scan_shows_no_keys_and_a_call_about_the_table_itself_takes_its_action(table: str) -> None:
    assert needs("Scan", {"TableName": table}) == [("dynamodb:Scan", f"{TABLE}/{table}", {})]
    assert needs("DescribeTable", {"TableName": table}) == [("dynamodb:DescribeTable", f"{TABLE}/{table}", {})]
    arn = f"{TABLE}/{table}"
    assert needs("TagResource", {"ResourceArn": arn, "Tags": []}) == [("dynamodb:TagResource", arn, {})]
    assert needs("ListTables", {}) == [("dynamodb:ListTables", "*", {})]


def test_an_operation_whose_keys_are_not_known_is_not_decided(table: str) -> None:
    with pytest.raises(NotImplementedError, match="ExecuteStatement"):
        needs("ExecuteStatement", {"TableName": table})


@pytest.mark.parametrize(
    ("condition", "names"),
    [("pk = :of", {}), ("#key = :of", {"#key": "pk"}), ("pk=:of AND begins_with(sk, :begin)", {})],
)
def test_a_query_shows_its_partition_key(table: str, condition: str, names: dict[str, str]) -> None:
    asked = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":of": {"S": "index#1"}, ":begin": {"S": "a"}},
    }
    shown = {"dynamodb:LeadingKeys": ["index#1"]}
    assert needs("Query", asked) == [("dynamodb:Query", f"{TABLE}/{table}", shown)]


def test_a_query_whose_condition_begins_otherwise_is_not_decided(table: str) -> None:
    values = {":of": {"S": "index#1"}, ":begin": {"S": "a"}}
    asked = {"KeyConditionExpression": "begins_with(sk, :begin) AND pk = :of", "ExpressionAttributeValues": values}
    with pytest.raises(NotImplementedError, match="Query"):
        needs("Query", {"TableName": table, **asked})


def test_a_table_that_is_not_there_is_asked_about_without_keys() -> None:
    assert needs("GetItem", {"TableName": "none", "Key": key("a")}) == [("dynamodb:GetItem", f"{TABLE}/none", {})]


def test_a_role_reaches_the_items_of_its_policy_only(make_role: Any, table: str) -> None:
    role = make_role(allow("dynamodb:UpdateItem", f"{TABLE}/{table}", keys_like("execution#*", "job#*")))
    dynamodb = role.client("dynamodb")
    dynamodb.update_item(**update(table, "execution#1"))
    dynamodb.update_item(**update(table, "job#1"))
    assert "dynamodb:UpdateItem" in refused(dynamodb.update_item, **update(table, "claim#1"))
    assert "dynamodb:GetItem" in refused(dynamodb.get_item, TableName=table, Key=key("execution#1"))


def test_a_batch_is_refused_for_one_key_that_the_policy_does_not_name(make_role: Any, table: str) -> None:
    role = make_role(allow("dynamodb:BatchGetItem", f"{TABLE}/{table}", keys_like("claim#*")))
    dynamodb = role.client("dynamodb")
    dynamodb.batch_get_item(RequestItems={table: {"Keys": [key("claim#1"), key("claim#2")]}})
    request = {table: {"Keys": [key("claim#1"), key("object#2")]}}
    assert "dynamodb:BatchGetItem" in refused(dynamodb.batch_get_item, RequestItems=request)


def test_a_scan_does_not_pass_a_policy_that_wants_keys(make_role: Any, table: str) -> None:
    conditioned = make_role(allow("dynamodb:Scan", f"{TABLE}/{table}", keys_like("*")))
    assert "dynamodb:Scan" in refused(conditioned.client("dynamodb").scan, TableName=table)
    make_role(allow("dynamodb:Scan", f"{TABLE}/{table}")).client("dynamodb").scan(TableName=table)


def test_a_transaction_is_allowed_item_by_item(local_aws: LocalAws, make_role: Any, table: str) -> None:
    arn = f"{TABLE}/{table}"
    checking = allow("dynamodb:ConditionCheckItem", arn, keys_like("execution#*"))
    updating = allow("dynamodb:UpdateItem", arn, keys_like("claim#*"))
    entries = [{"ConditionCheck": check(table, "execution#1")}, {"Update": update(table, "claim#1")}]
    make_role(checking, updating).client("dynamodb").transact_write_items(TransactItems=entries)
    found = local_aws.client("dynamodb").get_item(TableName=table, Key=key("claim#1"))["Item"]
    assert found["generation"] == {"N": "1"}

    for statements, action in (
        ((checking,), "dynamodb:UpdateItem"),
        ((updating,), "dynamodb:ConditionCheckItem"),
        ((allow("dynamodb:TransactWriteItems", arn),), "dynamodb:ConditionCheckItem"),
    ):
        dynamodb = make_role(*statements).client("dynamodb")
        assert action in refused(dynamodb.transact_write_items, TransactItems=entries)
    elsewhere = [{"ConditionCheck": check(table, "claim#2")}, {"Update": update(table, "claim#1")}]
    dynamodb = make_role(checking, updating).client("dynamodb")
    assert "dynamodb:ConditionCheckItem" in refused(dynamodb.transact_write_items, TransactItems=elsewhere)


def test_an_item_of_a_transaction_may_be_asked_about_with_the_keys_of_all(
    make_role: Any, table: str, playing: Callable[..., None]
) -> None:
    arn, entries = (
        f"{TABLE}/{table}",
        [{"ConditionCheck": check(table, "execution#1")}, {"Update": update(table, "claim#1")}],
    )
    narrow = make_role(
        allow("dynamodb:ConditionCheckItem", arn, keys_like("execution#*")),
        allow("dynamodb:UpdateItem", arn, keys_like("claim#*")),
    ).client("dynamodb")
    actions = ["dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"]
    wide = make_role(allow(actions, arn, keys_like("execution#*", "claim#*"))).client("dynamodb")
    playing(transaction_keys="all")
    assert "dynamodb:ConditionCheckItem" in refused(narrow.transact_write_items, TransactItems=entries)
    wide.transact_write_items(TransactItems=entries)
    playing(transaction_keys="each")
    narrow.transact_write_items(TransactItems=entries)


def test_the_keys_of_all_are_those_of_other_tables_too(
    table: str, make_table: Any, playing: Callable[..., None]
) -> None:
    playing(transaction_keys="all")
    other = make_table()
    places = ((table, "a"), (other, "b"), (table, "c"))
    entries = [{"Update": {"TableName": name, "Key": key(value)}} for name, value in places]
    shown = [context["dynamodb:LeadingKeys"] for *_, context in needs("TransactWriteItems", {"TransactItems": entries})]
    assert shown == [["a", "b", "c"]] * 3


def test_a_right_may_be_had_in_transactions_only(make_role: Any, table: str) -> None:
    enclosed = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}
    dynamodb = make_role(allow("dynamodb:UpdateItem", f"{TABLE}/{table}", enclosed)).client("dynamodb")
    dynamodb.transact_write_items(TransactItems=[{"Update": update(table, "a")}])
    assert "dynamodb:UpdateItem" in refused(dynamodb.update_item, **update(table, "a"))


def test_an_encrypted_table_takes_decryption_to_read_and_to_write(make_role: Any, encrypted: str, key_arn: str) -> None:
    without = make_role(allow("dynamodb:*")).client("dynamodb")
    reading = {"TableName": encrypted, "Key": key("a")}
    assert "kms:Decrypt" in refused(without.get_item, **reading)
    assert "kms:Decrypt" in refused(without.update_item, **update(encrypted, "a"))
    assert "kms:Decrypt" in refused(without.transact_write_items, TransactItems=[{"Update": update(encrypted, "a")}])
    assert "kms:Decrypt" in refused(without.batch_get_item, RequestItems={encrypted: {"Keys": [key("a")]}})
    without.describe_table(TableName=encrypted)
    other = make_role(allow("dynamodb:*"), allow("kms:Decrypt", f"{key_arn}0")).client("dynamodb")
    assert "kms:Decrypt" in refused(other.get_item, **reading)
    dynamodb = make_role(allow("dynamodb:*"), allow("kms:Decrypt", key_arn)).client("dynamodb")
    dynamodb.update_item(**update(encrypted, "a"))
    assert dynamodb.get_item(**reading)["Item"]["generation"] == {"N": "1"}


def test_the_key_is_used_by_dynamodb_and_for_the_table_only(make_role: Any, encrypted: str, key_arn: str) -> None:
    def reader(service: str, table: str, account: str) -> Any:
        condition = {
            "StringEquals": {
                "kms:ViaService": f"{service}.us-east-1.amazonaws.com",
                "kms:EncryptionContext:aws:dynamodb:tableName": table,
                "kms:EncryptionContext:aws:dynamodb:subscriberId": account,
            }
        }
        return make_role(allow("dynamodb:*"), allow("kms:Decrypt", key_arn, condition)).client("dynamodb")

    reading = {"TableName": encrypted, "Key": key("a")}
    reader("dynamodb", encrypted, ACCOUNT).get_item(**reading)
    for use in (("s3", encrypted, ACCOUNT), ("dynamodb", "other", ACCOUNT), ("dynamodb", encrypted, "222233334444")):
        assert "kms:Decrypt" in refused(reader(*use).get_item, **reading)


def test_a_key_is_asked_about_once_for_all_items_of_its_table(encrypted: str, key_arn: str) -> None:
    entries = [{"Update": {"TableName": encrypted, "Key": key(value)}} for value in ("a", "b")]
    actions = [action for action, *_ in needs("TransactWriteItems", {"TransactItems": entries})]
    assert actions == ["dynamodb:UpdateItem", "dynamodb:UpdateItem", "kms:Decrypt"]


def test_a_table_under_a_key_of_aws_s_takes_no_right_to_it(make_role: Any, make_table: Any) -> None:
    for configuration in ({}, {"SSESpecification": {"Enabled": True, "SSEType": "KMS"}}):
        name = make_table(**configuration)
        make_role(allow("dynamodb:*")).client("dynamodb").get_item(TableName=name, Key=key(uuid.uuid4().hex))
