"""The ledger's items about a patient's recordings: the plan for each, and which execution works on it.

Their keys end in an id derived from the recording. All other items are about executions and jobs.

Sources: DynamoDB API reference, Scan and DeleteItem.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from operations.deployed import Deployed
from operations.forgetting.traces import Traces
from operations.parallel import mapped

_KEY = "pk"


def items_of(deployed: Deployed, traces: Traces) -> list[str]:
    """Keys of the items that are about the patient's recordings."""
    return [item[_KEY] for item in _scan(deployed) if traces.owns(item[_KEY])]


def delete_items(deployed: Deployed, keys: Iterable[str]) -> None:
    dynamodb = deployed.client("dynamodb")
    for _ in mapped(lambda key: dynamodb.delete_item(TableName=deployed.ledger, Key={_KEY: {"S": key}}), keys):
        pass


def leftovers(deployed: Deployed, traces: Traces) -> tuple[list[str], int]:
    """Descriptions of the items that name the patient, and the number of items that were read.

    An item of any execution may do so: users choose the names of executions.
    """
    items = list(_scan(deployed))
    left = [item[_KEY] for item in items if any(traces.anywhere(text.encode()) for text in _texts(item))]
    return [f"the item {key} of the table {deployed.ledger}" for key in left], len(items)


def _scan(deployed: Deployed) -> Iterator[dict[str, Any]]:
    """All items, whole: reading only their keys costs the same."""
    plain = TypeDeserializer().deserialize
    pages = deployed.client("dynamodb").get_paginator("scan").paginate(TableName=deployed.ledger, ConsistentRead=True)
    for page in pages:
        yield from ({name: plain(value) for name, value in item.items()} for item in page["Items"])


def _texts(item: dict[str, Any]) -> Iterator[str]:
    """The strings in an item, without attribute names and without the kind at the beginning of its key."""
    values = [item[_KEY].partition("#")[2], *(value for name, value in item.items() if name != _KEY)]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, (list, set)):
            values += value
