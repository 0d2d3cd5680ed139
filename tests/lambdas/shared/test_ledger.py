from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.shared import ledger
from lambdas.shared.ledger import Change, read_item, read_items, read_partition, write, write_together, write_with


@pytest.fixture(autouse=True)
def no_pauses(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "pause", lambda attempt: None)


@pytest.fixture
def refusing(stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(ledger.dynamodb)


def test_an_item_is_read_as_it_was_written() -> None:
    written = {"text": "a", "empty": "", "number": 5, "yes": True, "no": False, "names": {"b", "a"}}
    assert write(Change("x#1", put=written)) == {"pk": "x#1", **written}
    assert read_item("x#1") == {"pk": "x#1", **written}


def test_what_is_not_there_is_left_out() -> None:
    write(Change("x#1", put={"text": "a"}))
    assert [*read_items(["x#1", "x#2", "x#1"])] == ["x#1"]
    assert read_item("x#2") == {}


def test_more_items_are_read_than_one_call_takes() -> None:
    keys = [f"x#{number}" for number in range(205)]
    for key in keys:
        write(Change(key, put={"text": key}))
    assert {key: item["text"] for key, item in read_items(keys).items()} == dict(zip(keys, keys, strict=True))


def test_numbers_and_sets_are_added_to_what_is_there_or_to_nothing() -> None:
    assert write(Change("x#1", add={"number": 1, "names": {"a"}})) == {"pk": "x#1", "number": 1, "names": {"a"}}
    assert write(Change("x#1", add={"number": 1, "names": {"b"}}, put={"text": "t"}, remove=["other"])) == {
        "pk": "x#1", "number": 2, "names": {"a", "b"}, "text": "t",
    }  # fmt: skip


def test_an_item_with_a_sort_key_is_in_the_members_table_until_it_is_deleted() -> None:
    for sort in ("b", "a"):
        write(Change("x#1", sort=sort, put={"text": sort}))
    write(Change("x#2", sort="c", put={"text": "c"}))
    assert read_item("x#1") == {}
    assert [*read_partition("x#1")] == [{"pk": "x#1", "sk": sort, "text": sort} for sort in ("a", "b")]
    assert write_together([Change("x#3", put={"text": "t"}), Change("x#1", sort="a", delete=True)])
    assert [item["sk"] for item in read_partition("x#1")] == ["b"]


def test_all_pages_of_a_partition_are_read() -> None:
    for number in range(60):
        write(Change("x#1", sort=f"{number:02}", put={"text": "t" * 40_000}))
    assert len([*read_partition("x#1")]) == 60


def test_a_change_is_made_with_others_or_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Change("x#1", sort="a", put={"text": "t"})
    assert write_with(Change("x#1", put={"text": "t"}), [other])
    assert not write_with(Change("x#1", put={"text": "t"}, expected={"text": None}), [other])
    monkeypatch.setattr(ledger, "write_together", None)
    assert write_with(Change("x#2", put={"text": "t"}), [])


@pytest.mark.parametrize(
    ("expected", "is_written"),
    [
        ({"number": 1}, True),
        ({"number": 2}, False),
        ({"number": None}, False),
        ({"absent": None, "number": 1}, True),
        ({"absent": None, "number": 2}, False),
        ({"absent": "x"}, False),
    ],
)
def test_a_change_is_made_only_if_the_item_is_as_expected(expected: dict[str, Any], is_written: bool) -> None:
    write(Change("x#1", put={"number": 1}))
    answer = write(Change("x#1", put={"number": 9}, expected=expected))
    assert (answer is not None, read_item("x#1")["number"]) == ((True, 9) if is_written else (False, 1))


def test_changes_are_made_together_or_not_at_all() -> None:
    write(Change("fence", put={"generation": 1}))
    check = Change("fence", expected={"generation": 1})
    assert write_together([check, Change("x#1", put={"text": "a"}), Change("x#2", remove=["text"])])
    assert not write_together(
        [check, Change("x#1", put={"text": "b"}), Change("x#2", put={"t": "b"}, expected={"t": "a"})]
    )
    assert not write_together([Change("fence", expected={"generation": 2}), Change("x#1", put={"text": "b"})])
    assert (read_item("x#1")["text"], read_item("fence")["generation"]) == ("a", 1)


def test_what_dynamodb_leaves_unread_is_read_again(refusing: Stubber) -> None:
    table = "ledger-table"
    left = {"Responses": {}, "UnprocessedKeys": {table: {"Keys": [{"pk": {"S": "x#2"}}], "ConsistentRead": True}}}
    refusing.add_response("batch_get_item", {**left, "Responses": {table: [{"pk": {"S": "x#1"}}]}})
    refusing.add_response(
        "batch_get_item",
        {"Responses": {table: [{"pk": {"S": "x#2"}}]}, "UnprocessedKeys": {}},
        {"RequestItems": {table: {"Keys": [{"pk": {"S": "x#2"}}], "ConsistentRead": True}}},
    )
    assert [*read_items(["x#1", "x#2"])] == ["x#1", "x#2"]


def test_what_is_never_read_fails_the_step(refusing: Stubber) -> None:
    unread = {"ledger-table": {"Keys": [{"pk": {"S": "x#1"}}]}}
    for _ in range(ledger.MAXIMUM_ATTEMPTS):
        refusing.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": unread})
    with pytest.raises(RuntimeError, match="1 of 1 items unread"):
        read_item("x#1")


def test_a_write_that_met_another_is_repeated(refusing: Stubber) -> None:
    refusing.add_client_error("update_item", "TransactionConflictException")
    refusing.add_response("update_item", {"Attributes": {"pk": {"S": "x#1"}}})
    assert write(Change("x#1", put={"text": "a"})) == {"pk": "x#1"}


def canceled(refusing: Stubber, *codes: str) -> None:
    reasons = [{"Code": code} for code in codes]
    fields = {"CancellationReasons": reasons}
    refusing.add_client_error("transact_write_items", "TransactionCanceledException", modeled_fields=fields)


def test_a_transaction_that_met_another_is_repeated_and_one_that_is_refused_is_not(refusing: Stubber) -> None:
    canceled(refusing, "None", "TransactionConflict")
    canceled(refusing, "ThrottlingError", "None")
    canceled(refusing, "ConditionalCheckFailed", "TransactionConflict")
    assert not write_together([Change("x#1", put={"text": "a"}), Change("x#2", put={"text": "a"})])


def test_a_transaction_that_can_never_succeed_fails(refusing: Stubber) -> None:
    canceled(refusing, "ValidationError", "None")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        write_together([Change("x#1", put={"text": "a"})])


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_missing_right_is_not_taken_for_a_refusal(refusing: Stubber, code: str) -> None:
    refusing.add_client_error("update_item", code)
    with pytest.raises(ClientError, match=code):
        write(Change("x#1", put={"text": "a"}, expected={"text": None}))


def test_reads_are_consistent(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    client = boto3.client("dynamodb")
    monkeypatch.setattr(ledger, "dynamodb", client)
    client.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
    read_item("x#1")
    assert [request["RequestItems"]["ledger-table"]["ConsistentRead"] for request in asked] == [True]
