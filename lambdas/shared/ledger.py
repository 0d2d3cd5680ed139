"""The ledger: two DynamoDB tables in which executions coordinate their claims and record what is paid and who is where.

The modules that write items describe them: `shared/claim_items.py`, `shared/object_items.py`, `entities/jobs.py` and
`cohorts/indexes.py` those of the ledger table, `shared/members.py` those of the members table, and
`shared/analysis_items.py` some of each. Reads are consistent.
Writes are conditional on the attributes that were read, because another execution may write the same item. The SDK
repeats a write whose answer was lost, and the repetition can then fail its own condition: after a refused write, the
caller reads the item again and finds its change there.

Source: DynamoDB API reference, BatchGetItem, Query, UpdateItem and TransactWriteItems.
"""

import os
import random
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.sdk import client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Quotas of BatchGetItem and TransactWriteItems.
MOST_KEYS = MOST_CHANGES = 100
# Incomplete reads and conflicting writes are repeated this often.
MAXIMUM_ATTEMPTS = 10
LONGEST_PAUSE_SECONDS = 2.0
# Cancellation reasons after which the same transaction may succeed a moment later.
_PASSING = ("None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")

dynamodb: "DynamoDBClient" = client("dynamodb", Config(max_pool_connections=PARALLEL_REQUESTS))

# An item's attributes by name; the values are str, int, bool or a frozenset of str.
Item = Mapping[str, Any]
T = TypeVar("T")


class Change(NamedTuple):
    """A conditional write of one item: attributes to put, sets or numbers to add, attributes to remove.

    The write is refused unless the item's attributes equal `expected`, where None means absent. A change with
    `expected` alone is a check within a transaction. An item with a `sort` key is in the members table; `delete`
    deletes the item.
    """

    key: str
    put: Mapping[str, Any] = {}
    add: Mapping[str, Any] = {}
    remove: Sequence[str] = ()
    expected: Mapping[str, Any] = {}
    sort: str = ""
    delete: bool = False


def read_items(keys: Iterable[str]) -> dict[str, Item]:
    """The existing items by key."""
    found: dict[str, Item] = {}
    for batch in batches([*dict.fromkeys(keys)], MOST_KEYS):
        found |= _read_batch(batch)
    return found


def read_item(key: str) -> Item:
    """The item, empty if there is none."""
    return _read_batch([key]).get(key, {})


def read_partition(key: str) -> Iterator[Item]:
    """The items of the members table with this partition key, in the order of their sort keys."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=os.environ["MEMBERS_TABLE"],
        KeyConditionExpression="pk = :key",
        ExpressionAttributeValues={":key": {"S": key}},
        ConsistentRead=True,
    )
    for page in pages:
        for attributes in page["Items"]:
            yield {name: _plain(attribute) for name, attribute in attributes.items()}


def only(item: Item, names: Container[str]) -> dict[str, Any]:
    """The item's attributes that are among `names`."""
    return {name: value for name, value in item.items() if name in names}


def _read_batch(keys: Sequence[str]) -> dict[str, Item]:
    table = os.environ["LEDGER_TABLE"]
    found: dict[str, Item] = {}
    wanted: Any = [{"pk": {"S": key}} for key in keys]
    for attempt in range(MAXIMUM_ATTEMPTS):
        answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
        for attributes in answer["Responses"].get(table, ()):
            item = {name: _plain(attribute) for name, attribute in attributes.items()}
            found[item["pk"]] = item
        left: Mapping[str, Any] = answer.get("UnprocessedKeys", {})
        if table not in left:
            return found
        wanted = left[table]["Keys"]
        pause(attempt)
    raise RuntimeError(f"DynamoDB left {len(wanted)} of {len(keys)} items unread {MAXIMUM_ATTEMPTS} times")


def write(change: Change) -> Item | None:
    """Apply the change and return the new item; None, without any change, if the item isn't as expected."""
    wanted = {**_written(change), "ReturnValues": "ALL_NEW"}

    def update() -> Item | None:
        try:
            attributes = dynamodb.update_item(**wanted)["Attributes"]
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return {name: _plain(attribute) for name, attribute in attributes.items()}

    return _repeated(update)


def write_together(changes: Sequence[Change]) -> bool:
    """Apply up to 100 changes in one transaction; False, without any change, if an item isn't as expected."""
    wanted: Any = [{_kind(change): _written(change)} for change in changes]

    def transact() -> bool:
        try:
            dynamodb.transact_write_items(TransactItems=wanted)
        except dynamodb.exceptions.TransactionCanceledException as error:
            if "ConditionalCheckFailed" in _reasons(error):
                return False
            raise
        return True

    return _repeated(transact)


def write_with(change: Change, others: Sequence[Change]) -> bool:
    """Apply the change together with the others, if there are any; a transaction costs twice as much as a write."""
    return write_together([change, *others]) if others else write(change) is not None


def batches(things: Sequence[T], size: int) -> list[Sequence[T]]:
    return [things[begin : begin + size] for begin in range(0, len(things), size)]


def _repeated(attempt: Callable[[], T]) -> T:
    """Repeat a write that conflicts with another one; the SDK itself repeats only throttled single writes."""
    for number in range(MAXIMUM_ATTEMPTS - 1):
        try:
            return attempt()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            canceled = code == "TransactionCanceledException" and set(_reasons(error)) <= set(_PASSING)
            if not canceled and code != "TransactionConflictException":
                raise
        pause(number)
    return attempt()


def _reasons(error: ClientError) -> list[str]:
    answer: Any = error.response
    return [reason.get("Code", "None") for reason in answer.get("CancellationReasons", ())]


def pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(0.05 * 2**attempt, LONGEST_PAUSE_SECONDS)))


def _kind(change: Change) -> str:
    """The kind of the change in a transaction."""
    if change.delete:
        return "Delete"
    return "Update" if change.put or change.add or change.remove else "ConditionCheck"


def _written(change: Change) -> dict[str, Any]:
    """The parameters of an Update, a Delete or a ConditionCheck."""
    clauses = {
        "SET": [f"#{name} = :put_{name}" for name in change.put],
        "ADD": [f"#{name} :add_{name}" for name in change.add],
        "REMOVE": [f"#{name}" for name in change.remove],
    }
    conditions = [
        f"attribute_not_exists(#{name})" if value is None else f"#{name} = :is_{name}"
        for name, value in change.expected.items()
    ]
    values = {f":put_{name}": _typed(value) for name, value in change.put.items()}
    values |= {f":add_{name}": _typed(value) for name, value in change.add.items()}
    values |= {f":is_{name}": _typed(value) for name, value in change.expected.items() if value is not None}
    texts = {
        "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
        "ConditionExpression": " AND ".join(conditions),
    }
    names = {*change.put, *change.add, *change.remove, *change.expected}
    sort = {"sk": {"S": change.sort}} if change.sort else {}
    return {
        "TableName": os.environ["MEMBERS_TABLE" if change.sort else "LEDGER_TABLE"],
        "Key": {"pk": {"S": change.key}, **sort},
        **{name: text for name, text in texts.items() if text},
        **({"ExpressionAttributeNames": {f"#{name}": name for name in sorted(names)}} if names else {}),
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"S": value} if isinstance(value, str) else {"SS": sorted(value)}


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return int(value) if kind == "N" else frozenset(value) if kind == "SS" else value
