"""Searches a segment of one of the ledger's tables.

An item of any execution may name a patient: users choose the names of executions.

Sources: DynamoDB API reference, Scan and AttributeValue.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lambdas.searching.dividing import Segment
from lambdas.searching.files import FoundItem, Part
from lambdas.searching.traces import Traces

_KEYS = ("pk", "sk")


def search_segment(
    dynamodb: Any, traces: Traces, segment: Segment, begin: Mapping[str, str] | None, is_short: Callable[[], bool]
) -> Part:
    """Search from the key `begin` on (None: from the beginning) until the end, or until the time `is_short`."""
    found: list[FoundItem] = []
    looked_at = 0
    while True:
        answer = _scan(dynamodb, segment, begin)
        looked_at += len(answer["Items"])
        found += [
            {"table": segment["table"], "key": _key(item)}
            for item in answer["Items"]
            if any(traces.anywhere(text.encode()) for text in _texts(item))
        ]
        begin = _key(answer["LastEvaluatedKey"]) if answer.get("LastEvaluatedKey") else None
        if begin is None or is_short():
            return {"looked_at": looked_at, "versions": [], "items": found, "next": begin and dict(begin)}


def _scan(dynamodb: Any, segment: Segment, begin: Mapping[str, str] | None) -> Any:
    """A page of whole items: reading only their keys costs the same."""
    start = {"ExclusiveStartKey": {name: {"S": value} for name, value in begin.items()}} if begin else {}
    return dynamodb.scan(
        TableName=segment["table"],
        Segment=segment["segment"],
        TotalSegments=segment["segments"],
        ConsistentRead=True,
        **start,
    )


def _key(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: item[name]["S"] for name in _KEYS if name in item}


def _texts(item: Mapping[str, Any]) -> Iterator[str]:
    """The strings in an item, without attribute names and without the kind at the beginning of its key."""
    yield item["pk"]["S"].partition("#")[2]
    values = [value for name, value in item.items() if name != "pk"]
    while values:
        ((kind, value),) = values.pop().items()
        if kind == "S":
            yield value
        elif kind == "SS":
            yield from value
        elif kind == "L":
            values += value
        elif kind == "M":
            values += value.values()
