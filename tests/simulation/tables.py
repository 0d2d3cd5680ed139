"""DynamoDB with the two tables of the ledger in memory.

It answers as moto's does, which test_tables.py sees to. Moto's takes a third of a millisecond for a write and one and a
half for a transaction, longer than the functions themselves.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from tests.simulation.aws import LEDGER, MEMBERS, Refused
from tests.simulation.expressions import Given, Item, Value, holds, invalid, number_text, placeholders, updated

# The attributes of each table's key.
KEYS = {LEDGER: ("pk",), MEMBERS: ("pk", "sk")}
# What may go wrong with a call: the service refuses it for long enough that the SDK gives up, a transaction is at work
# on the same item, a batch is answered in part.
THROTTLED, CONFLICT, UNPROCESSED = "throttled", "conflict", "unprocessed"
FAULTS = (THROTTLED, CONFLICT, UNPROCESSED)
# Of BatchGetItem's keys and TransactWriteItems' actions.
MOST_AT_ONCE = 100
# Parameters that are understood, besides those that each method names.
_WRITING = {
    *("TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"),
    *("ReturnValues", "ReturnValuesOnConditionCheckFailure"),
}


class Write(NamedTuple):
    """An item before a write and after it; an empty one isn't there. `key` has the attributes of its key."""

    place: str
    key: Item
    before: Item
    after: Item


class Tables:
    """Each read has to be a consistent one: what another may answer isn't played. `fails` says what goes wrong.

    `items` has the items of both tables by their place, `<pk>` or `<pk>/<sk>`.
    """

    def __init__(self, fails: Callable[[str], bool] = lambda kind: False) -> None:
        self._fails = fails
        self.items: dict[str, Item] = {}

    # Reads

    def get_item(self, **wanted: Any) -> dict[str, Any]:
        self._read(wanted, "Key")
        there = self.items.get(_place(wanted["TableName"], wanted["Key"]))
        return {"Item": dict(there)} if there else {}

    def batch_get_item(self, RequestItems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """In no particular order, which is not that of the keys."""
        ((table, wanted),) = RequestItems.items()
        self._read({**wanted, "TableName": table}, "Keys")
        keys = [_place(table, key) for key in wanted["Keys"]]
        if not 1 <= len(keys) <= MOST_AT_ONCE or len({*keys}) < len(keys):
            raise invalid(f"BatchGetItem takes 1 to {MOST_AT_ONCE} keys, each once")
        done = len(keys) // 2 if self._fails(UNPROCESSED) else len(keys)
        found = [dict(self.items[key]) for key in reversed(keys[:done]) if key in self.items]
        left = {table: {**wanted, "Keys": wanted["Keys"][done:]}} if done < len(keys) else {}
        return {"Responses": {table: found}, "UnprocessedKeys": left}

    def scan(self, **wanted: Any) -> dict[str, Any]:
        """Of a table that is small enough for one segment."""
        self._read(wanted, "Segment", "TotalSegments")
        assert wanted.get("TotalSegments", 1) == 1
        found = [dict(item) for item in self._of(wanted["TableName"])]
        return {"Items": found, "Count": len(found)}

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"ItemCount": 0}}

    def query(self, **wanted: Any) -> dict[str, Any]:
        self._read(wanted, "KeyConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")
        condition = wanted["KeyConditionExpression"]
        given = _given(wanted, condition)
        found = [dict(item) for item in self._of(wanted["TableName"]) if holds(condition, item, given)]
        return {"Items": found, "Count": len(found)}

    def _of(self, table: str) -> list[Item]:
        """The table's items, by their keys."""
        return [item for _, item in sorted(self.items.items()) if ("sk" in item) == ("sk" in KEYS[table])]

    def _read(self, wanted: Mapping[str, Any], *understood: str) -> None:
        self._check(wanted, {"TableName", "ConsistentRead", *understood})
        if not wanted.get("ConsistentRead"):
            raise NotImplementedError("tests/simulation has no fake of a read that isn't consistent")
        if self._fails(THROTTLED):
            raise Refused("ThrottlingException")

    # Writes

    def update_item(self, **wanted: Any) -> dict[str, Any]:
        return self._write(self._update, wanted)

    def put_item(self, **wanted: Any) -> dict[str, Any]:
        return self._write(self._put, wanted)

    def delete_item(self, **wanted: Any) -> dict[str, Any]:
        return self._write(self._delete, wanted)

    def transact_write_items(self, TransactItems: list[Mapping[str, Any]]) -> dict[str, Any]:
        """All of it or nothing; then there is a reason for each action, "None" for those that weren't it."""
        makes = {"Update": self._update, "Put": self._put, "Delete": self._delete, "ConditionCheck": self._expect}
        writes: list[Write] = []
        reasons: list[dict[str, Any]] = []
        for action in TransactItems:
            ((kind, wanted),) = action.items()
            try:
                writes.append(makes[kind](wanted))
                reasons.append({"Code": "None"})
            except Refused as refused:
                if refused.code != "ConditionalCheckFailedException":
                    raise
                reasons.append({"Code": "ConditionalCheckFailed", "Message": refused.message, **refused.response})
        keys = [touched for touched, _ in touches("TransactWriteItems", {"TransactItems": TransactItems})]
        if not 1 <= len(keys) <= MOST_AT_ONCE or len({*keys}) < len(keys):
            raise invalid(f"TransactWriteItems takes 1 to {MOST_AT_ONCE} actions, each on another item")
        for kind, code in ((THROTTLED, "ThrottlingError"), (CONFLICT, "TransactionConflict")):
            if self._fails(kind):
                reasons[-1] = {"Code": code, "Message": "so the harness says"}
        if len(writes) < len(reasons) or reasons[-1]["Code"] != "None":
            codes = ", ".join(reason["Code"] for reason in reasons)
            message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
            raise Refused("TransactionCanceledException", message, CancellationReasons=reasons)
        for write in writes:
            self._commit(write)
        return {}

    def _write(self, make: Callable[[Mapping[str, Any]], Write], wanted: Mapping[str, Any]) -> dict[str, Any]:
        if self._fails(THROTTLED):
            raise Refused("ThrottlingException")
        if self._fails(CONFLICT):
            raise Refused("TransactionConflictException")
        write = make(wanted)
        self._commit(write)
        return _returned(wanted.get("ReturnValues", "NONE"), write)

    def _commit(self, write: Write) -> None:
        if write.after:
            self.items[write.place] = write.after
        else:
            self.items.pop(write.place, None)

    def _update(self, wanted: Mapping[str, Any]) -> Write:
        there = self._expect(wanted)
        after = updated(wanted["UpdateExpression"], there.before or there.key, _given(wanted))
        for name, value in there.key.items():
            if after.get(name) != value:
                raise invalid(f"Cannot update attribute {name}. This attribute is part of the key")
        return there._replace(after=after)

    def _put(self, wanted: Mapping[str, Any]) -> Write:
        after = {name: _normal(value) for name, value in wanted["Item"].items()}
        return self._expect(wanted)._replace(after=after)

    def _delete(self, wanted: Mapping[str, Any]) -> Write:
        return self._expect(wanted)._replace(after={})

    def _expect(self, wanted: Mapping[str, Any]) -> Write:
        """The item as it is, if its condition is met."""
        self._check(wanted, {*_WRITING, "Key", "Item", "UpdateExpression"})
        condition = wanted.get("ConditionExpression")
        given = _given(wanted, condition, wanted.get("UpdateExpression"))
        place = _named(wanted)
        there = self.items.get(place, {})
        if not holds(condition, there, given):
            tells = there and wanted.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            response = {"Item": dict(there)} if tells else {}
            raise Refused("ConditionalCheckFailedException", "The conditional request failed", **response)
        return Write(place, _key(wanted), there, there)

    def _check(self, wanted: Mapping[str, Any], understood: set[str]) -> None:
        if unknown := wanted.keys() - understood:
            raise NotImplementedError(f"tests/simulation has no fake of {sorted(unknown)} of DynamoDB; write it")
        if wanted["TableName"] not in KEYS:
            raise Refused("ResourceNotFoundException", "Requested resource not found")


def touches(operation: str, parameters: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The key of each item that a call touches, and whether it writes there; of a scan, what all keys begin with."""
    if operation == "TransactWriteItems":
        actions = [next(iter(action.items())) for action in parameters["TransactItems"]]
        return [(_named(wanted), kind != "ConditionCheck") for kind, wanted in actions]
    if operation == "BatchGetItem":
        return [
            (_place(table, key), False)
            for table, wanted in parameters["RequestItems"].items()
            for key in wanted["Keys"]
        ]
    if operation == "Scan":
        return [("", False)]
    if operation == "Query":
        (partition,) = parameters["ExpressionAttributeValues"].values()
        return [(f"{partition['S']}/", False)]
    if operation == "DescribeTable":
        return []
    return [(_named(parameters), operation != "GetItem")]


def _named(wanted: Mapping[str, Any]) -> str:
    return _place(wanted["TableName"], _key(wanted))


def _key(wanted: Mapping[str, Any]) -> Item:
    if "Key" in wanted:
        return dict(wanted["Key"])
    return {name: wanted["Item"].get(name) for name in KEYS[wanted["TableName"]]}


def _place(table: str, key: Mapping[str, Any]) -> str:
    parts = [(key.get(name) or {}).get("S") for name in KEYS[table]]
    if len(key) != len(parts) or not all(parts):
        raise invalid("The provided key element does not match the schema")
    return "/".join(map(str, parts))


def _given(wanted: Mapping[str, Any], *expressions: str | None) -> Given:
    """What placeholders stand for. With `expressions`: they use all of them, as the service demands."""
    names, values = wanted.get("ExpressionAttributeNames", {}), wanted.get("ExpressionAttributeValues", {})
    if expressions and (unused := {*names, *values} - placeholders(*expressions)):
        raise invalid(f"Value provided in ExpressionAttributeNames or -Values unused in expressions: {sorted(unused)}")
    return Given(names, {name: _normal(value) for name, value in values.items()})


def _normal(value: Value) -> Value:
    """Equal values are equal as they are kept: numbers without leading or trailing zeros, sets sorted."""
    ((kind, content),) = value.items()
    if kind == "N":
        return {"N": number_text(Decimal(content))}
    if kind in ("SS", "NS", "BS"):
        if not content or len({*content}) < len(content):
            raise invalid("One or more parameter values were invalid: a set has to have members, each once")
        return {kind: sorted(content)}
    return value


def _returned(which: str, write: Write) -> dict[str, Any]:
    if which in ("ALL_OLD", "ALL_NEW"):
        item = write.before if which == "ALL_OLD" else write.after
        return {"Attributes": dict(item)} if item else {}
    if which != "NONE":
        raise NotImplementedError(f"tests/simulation returns no {which}; write it")
    return {}
