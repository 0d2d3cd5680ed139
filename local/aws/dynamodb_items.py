"""Atomic reads and writes of DynamoDB's items, one call after another.

moto answers every call in its own thread without a lock, so a condition may no longer hold when the write happens. It
doesn't undo an update that fails half way, copies the whole table for a transaction, lets a set outgrow its item or be
empty, and returns a batch in the order of the request.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import copy
import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ItemSizeToUpdateTooLarge, MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import DynamoHandler

from local.aws import dynamodb_transactions

MAXIMUM_ITEM_BYTES = 400 * 1024
"""Bytes of names and values; moto's own check (405,000) covers SET, but not ADD to a set."""

_OPERATIONS = (
    "batch_get_item", "batch_write_item", "delete_item", "get_item", "put_item", "query", "scan", "transact_get_items",
    "transact_write_items", "update_item",
)  # fmt: skip
_SETS = {"SS": "string", "NS": "number", "BS": "binary"}

_calls = threading.Lock()
_moto_methods: dict[str, Callable[[DynamoHandler], ActionResult]] = {
    name: getattr(DynamoHandler, name) for name in _OPERATIONS
}
_moto_update_item = DynamoDBBackend.update_item
_moto_transact_write_items = DynamoDBBackend.transact_write_items


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    methods = _moto_methods | {
        "batch_get_item": batch_get_item,
        "transact_write_items": dynamodb_transactions.transact_write_items,
    }
    for name, method in methods.items():
        setattr(DynamoHandler, name, _one_at_a_time(method))
    DynamoDBBackend.update_item = update_item  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[method-assign]


def _one_at_a_time(method: Callable[[DynamoHandler], ActionResult]) -> Callable[[DynamoHandler], ActionResult]:
    @functools.wraps(method)
    def answer(self: DynamoHandler) -> ActionResult:
        check_sets(self.body)
        with _calls:
            return method(self)

    return answer


def check_sets(request: Any) -> None:
    """Raise MockValidationException for a set in the request that is empty, or has a value twice."""
    if isinstance(request, Mapping):
        for name, value in request.items():
            if name in _SETS and isinstance(value, list):
                _check_set(name, value)
            else:
                check_sets(value)
    elif isinstance(request, list):
        for value in request:
            check_sets(value)


def _check_set(name: str, values: list[Any]) -> None:
    prefix = "One or more parameter values were invalid: "
    if not values:
        raise MockValidationException(f"{prefix}An {_SETS[name]} set  may not be empty")
    if len(set(values)) < len(values):
        raise MockValidationException(f"{prefix}Input collection {values} contains duplicates.")


def batch_get_item(self: DynamoHandler) -> ActionResult:
    """DynamoHandler.batch_get_item: DynamoDB returns items in no defined order, so here the order is reversed."""
    answer = _moto_methods["batch_get_item"](self)
    result: Any = answer.result
    for items in result["Responses"].values():
        items.reverse()
    return answer


def update_item(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *more: Any, **options: Any) -> Item:
    """DynamoDBBackend.update_item. Also raises ItemSizeToUpdateTooLarge."""
    with _copies(self, [(table_name, key)]) as copies:
        item = _moto_update_item(copies, table_name, key, *more, **options)
        if item.size() > MAXIMUM_ITEM_BYTES:
            raise ItemSizeToUpdateTooLarge()
        return item


def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """DynamoDBBackend.transact_write_items."""
    entries = [entry for item in transact_items for entry in item.values()]
    keys = [(entry["TableName"], entry["Key"] if "Key" in entry else entry["Item"]) for entry in entries]
    with _copies(self, keys) as copies:
        _moto_transact_write_items(copies, transact_items)


@contextmanager
def _copies(backend: DynamoDBBackend, keys: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[DynamoDBBackend]:
    """A backend with copies of these items alone, which replace them at the end unless an exception is raised."""
    copies, touched = DynamoDBBackend(backend.region_name, backend.account_id), []
    for name, key in keys:
        table = backend.get_table(name)
        partition, _ = backend.get_keys_value(table, key)
        if table.name not in copies.tables:
            copies.tables[table.name] = copy.copy(table)
            copies.tables[table.name].items = defaultdict(dict)
        if partition in table.items:
            copies.tables[table.name].items[partition] = copy.deepcopy(table.items[partition])
        touched.append((table, partition))
    yield copies
    for table, partition in touched:
        if partition in copies.tables[table.name].items:
            table.items[partition] = copies.tables[table.name].items[partition]
        else:
            table.items.pop(partition, None)
