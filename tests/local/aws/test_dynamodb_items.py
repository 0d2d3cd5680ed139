import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from local.aws.credentials import ACCOUNT_ID
from local.server import LocalAws

ONE = {":one": {"N": "1"}}


class Items:
    """The items of one table, whose key is `pk`."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self.dynamodb, self.table = dynamodb, table

    def named(self, key: str, **more: Any) -> Any:
        return {"TableName": self.table, "Key": {"pk": {"S": key}}, **more}

    def update(self, key: str, expression: str, values: Any, **more: Any) -> Any:
        request = self.named(key, UpdateExpression=expression, ExpressionAttributeValues=values, **more)
        return self.dynamodb.update_item(**request).get("Attributes")

    def get(self, key: str) -> Any:
        item = self.dynamodb.get_item(**self.named(key), ConsistentRead=True).get("Item", {})
        return {name: value for name, value in item.items() if name != "pk"}

    def transact(self, *entries: Any) -> Any:
        return self.dynamodb.transact_write_items(TransactItems=list(entries))

    def updating(self, key: str, expression: str, values: Any, **more: Any) -> Any:
        return {"Update": self.named(key, UpdateExpression=expression, ExpressionAttributeValues=values, **more)}

    def checking(self, key: str, condition: str, **more: Any) -> Any:
        return {"ConditionCheck": self.named(key, ConditionExpression=condition, **more)}


@pytest.fixture
def items(local_aws: LocalAws, make_table: Any) -> Items:
    return Items(local_aws.client("dynamodb"), make_table())


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads that take turns far more often than they do otherwise."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def failure(call: Any, *arguments: Any, **more: Any) -> Any:
    with pytest.raises(ClientError) as error:
        call(*arguments, **more)
    return error.value.response


def test_numbers_and_sets_are_added_to_items_that_are_there_and_that_are_not(items: Items) -> None:
    added = {":one": {"N": "1"}, ":jobs": {"SS": ["b", "a"]}}
    new = items.update("x", "ADD generation :one, jobs :jobs", added, ReturnValues="ALL_NEW")
    assert new["pk"] == {"S": "x"}
    assert (new["generation"], sorted(new["jobs"]["SS"])) == ({"N": "1"}, ["a", "b"])
    added[":jobs"] = {"SS": ["b", "c"]}
    new = items.update("x", "ADD generation :one, jobs :jobs", added, ReturnValues="ALL_NEW")
    assert (new["generation"], sorted(new["jobs"]["SS"])) == ({"N": "2"}, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("condition", "there", "missing"),
    [
        ("attribute_exists(pk)", True, False),
        ("attribute_not_exists(pk)", False, True),
        ("n = :zero", True, False),
        ("n <> :zero", False, True),
        ("n < :one", True, False),
        ("n >= :one", False, False),
        ("attribute_not_exists(n) OR n < :one", True, True),
        ("NOT contains(jobs, :job)", False, True),
    ],
)
def test_a_condition_holds_of_an_item_that_is_there_and_of_one_that_is_missing(
    items: Items, condition: str, there: bool, missing: bool
) -> None:
    items.update("there", "SET n = :zero, jobs = :jobs", {":zero": {"N": "0"}, ":jobs": {"SS": ["a"]}})
    values = {":zero": {"N": "0"}, ":one": {"N": "1"}, ":job": {"S": "a"}}
    used = {name: value for name, value in values.items() if name in condition}
    for key, holds in (("there", there), ("missing", missing)):
        request = items.named(key, UpdateExpression="SET seen = :seen", ConditionExpression=condition)
        request["ExpressionAttributeValues"] = used | {":seen": {"BOOL": True}}
        if holds:
            items.dynamodb.update_item(**request)
        else:
            refused = failure(items.dynamodb.update_item, **request)
            assert refused["Error"]["Code"] == "ConditionalCheckFailedException"
        assert ("seen" in items.get(key)) is holds


def test_a_condition_that_does_not_hold_gives_the_item_if_it_is_asked_to(items: Items) -> None:
    items.update("x", "SET n = :one", ONE)
    request = items.named("x", UpdateExpression="REMOVE n", ConditionExpression="attribute_not_exists(pk)")
    assert "Item" not in failure(items.dynamodb.update_item, **request)
    refused = failure(items.dynamodb.update_item, **request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert refused["Item"] == {"pk": {"S": "x"}, "n": {"N": "1"}}


def test_an_update_that_fails_changes_nothing(items: Items) -> None:
    wrong = {":text": {"S": "t"}, ":one": {"N": "1"}}
    items.update("x", "SET jobs = :jobs", {":jobs": {"SS": ["a"]}})
    for key in ("x", "missing"):
        before = items.get(key)
        refused = failure(items.update, key, "SET n = :one ADD jobs :text", wrong)
        assert refused["Error"]["Code"] == "ValidationException"
        assert items.get(key) == before
    scanned = items.dynamodb.scan(TableName=items.table)["Items"]
    assert [item["pk"] for item in scanned] == [{"S": "x"}]


@pytest.mark.parametrize("expression", ["SET jobs = :jobs", "ADD jobs :jobs"])
@pytest.mark.parametrize(("jobs", "reason"), [([], "may not be empty"), (["a", "a"], "contains duplicates")])
def test_a_set_is_neither_empty_nor_has_a_value_twice(
    items: Items, expression: str, jobs: list[str], reason: str
) -> None:
    values = {":jobs": {"SS": jobs}}
    with pytest.raises(ClientError, match=f"ValidationException.*{reason}"):
        items.update("x", expression, values)
    with pytest.raises(ClientError, match=f"ValidationException.*{reason}"):
        items.transact(items.updating("x", expression, values))
    assert items.get("x") == {}


def test_a_set_inside_a_map_is_held_to_the_same(items: Items) -> None:
    with pytest.raises(ClientError, match="may not be empty"):
        items.update("x", "SET produced = :m", {":m": {"M": {"names": {"SS": []}}}})
    # Its name is that of a set, but its value isn't one.
    items.update("x", "SET produced = :m", {":m": {"M": {"SS": {"L": []}}}})
    assert items.get("x") == {"produced": {"M": {"SS": {"L": []}}}}


def test_an_item_has_at_most_400_kb_also_if_it_grows_by_its_set(items: Items) -> None:
    names = [f"{number:0100}" for number in range(4095)]
    items.update("x", "ADD jobs :jobs", {":jobs": {"SS": names[:2000]}})
    items.update("x", "ADD jobs :jobs", {":jobs": {"SS": names[2000:]}})
    refused = failure(items.update, "x", "ADD jobs :jobs", {":jobs": {"SS": ["z" * 100]}})
    assert refused["Error"]["Code"] == "ValidationException"
    assert "Item size to update has exceeded" in refused["Error"]["Message"]
    assert len(items.get("x")["jobs"]["SS"]) == 4095


def test_a_batch_reads_a_hundred_items_in_an_order_of_its_own(items: Items) -> None:
    keys = [{"pk": {"S": f"{number:03}"}} for number in range(101)]
    for key in keys[:3]:
        items.dynamodb.put_item(TableName=items.table, Item=key)
    wanted = {items.table: {"Keys": keys[:100], "ConsistentRead": True}}
    answer = items.dynamodb.batch_get_item(RequestItems=wanted)
    assert answer["Responses"][items.table] == [keys[2], keys[1], keys[0]]
    assert answer["UnprocessedKeys"] == {}
    wanted[items.table]["Keys"] = keys
    assert failure(items.dynamodb.batch_get_item, RequestItems=wanted)["Error"]["Code"] == "ValidationException"


def test_a_transaction_writes_all_of_its_items_or_none(items: Items) -> None:
    items.update("execution", "SET generation = :one", ONE)
    fence = items.checking("execution", "generation = :one", ExpressionAttributeValues=ONE)
    items.transact(fence, items.updating("claim", "ADD n :one", ONE))
    assert items.get("claim") == {"n": {"N": "1"}}

    items.update("execution", "ADD generation :one", ONE)
    fence["ConditionCheck"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    for entries in (
        [fence, items.updating("claim", "ADD n :one", ONE)],
        [items.updating("claim", "ADD n :one", ONE), items.updating("new", "ADD n :one", ONE), fence],
    ):
        cancelled = failure(items.transact, *entries)
        assert cancelled["Error"]["Code"] == "TransactionCanceledException"
        item = {"pk": {"S": "execution"}, "generation": {"N": "2"}}
        failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item}
        reasons = [failed if entry is fence else {"Code": "None"} for entry in entries]
        assert cancelled["CancellationReasons"] == reasons
    assert items.get("claim") == {"n": {"N": "1"}}
    assert items.get("new") == {}


def test_a_transaction_puts_and_deletes(items: Items) -> None:
    items.update("old", "SET n = :one", ONE)
    items.transact(
        {"Put": {"TableName": items.table, "Item": {"pk": {"S": "new"}, "n": {"N": "5"}}}},
        {"Delete": items.named("old", ConditionExpression="n = :one", ExpressionAttributeValues=ONE)},
    )
    assert (items.get("new"), items.get("old")) == ({"n": {"N": "5"}}, {})


def test_a_table_of_two_keys_keeps_what_a_transaction_is_not_about(local_aws: LocalAws) -> None:
    dynamodb = local_aws.client("dynamodb")
    names = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName="sorted",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )
    keys = [{"pk": {"S": "p"}, "sk": {"S": str(number)}} for number in range(3)]
    for key in keys:
        dynamodb.put_item(TableName="sorted", Item=key)
    dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "sorted", "Key": keys[1]}}])
    assert dynamodb.scan(TableName="sorted")["Items"] == [keys[0], keys[2]]


def test_two_operations_on_one_item_are_no_transaction(items: Items) -> None:
    entries = [items.updating("x", "ADD n :one", ONE), items.checking("x", "attribute_not_exists(pk)")]
    assert failure(items.transact, *entries)["Error"]["Code"] == "ValidationException"
    assert items.get("x") == {}


def test_a_transaction_takes_as_long_over_many_items_as_over_few(items: Items) -> None:
    def seconds() -> float:
        begun = time.perf_counter()
        for number in range(20):
            items.transact(items.updating(f"{number}", "ADD n :one", ONE))
        return time.perf_counter() - begun

    few = seconds()
    table = dynamodb_backends[ACCOUNT_ID]["us-east-1"].tables[items.table]
    for number in range(20_000):
        table.put_item({"pk": {"S": f"claim#{number}"}, "jobs": {"SS": ["a", "b"]}})
    # moto's takes a hundred times as long.
    assert seconds() < few * 10


def test_writes_that_meet_are_written_one_after_another(items: Items, impatient: None) -> None:
    won: list[int] = []

    def take(number: int) -> None:
        for generation in range(25):
            request = items.named("x", UpdateExpression="SET generation = :next, taker = :taker")
            request["ExpressionAttributeValues"] = {
                ":next": {"N": str(generation + 1)},
                ":now": {"N": str(generation)},
                ":taker": {"N": str(number)},
            }
            request["ConditionExpression"] = "generation = :now"
            try:
                items.dynamodb.update_item(**request)
                won.append(generation)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"
            items.transact(items.updating("all", "ADD n :one", ONE))

    items.update("x", "SET generation = :zero", {":zero": {"N": "0"}})
    takers = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len(won) == len(set(won))
    assert items.get("all") == {"n": {"N": "100"}}


def test_moto_still_calls_what_is_replaced(local_aws: LocalAws) -> None:
    assert "update_item" in DynamoHandler.update_item.__wrapped__.__code__.co_names  # type: ignore[attr-defined]
    for name in ("update_item", "transact_write_items"):
        assert getattr(DynamoDBBackend, name).__module__ == "local.aws.dynamodb_items"
