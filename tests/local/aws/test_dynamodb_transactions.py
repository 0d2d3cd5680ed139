import uuid
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws import dynamodb_transactions
from local.server import LocalAws


@pytest.fixture
def table(make_table: Any) -> Any:
    return make_table()


def counting(table: str, by: int = 1, **more: Any) -> Any:
    update = {
        "TableName": table,
        "Key": {"pk": {"S": "x"}},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": str(by)}},
        **more,
    }
    return [{"Update": update}]


def counted(local_aws: LocalAws, table: str) -> int:
    item = local_aws.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "x"}}).get("Item")
    return int(item["n"]["N"]) if item else 0


def test_a_transaction_that_is_sent_twice_is_done_once(local_aws: LocalAws, table: str) -> None:
    dynamodb, token = local_aws.client("dynamodb"), uuid.uuid4().hex
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=counting(table), ClientRequestToken=token)
    assert counted(local_aws, table) == 1
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=counting(table), ClientRequestToken=uuid.uuid4().hex)
    assert counted(local_aws, table) == 3


def test_a_transaction_whose_answer_is_lost_is_done_once_by_the_sdk_s_retry(local_aws: LocalAws, table: str) -> None:
    fault = local_aws.faults.inject("dynamodb", "TransactWriteItems", "drop_after")
    client = local_aws.client("dynamodb", config=Config(retries={"total_max_attempts": 3}))
    client.transact_write_items(TransactItems=counting(table))
    local_aws.faults.clear()
    assert fault.fired == 1
    assert counted(local_aws, table) == 1


def test_a_token_with_something_else_is_refused(local_aws: LocalAws, table: str) -> None:
    dynamodb, token = local_aws.client("dynamodb"), uuid.uuid4().hex
    dynamodb.transact_write_items(TransactItems=counting(table), ClientRequestToken=token)
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        dynamodb.transact_write_items(TransactItems=counting(table, by=2), ClientRequestToken=token)
    assert counted(local_aws, table) == 1


def test_a_token_is_forgotten_after_its_time(local_aws: LocalAws, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb, token = local_aws.client("dynamodb"), uuid.uuid4().hex
    dynamodb.transact_write_items(TransactItems=counting(table), ClientRequestToken=token)
    monkeypatch.setattr(dynamodb_transactions, "VALID_SECONDS", 0)
    dynamodb.transact_write_items(TransactItems=counting(table, by=2), ClientRequestToken=token)
    assert counted(local_aws, table) == 3


def test_a_transaction_that_was_cancelled_is_tried_again_under_its_token(local_aws: LocalAws, table: str) -> None:
    dynamodb, token = local_aws.client("dynamodb"), uuid.uuid4().hex
    request = {
        "TransactItems": counting(table, ConditionExpression="attribute_exists(pk)"),
        "ClientRequestToken": token,
    }
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(**request)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "x"}})
    dynamodb.transact_write_items(**request)
    assert counted(local_aws, table) == 1
