"""The ledger's items about a patient: the plans for their recordings, who works on these, and membership in cohorts.

The ledger table's items about a recording end in an id derived from it; all others are about executions and jobs. Each
item of the members table has a user id or ends in such an id.

Sources: DynamoDB API reference, Scan and DeleteItem.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer

from lambdas.shared.user_ids import canonical
from operations.deployed import Deployed
from operations.forgetting.traces import Traces
from operations.parallel import mapped

_KEYS = ("pk", "sk")


class LedgerItem(NamedTuple):
    """An item by its table and its key."""

    table: str
    key: Mapping[str, str]

    def __str__(self) -> str:
        return f"the item {' '.join(self.key.values())} of the table {self.table}"


def items_of(deployed: Deployed, traces: Traces) -> list[LedgerItem]:
    """The items about the patient and the patient's recordings."""
    return [
        *(_named(deployed.ledger, item) for item in _scan(deployed, deployed.ledger) if traces.owns(item["pk"])),
        *(
            _named(deployed.members, item)
            for item in _scan(deployed, deployed.members)
            if canonical(item.get("user_id", "")) == traces.user_id or traces.owns(item["sk"])
        ),
    ]


def delete_items(deployed: Deployed, items: Iterable[LedgerItem]) -> None:
    dynamodb = deployed.client("dynamodb")

    def delete(item: LedgerItem) -> None:
        dynamodb.delete_item(TableName=item.table, Key={name: {"S": value} for name, value in item.key.items()})

    for _ in mapped(delete, items):
        pass


def leftovers(deployed: Deployed, traces: Traces) -> tuple[list[str], int]:
    """Descriptions of the items that name the patient, and the number of items that were read.

    An item of any execution may do so: users choose the names of executions.
    """
    items = [(table, item) for table in (deployed.ledger, deployed.members) for item in _scan(deployed, table)]
    left = [
        str(_named(table, item))
        for table, item in items
        if any(traces.anywhere(text.encode()) for text in _texts(item))
    ]
    return left, len(items)


def _named(table: str, item: Mapping[str, Any]) -> LedgerItem:
    return LedgerItem(table, {name: item[name] for name in _KEYS if name in item})


def _scan(deployed: Deployed, table: str) -> Iterator[dict[str, Any]]:
    """All items of the table, whole: reading only their keys costs the same."""
    plain = TypeDeserializer().deserialize
    pages = deployed.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from ({name: plain(value) for name, value in item.items()} for item in page["Items"])


def _texts(item: dict[str, Any]) -> Iterator[str]:
    """The strings in an item, without attribute names and without the kind at the beginning of its key."""
    values = [item["pk"].partition("#")[2], *(value for name, value in item.items() if name != "pk")]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, (list, set)):
            values += value
