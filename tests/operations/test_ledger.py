"""Patients' items of the ledger: found by the ids in their keys, and deleted."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.searching.traces import Traces
from lambdas.shared.identity import digest
from lambdas.shared.ledger_keys import INDEXES_KEY, outline_key, patient_key, patient_sort_key
from operations.deployed import Connection, Deployed
from operations.forgetting import ledger
from operations.forgetting.ledger import LedgerItem
from tests.operations.buckets import BUCKETS

OBJECT, MEDIA = digest("media", "media/p-1/visit.wav"), digest("media", "media/p-1/visit.wav", "v1")
OTHER_OBJECT, OTHER_MEDIA = digest("media", "media/p-2/visit.wav"), digest("media", "media/p-2/visit.wav", "v1")
TRANSCRIPT, OTHER_TRANSCRIPT = f"{MEDIA}-0123abcd", f"{OTHER_MEDIA}-0123abcd"
TRACES = Traces(["p-1"], [OBJECT, MEDIA])
MINE: list[dict[str, Any]] = [
    {"pk": f"object#{OBJECT}", "sequence": 3, "version": MEDIA, "consent": True},
    {"pk": f"claim#{TRANSCRIPT}", "execution": "drop-1", "jobs": {OTHER_OBJECT}},
]
ANOTHERS: list[dict[str, Any]] = [
    {"pk": INDEXES_KEY, "indexes": json.dumps([{"name": "1"}, {"name": "2"}])},
    {"pk": f"object#{OTHER_OBJECT}", "sequence": 1, "recorded": OTHER_TRANSCRIPT},
    {"pk": f"claim#{OTHER_TRANSCRIPT}", "execution": "drop-1"},
    {"pk": "execution#drop-1", "generation": 1, "jobs": {"base"}},
    {"pk": "job#base", "id": "1", "output": json.dumps({"output_uri": "s3://clinical/entities/1/"})},
]
MEMBERS_MINE: list[dict[str, Any]] = [
    {"pk": "index#2", "sk": OBJECT, "user_id": "p-1"},
    {"pk": outline_key("p-1"), "sk": "p-1", "user_id": "p-1", "expires_at": 1},
]
MEMBERS_ANOTHERS: list[dict[str, Any]] = [
    {"pk": "index#2", "sk": OTHER_OBJECT, "user_id": "p-12"},
    {"pk": outline_key("P-1"), "sk": "P-1", "user_id": "P-1"},
]


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        create_table("members", pk="HASH", sk="RANGE")
        yield create_table("ledger", pk="HASH")


def create_table(name: str, **keys: str) -> Any:
    resource: Any = boto3.resource("dynamodb")
    return resource.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def members(table: Any) -> Any:
    resource: Any = boto3.resource("dynamodb")
    return resource.Table("members")


@pytest.fixture
def deployed(table: Any) -> Deployed:
    connection = Connection(boto3.Session(), None)
    return Deployed(
        connection,
        "clinical-media-dev",
        BUCKETS,
        "ledger",
        "members",
        "",
        {},
    )


def put(table: Any, *items: dict[str, Any]) -> None:
    for item in items:
        table.put_item(Item=item)


def keys(table: Any) -> set[str]:
    return {item["pk"] for item in table.scan()["Items"]}


def names(items: Iterable[LedgerItem]) -> set[tuple[str, ...]]:
    return {tuple(item.key.values()) for item in items}


def items_of(deployed: Deployed) -> list[LedgerItem]:
    return ledger.items_of(deployed, ["p-1"], [OBJECT], [TRANSCRIPT, f"{MEDIA}-ffffffff"])


def test_the_items_of_the_patients_recordings_go_and_all_others_stay(table: Any, deployed: Deployed) -> None:
    put(table, *MINE, *ANOTHERS)
    found = items_of(deployed)
    assert names(found) == {(item["pk"],) for item in MINE}
    ledger.delete_items(deployed, found)
    assert keys(table) == {item["pk"] for item in ANOTHERS}
    ledger.delete_items(deployed, found)
    assert items_of(deployed) == []


def test_the_patient_is_a_member_of_nothing_any_more_and_all_others_are(
    table: Any, members: Any, deployed: Deployed
) -> None:
    put(table, *ANOTHERS)
    put(members, *MEMBERS_MINE, *MEMBERS_ANOTHERS)
    ledger.delete_items(deployed, items_of(deployed))
    assert {(item["pk"], item["sk"]) for item in members.scan()["Items"]} == {
        (item["pk"], item["sk"]) for item in MEMBERS_ANOTHERS
    }


def test_the_executions_of_a_patient_are_found_without_any_others(members: Any, deployed: Deployed) -> None:
    for user_id, media_id, execution in (("p-1", MEDIA, "drop-1"), ("p-1", MEDIA, "again"), ("p-2", OTHER_MEDIA, "x")):
        item = {"user_id": user_id, "object_id": OBJECT, "transcript_id": TRANSCRIPT}
        put(members, {"pk": patient_key(user_id), "sk": patient_sort_key(media_id, execution), **item})
    found = ledger.namings(deployed, ["p-1"])
    assert {naming[1:] for naming in found} == {
        ("p-1", "drop-1", MEDIA, OBJECT, TRANSCRIPT),
        ("p-1", "again", MEDIA, OBJECT, TRANSCRIPT),
    }
    assert all(ledger.is_about(deployed, naming.item, TRACES) for naming in found)


def test_people_whose_ids_are_easily_confused_are_found(members: Any, deployed: Deployed) -> None:
    put(members, *MEMBERS_MINE, *MEMBERS_ANOTHERS)
    assert ledger.alike(deployed, "p-l") == {"p-1", "P-1"}
    assert ledger.alike(deployed, "p-2") == set()


def test_the_outputs_of_ended_jobs_are_found(table: Any, deployed: Deployed) -> None:
    put(table, *ANOTHERS, {"pk": "job#running", "id": "2"})
    assert ledger.outputs_of_jobs(deployed, ["base", "running", "absent"]) == ["s3://clinical/entities/1/"]


@pytest.mark.parametrize(
    ("item", "is_theirs"),
    [
        ({"pk": f"object#{OBJECT}"}, True),
        ({"pk": f"claim#{TRANSCRIPT}"}, True),
        ({"pk": "execution#p-1.again"}, False),
        ({"pk": f"claim#{OTHER_TRANSCRIPT}"}, False),
        ({"pk": "job#base"}, False),
        ({"pk": "index#0", "sk": OBJECT, "user_id": "p-1"}, True),
        # Of a recording that nothing else tells of.
        ({"pk": "index#0", "sk": OTHER_OBJECT, "user_id": "p-1"}, True),
        ({"pk": outline_key("p-1"), "sk": "p-1", "user_id": "p-1"}, True),
        ({"pk": patient_key("p-1"), "sk": patient_sort_key(OTHER_MEDIA, "drop-1"), "user_id": "p-1"}, True),
        ({"pk": patient_key("p-2"), "sk": patient_sort_key(OTHER_MEDIA, "p-1"), "user_id": "p-2"}, False),
        ({"pk": "index#0", "sk": OTHER_OBJECT, "user_id": "p-2"}, False),
    ],
)
def test_an_item_that_a_search_finds_is_deleted_only_if_it_is_about_the_patient_alone(
    table: Any, members: Any, deployed: Deployed, item: dict[str, str], is_theirs: bool
) -> None:
    of_members = "sk" in item
    put(members if of_members else table, item)
    key = {name: value for name, value in item.items() if name in ("pk", "sk")}
    found = LedgerItem("members" if of_members else "ledger", key)
    assert ledger.is_about(deployed, found, TRACES) is is_theirs
    assert str(found) == f"the item {' '.join(key.values())} of the table {found.table}"
