"""What a client's caller sees of a call that goes wrong, and what of a call others may meet."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from tests.interleavings.circumstances import REPEATED, Options
from tests.interleavings.decisions import FAULT, Decisions
from tests.interleavings.executions import Execution
from tests.interleavings.sharing import Touch, touches_of
from tests.interleavings.world import World, new_world
from tests.simulation.aws import CLINICAL, LEDGER, MEMBERS
from tests.simulation.tables import CONFLICT

ITEM = {"TableName": LEDGER, "Key": {"pk": {"S": "execution#E1"}}}
ONE_MORE = ITEM | {"UpdateExpression": "ADD generation :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
FIRST_TIME = ONE_MORE | {"ConditionExpression": "attribute_not_exists(pk)"}


class Faulty(Decisions):
    """Whatever may go wrong does."""

    def _choose(self, name: str, kind: str, options: int) -> int:
        return int(kind == FAULT)


def asked(fault: str, service: Any, operation: str, parameters: dict[str, Any]) -> tuple[World, Any]:
    """The world, and what an execution whose one call has this fault was answered."""
    answers: list[Any] = []

    def work() -> None:
        client = boto3.client(service)
        try:
            answers.append(getattr(client, operation)(**parameters))
        except client.exceptions.ClientError as error:
            answers.append(error.response)

    with new_world(Faulty(), options=Options(faults=Counter({fault: 1}))) as world:
        world.executions["E1"] = cast(Execution, SimpleNamespace(is_zombie=lambda actor: False))
        world.act("E1", work)
        world.run()
    (answer,) = answers
    return world, answer


def test_a_write_whose_answer_is_lost_is_made_twice() -> None:
    world, answer = asked(REPEATED, "dynamodb", "update_item", ONE_MORE | {"ReturnValues": "ALL_NEW"})
    assert answer["Attributes"]["generation"] == world.tables.items["execution#E1"]["generation"] == {"N": "2"}


def test_a_conditional_write_whose_answer_is_lost_is_refused_and_written() -> None:
    world, answer = asked(REPEATED, "dynamodb", "update_item", FIRST_TIME)
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    assert world.tables.items["execution#E1"]["generation"] == {"N": "1"}


def test_a_transaction_whose_answer_is_lost_is_carried_out_once() -> None:
    """The SDK gives it a token, and repeats that."""
    world, answer = asked(REPEATED, "dynamodb", "transact_write_items", {"TransactItems": [{"Update": FIRST_TIME}]})
    assert "Error" not in answer
    assert world.tables.items["execution#E1"]["generation"] == {"N": "1"}


def test_a_new_object_whose_answer_is_lost_is_refused_and_written() -> None:
    parameters = {"Bucket": CLINICAL, "Key": "plan.json", "Body": b"{}", "IfNoneMatch": "*"}
    world, answer = asked(REPEATED, "s3", "put_object", parameters)
    assert answer["Error"]["Code"] == "PreconditionFailed"
    assert world.buckets.keys(CLINICAL) == ["plan.json"]


def test_the_caller_sees_why_a_transaction_was_cancelled() -> None:
    _, answer = asked(CONFLICT, "dynamodb", "transact_write_items", {"TransactItems": [{"Update": FIRST_TIME}]})
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["TransactionConflict"]


CHECKED = ITEM | {"Key": {"pk": {"S": "claim#a"}}, "ConditionExpression": "attribute_exists(pk)"}


@pytest.mark.parametrize(
    ("operation", "parameters", "touched"),
    [
        ("GetItem", ITEM, [("execution#E1", False)]),
        ("UpdateItem", ONE_MORE, [("execution#E1", True)]),
        ("PutItem", {"TableName": LEDGER, "Item": {"pk": {"S": "claim#a"}}}, [("claim#a", True)]),
        (
            "DeleteItem",
            {"TableName": MEMBERS, "Key": {"pk": {"S": "index#1"}, "sk": {"S": "o"}}},
            [("index#1/o", True)],
        ),
        (
            "Query",
            {"TableName": MEMBERS, "ExpressionAttributeValues": {":key": {"S": "index#1"}}},
            [("index#1/", False)],
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"ConditionCheck": CHECKED}, {"Update": ONE_MORE}]},
            [("claim#a", False), ("execution#E1", True)],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {LEDGER: {"Keys": [CHECKED["Key"], ITEM["Key"]]}}},
            [("claim#a", False), ("execution#E1", False)],
        ),
        ("Scan", {}, [("", False)]),
    ],
)
def test_a_call_touches_each_item_that_it_names(
    operation: str, parameters: dict[str, Any], touched: list[tuple[str, bool]]
) -> None:
    there = touches_of("dynamodb", operation, parameters)
    assert list(there) == [Touch(f"dynamodb/{key}", writes) for key, writes in touched]
