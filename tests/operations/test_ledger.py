"""A patient's items of the ledger: found by the ids in their keys, deleted, and proven to be gone."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.searching.traces import Traces
from lambdas.shared.identity import digest
from operations.deployed import Connection, Deployed
from operations.forgetting import ledger

OBJECT, MEDIA = digest("media", "media/p-1/visit.wav"), digest("media", "media/p-1/visit.wav", "v1")
OTHER_OBJECT, OTHER_MEDIA = digest("media", "media/p-2/visit.wav"), digest("media", "media/p-2/visit.wav", "v1")
TRACES = Traces("p-1", [OBJECT, MEDIA])
MINE: list[dict[str, Any]] = [
    {"pk": f"object#{OBJECT}", "sequence": 3, "version": MEDIA, "consent": True},
    {"pk": f"claim#{MEDIA}-0123abcd", "execution": "drop-1", "jobs": {OTHER_OBJECT}},
]
MEMBERS_MINE: list[dict[str, Any]] = [
    {"pk": "index#1", "sk": OBJECT, "user_id": "p-1"},
    {"pk": "outline#0123", "sk": "p-1", "user_id": "p-1", "expires_at": 1},
]
MEMBERS_ANOTHERS: list[dict[str, Any]] = [
    {"pk": "index#1", "sk": OTHER_OBJECT, "user_id": "p-12"},
    {"pk": "outline#0123", "sk": "P-1", "user_id": "P-1"},
]
ANOTHERS: list[dict[str, Any]] = [
    {"pk": f"object#{OTHER_OBJECT}", "sequence": 1, "recorded": f"{OTHER_MEDIA}-0123abcd"},
    {"pk": f"claim#{OTHER_MEDIA}-0123abcd", "execution": "drop-1"},
    {"pk": "execution#drop-1", "generation": 1, "jobs": {"base"}},
    {"pk": "job#base", "id": "1", "output": {"uri": "s3://clinical/entities/1/", "manifest": "Manifest"}},
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
    return Deployed(connection, "clinical-media-dev", (), "media", "clinical", "audience", "ledger", "members", "", {})


def put(table: Any, *items: dict[str, Any]) -> None:
    for item in items:
        table.put_item(Item=item)


def keys(table: Any) -> set[str]:
    return {item["pk"] for item in table.scan()["Items"]}


def test_the_items_of_the_patients_recordings_go_and_all_others_stay(table: Any, deployed: Deployed) -> None:
    put(table, *MINE, *ANOTHERS)
    found = ledger.items_of(deployed, TRACES)
    assert {item.key["pk"] for item in found} == {item["pk"] for item in MINE}
    assert len(ledger.leftovers(deployed, TRACES)[0]) == 2
    ledger.delete_items(deployed, found)
    assert keys(table) == {item["pk"] for item in ANOTHERS}
    assert ledger.leftovers(deployed, TRACES) == ([], len(ANOTHERS))
    ledger.delete_items(deployed, found)


def test_the_patient_is_a_member_of_nothing_any_more_and_all_others_are(members: Any, deployed: Deployed) -> None:
    put(members, *MEMBERS_MINE, *MEMBERS_ANOTHERS)
    found = ledger.items_of(deployed, TRACES)
    assert len(found) == len(ledger.leftovers(deployed, TRACES)[0]) == 2
    ledger.delete_items(deployed, found)
    assert {(item["pk"], item["sk"]) for item in members.scan()["Items"]} == {
        (item["pk"], item["sk"]) for item in MEMBERS_ANOTHERS
    }
    assert ledger.leftovers(deployed, TRACES) == ([], 2)


def test_a_member_item_that_is_left_is_named_by_its_table_and_its_key(members: Any, deployed: Deployed) -> None:
    put(members, MEMBERS_MINE[0])
    assert ledger.leftovers(deployed, TRACES)[0] == [f"the item index#1 {OBJECT} of the table members"]


def test_every_page_is_read(table: Any, deployed: Deployed) -> None:
    # A page of a scan ends after a megabyte.
    put(table, *({"pk": f"job#{number}", "id": "x" * 300_000} for number in range(8)), *MINE)
    assert len(ledger.items_of(deployed, TRACES)) == 2
    assert ledger.leftovers(deployed, TRACES)[1] == 10


@pytest.mark.parametrize(
    "item",
    [
        {"pk": "execution#p-1.again", "generation": 1},
        {"pk": f"claim#{OTHER_MEDIA}-0123abcd", "execution": "p-1"},
        {"pk": f"object#{OTHER_OBJECT}", "recorded": f"{MEDIA}-0123abcd"},
        {"pk": "execution#drop-1", "jobs": {"base", MEDIA}},
        {"pk": "job#base", "output": {"uri": f"s3://clinical/entities/{MEDIA}/", "manifest": "Manifest"}},
    ],
)
def test_whatever_else_names_them_is_left_and_told(item: dict[str, Any], table: Any, deployed: Deployed) -> None:
    put(table, item, {"pk": "execution#again-p-1"}, {"pk": "execution#p-12", "generation": 1})
    assert ledger.leftovers(deployed, TRACES) == ([f"the item {item['pk']} of the table ledger"], 3)


@pytest.mark.parametrize("user_id", ["claim", "execution", "generation", "jobs", "1", "S", "SS", "uri", "pk"])
def test_the_name_of_an_attribute_or_a_number_is_nobodys(user_id: str, table: Any, deployed: Deployed) -> None:
    put(table, *ANOTHERS[:3], {"pk": "job#base", "output": {"uri": "s3://clinical/entities/x/"}})
    assert ledger.leftovers(deployed, Traces(user_id))[0] == []
