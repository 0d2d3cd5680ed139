"""The ledger's items about patients: the plans for their recordings, who works on these, and membership in cohorts.

All are found by their keys, which are derived from the recordings' ids and from the user ids; the search of the tables
(`searching.py`) finds any other.

Sources: DynamoDB API reference, GetItem, Query and DeleteItem.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer

from lambdas.searching.traces import Traces
from lambdas.shared.ledger_keys import (
    INDEXES_KEY,
    analysed_key,
    changed_key,
    claim_key,
    index_key,
    job_key,
    object_key,
    outline_key,
    patient_key,
)
from lambdas.shared.parallel import mapped
from operations.deployed import Deployed

_plain = TypeDeserializer().deserialize


class LedgerItem(NamedTuple):
    """An item by its table and its key."""

    table: str
    key: Mapping[str, str]

    def __str__(self) -> str:
        return f"the item {' '.join(self.key.values())} of the table {self.table}"


class Naming(NamedTuple):
    """A recording of a patient in an execution, and the item that says so."""

    item: LedgerItem
    user_id: str
    execution: str
    media_id: str
    object_id: str
    transcript_id: str


def namings(deployed: Deployed, user_ids: Iterable[str]) -> list[Naming]:
    """The executions and recordings of the patients."""
    return [_naming(deployed, item) for user_id in user_ids for item in _query(deployed, patient_key(user_id))]


def items_of(
    deployed: Deployed, user_ids: Iterable[str], object_ids: Iterable[str], transcript_ids: Iterable[str]
) -> list[LedgerItem]:
    """The existing items about the patients and their recordings, without those of `namings`."""
    indexes = _indexes(deployed)
    keys = [
        *(_item(deployed, object_key(object_id)) for object_id in object_ids),
        *(_item(deployed, claim_key(transcript_id)) for transcript_id in transcript_ids),
        *(_item(deployed, changed_key(object_id), object_id) for object_id in object_ids),
        *(_item(deployed, index_key(index), object_id) for index in indexes for object_id in object_ids),
        *(_item(deployed, outline_key(user_id), user_id) for user_id in user_ids),
    ]
    return [item for item, there in mapped(lambda item: (item, bool(_get(deployed, item))), keys) if there]


class Analysed(NamedTuple):
    """The months in whose files of the analysis tables an object's rows may be, and the item that says so."""

    item: LedgerItem
    object_id: str
    months: frozenset[str]


def analysed(deployed: Deployed, object_ids: Iterable[str]) -> list[Analysed]:
    items = ((_item(deployed, analysed_key(object_id)), object_id) for object_id in object_ids)
    found = [(item, object_id, _get(deployed, item)) for item, object_id in items]
    return [Analysed(item, object_id, frozenset(there.get("months", ()))) for item, object_id, there in found if there]


def outputs_of_jobs(deployed: Deployed, bases: Iterable[str]) -> list[str]:
    """The URIs of the directories with the outputs of entity detection jobs that have ended."""
    items = (_get(deployed, _item(deployed, job_key(base))) for base in bases)
    return [json.loads(item["output"])["output_uri"] for item in items if "output" in item]


def alike(deployed: Deployed, user_id: str) -> set[str]:
    """The people with records whose user ids are easily confused with this one."""
    return {item["user_id"] for item in _query(deployed, outline_key(user_id))}


def is_about(deployed: Deployed, item: LedgerItem, traces: Traces) -> bool:
    """Whether an item that names a patient is about them alone; each item of the members table has one patient."""
    if item.table == deployed.ledger:
        return traces.owns(item.key["pk"])
    return traces.owns(item.key["sk"]) or _get(deployed, item).get("user_id") in traces.user_ids


def delete_items(deployed: Deployed, items: Iterable[LedgerItem]) -> None:
    dynamodb = deployed.client("dynamodb")

    def delete(item: LedgerItem) -> None:
        dynamodb.delete_item(TableName=item.table, Key=_typed(item))

    for _ in mapped(delete, items):
        pass


def _item(deployed: Deployed, key: str, sort: str | None = None) -> LedgerItem:
    if sort is None:
        return LedgerItem(deployed.ledger, {"pk": key})
    return LedgerItem(deployed.members, {"pk": key, "sk": sort})


def _naming(deployed: Deployed, item: Mapping[str, Any]) -> Naming:
    media_id, _, execution = item["sk"].partition("#")
    key = LedgerItem(deployed.members, {"pk": item["pk"], "sk": item["sk"]})
    return Naming(key, item["user_id"], execution, media_id, item["object_id"], item["transcript_id"])


def _indexes(deployed: Deployed) -> set[str]:
    """The names of all indexes of cohorts, also of those that are being built or were replaced."""
    listed = _get(deployed, _item(deployed, INDEXES_KEY)).get("indexes", "[]")
    return {index["name"] for index in json.loads(listed)}


def _get(deployed: Deployed, item: LedgerItem) -> Mapping[str, Any]:
    """The item's attributes, none if it isn't there."""
    found = deployed.client("dynamodb").get_item(TableName=item.table, Key=_typed(item), ConsistentRead=True)
    attributes: Mapping[str, Any] = found.get("Item", {})
    return {name: _plain(value) for name, value in attributes.items()}


def _query(deployed: Deployed, key: str) -> Iterator[dict[str, Any]]:
    pages = (
        deployed.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=deployed.members,
            KeyConditionExpression="pk = :key",
            ExpressionAttributeValues={":key": {"S": key}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from ({name: _plain(value) for name, value in item.items()} for item in page["Items"])


def _typed(item: LedgerItem) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in item.key.items()}
