"""The table in memory answers as moto's does."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.simulation.aws import LEDGER, Refused
from tests.simulation.expressions import placeholders
from tests.simulation.tables import CONFLICT, THROTTLED, UNPROCESSED, Tables

KEYS = ("execution#E1", "claim#a", "object#b")
CONDITIONS = (
    *("", "attribute_not_exists(pk)", "attribute_exists(pk) AND generation = :number"),
    *("attribute_not_exists(generation) OR generation = :number", "execution <> :text", "NOT contains(jobs, :text)"),
    *("generation < :number OR (execution = :text AND generation >= :number)", "begins_with(execution, :text)"),
    *("execution = :yes", "#sequence = :number", "attribute_not_exists(#sequence)"),
)
UPDATES = (
    *("SET execution = :text", "SET execution = :text, consent = :yes", "ADD generation :number"),
    *("ADD generation :number, jobs :names", "DELETE jobs :names", "REMOVE execution, jobs"),
    *("SET #sequence = if_not_exists(#sequence, :number) + :number REMOVE execution ADD jobs :names",),
    # Not of a number that a condition compares: moto raises TypeError where it meets a text instead.
    *("SET #sequence = #sequence - :number", "SET copied = execution", "ADD execution :names"),
)
TEXTS, NUMBERS = ("", "E", "E1"), ("0", "1", "1.0", "12")
FIRST = {
    "pk": {"S": "execution#E1"},
    "execution": {"S": "E1"},
    "jobs": {"SS": ["a", "b"]},
    "consent": {"BOOL": True},
    "generation": {"N": "1"},
    "sequence": {"N": "12"},
}
DELETED = {"TableName": LEDGER, "Key": {"pk": FIRST["pk"]}}


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=LEDGER,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def named(key: str) -> dict[str, Any]:
    return {"pk": {"S": key}}


@st.composite
def wanted(draw: st.DrawFn, *, update: bool) -> dict[str, Any]:
    """The parameters of an update, or of nothing but a condition, with what its placeholders stand for."""
    texts = {"ConditionExpression": draw(st.sampled_from(CONDITIONS if update else CONDITIONS[1:]))}
    if update:
        texts["UpdateExpression"] = draw(st.sampled_from(UPDATES))
    used = placeholders(*texts.values())
    values = {
        ":text": {"S": draw(st.sampled_from(TEXTS))},
        ":number": {"N": draw(st.sampled_from(NUMBERS))},
        ":names": {"SS": draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))},
        ":yes": {"BOOL": draw(st.booleans())},
    }
    given_values = {name: value for name, value in values.items() if name in used}
    whole = {
        "TableName": LEDGER,
        "Key": named(draw(st.sampled_from(KEYS))),
        **{name: text for name, text in texts.items() if text},
        **({"ExpressionAttributeValues": given_values} if given_values else {}),
        **({"ExpressionAttributeNames": {"#sequence": "sequence"}} if "#sequence" in used else {}),
    }
    if "ConditionExpression" in whole and draw(st.booleans()):
        whole["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return whole


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    operation = draw(st.sampled_from(("update_item", "update_item", "transact_write_items", "delete_item", "put_item")))
    if operation == "transact_write_items":
        actions = draw(
            st.lists(
                st.one_of(
                    wanted(update=True).map(lambda action: {"Update": action}),
                    wanted(update=False).map(lambda action: {"ConditionCheck": action}),
                ),
                min_size=1,
                max_size=3,
                unique_by=lambda action: str([item["Key"] for item in action.values()]),
            )
        )
        return operation, {"TransactItems": actions}
    whole = draw(wanted(update=operation == "update_item"))
    if operation == "put_item":
        whole["Item"] = whole.pop("Key") | {"generation": {"N": draw(st.sampled_from(NUMBERS))}}
    return operation, whole | {"ReturnValues": draw(st.sampled_from(("NONE", "ALL_OLD")))}


def answer(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    """What both say alike: what is returned, or why not."""
    response: dict[str, Any]
    try:
        told = getattr(client, operation)(**parameters)
    except ClientError as error:
        response = {**error.response}
        code = error.response["Error"]["Code"]
    except Refused as refused:
        code, response = refused.code, refused.response
    else:
        return plain({name: told[name] for name in ("Attributes", "Item", "Items", "Count") if name in told})
    reasons = [{**reason, "Message": ""} for reason in response.get("CancellationReasons", [])]
    return code, plain(reasons), plain(response.get("Item"))


def plain(told: Any) -> Any:
    """Numbers and sets without what their writing leaves open."""
    if isinstance(told, dict):
        if told.keys() == {"N"}:
            return {"N": float(told["N"])}
        if told.keys() == {"SS"}:
            return {"SS": sorted(told["SS"])}
        return {name: plain(value) for name, value in told.items()}
    return [plain(item) for item in told] if isinstance(told, list) else told


def everything(client: Any) -> Any:
    told = answer(client, "scan", {"TableName": LEDGER, "ConsistentRead": True})
    return sorted(told["Items"], key=lambda item: str(item["pk"]))


def begin(*clients: Any) -> None:
    for client in clients:
        for item in client.scan(TableName=LEDGER, ConsistentRead=True)["Items"]:
            client.delete_item(TableName=LEDGER, Key={"pk": item["pk"]})
        client.put_item(TableName=LEDGER, Item=FIRST)


# Each takes a quarter of a second, nearly all of it in moto.
@settings(max_examples=20, deadline=None)
@given(made=st.lists(calls(), min_size=1, max_size=8))
def test_whatever_is_called_moto_answers_the_same(moto: Any, made: list[tuple[str, dict[str, Any]]]) -> None:
    tables = Tables()
    begin(tables, moto)
    for operation, parameters in made:
        assert answer(tables, operation, parameters) == answer(moto, operation, parameters)
        assert everything(tables) == everything(moto)


def update(expression: str, **other: Any) -> dict[str, Any]:
    return {"TableName": LEDGER, "Key": named(KEYS[0]), "UpdateExpression": expression, **other}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("update_item", update("SET output = :id", ExpressionAttributeValues={":id": {"S": "1"}})),
        ("update_item", update("SET id = :id")),
        ("update_item", update("REMOVE id", ExpressionAttributeValues={":id": {"S": "1"}})),
        ("update_item", update("REMOVE id", ExpressionAttributeNames={"#id": "id"})),
        ("update_item", update("SET pk = :id", ExpressionAttributeValues={":id": {"S": "1"}})),
        ("update_item", update("SET id = nothing + :one", ExpressionAttributeValues={":one": {"N": "1"}})),
        ("update_item", update("SET id = :one, id = :one", ExpressionAttributeValues={":one": {"N": "1"}})),
        ("update_item", update("ADD execution :one", ExpressionAttributeValues={":one": {"N": "1"}})),
        ("update_item", update("LET id = :one", ExpressionAttributeValues={":one": {"N": "1"}})),
        ("update_item", update("REMOVE id") | {"TableName": "another"}),
        ("update_item", update("REMOVE id") | {"Key": {"id": {"S": "E1"}}}),
        ("put_item", {"TableName": LEDGER, "Item": {"pk": {"S": ""}}}),
        ("batch_get_item", {"RequestItems": {LEDGER: {"Keys": [named("a")] * 2, "ConsistentRead": True}}}),
        (
            "batch_get_item",
            {"RequestItems": {LEDGER: {"Keys": [named(str(n)) for n in range(101)], "ConsistentRead": True}}},
        ),
        ("transact_write_items", {"TransactItems": [{"Update": update("REMOVE id")}, {"Delete": DELETED}]}),
    ],
)
def test_what_is_not_valid_is_refused_as_moto_refuses_it(moto: Any, operation: str, parameters: dict[str, Any]) -> None:
    tables = Tables()
    begin(tables, moto)
    refused = answer(tables, operation, parameters)
    assert refused == answer(moto, operation, parameters)
    assert refused[0] in ("ValidationException", "ResourceNotFoundException")


@pytest.mark.parametrize(
    "parameters",
    [
        update("ADD jobs :none", ExpressionAttributeValues={":none": {"SS": []}}),
        update("SET #id = :id", ExpressionAttributeValues={":id": {"S": "1"}}),
    ],
    ids=["a set without members", "a name that isn't defined"],
)
def test_the_service_refuses_what_moto_takes_or_stumbles_over(parameters: dict[str, Any]) -> None:
    assert answer(Tables(), "update_item", parameters)[0] == "ValidationException"


def batch(*keys: str) -> dict[str, Any]:
    return {LEDGER: {"Keys": [named(key) for key in keys], "ConsistentRead": True}}


def test_a_batch_is_answered_in_another_order_than_that_of_its_keys_and_may_be_answered_in_part() -> None:
    tables = Tables()
    for key in KEYS:
        tables.put_item(TableName=LEDGER, Item=named(key))
    whole = tables.batch_get_item(batch("nothing", *KEYS))
    assert whole == {"Responses": {LEDGER: [named(key) for key in reversed(KEYS)]}, "UnprocessedKeys": {}}
    partial = Tables(lambda kind: kind == UNPROCESSED)
    partial.items = tables.items
    first = partial.batch_get_item(batch(*KEYS))
    assert first == {"Responses": {LEDGER: [named(KEYS[0])]}, "UnprocessedKeys": batch(*KEYS[1:])}


@pytest.mark.parametrize(
    ("kind", "operation", "codes"),
    [
        (THROTTLED, "update_item", ["ThrottlingException"]),
        (CONFLICT, "update_item", ["TransactionConflictException"]),
        (THROTTLED, "transact_write_items", ["TransactionCanceledException", "None", "ThrottlingError"]),
        (CONFLICT, "transact_write_items", ["TransactionCanceledException", "None", "TransactionConflict"]),
    ],
)
def test_a_write_that_something_is_wrong_with_changes_nothing(kind: str, operation: str, codes: list[str]) -> None:
    tables = Tables(lambda fault: fault == kind)
    check = {"TableName": LEDGER, "Key": named(KEYS[1]), "ConditionExpression": "attribute_not_exists(pk)"}
    actions = {"TransactItems": [{"Update": update("REMOVE id")}, {"ConditionCheck": check}]}
    with pytest.raises(Refused) as refused:
        getattr(tables, operation)(**(actions if operation == "transact_write_items" else update("REMOVE id")))
    reasons = refused.value.response.get("CancellationReasons", [])
    assert [refused.value.code, *(reason["Code"] for reason in reasons)] == codes
    assert tables.items == {}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_item", {"TableName": LEDGER, "Key": named("a")}),
        ("get_item", {"TableName": LEDGER, "Key": named("a"), "ConsistentRead": True, "ProjectionExpression": "id"}),
        ("update_item", update("SET id.part = :id", ExpressionAttributeValues={":id": {"S": "1"}})),
        ("update_item", update("SET id = list_append(id, :id)", ExpressionAttributeValues={":id": {"S": "1"}})),
        ("update_item", update("REMOVE id", ConditionExpression="size(id)")),
        ("update_item", update("REMOVE id", ReturnValues="UPDATED_NEW")),
    ],
)
def test_what_it_has_no_fake_of_is_named(operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match="tests/simulation"):
        getattr(Tables(), operation)(**parameters)
