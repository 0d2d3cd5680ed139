"""DynamoDB's condition and update expressions. What ours don't use is named when it is read, not understood wrongly.

Facts: Developer Guide, "Condition and filter expressions, operators, and functions" and "Update expressions".
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.simulation.aws import Refused

# As a client sends it, {"S": "text"}; a set is sorted, so that the same schedule gives the same answers.
Value = Mapping[str, Any]
Item = Mapping[str, Value]


class Given(NamedTuple):
    """What an expression's placeholders stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]


class Changes(NamedTuple):
    """What an update sets and takes away."""

    values: dict[str, Value]
    removed: set[str]


Operand = Callable[[Item, Given], Value | None]
Condition = Callable[[Item, Given], bool]
Action = Callable[[Item, Given, Changes], None]

_TOKEN = re.compile(r"\s*([#:]?\w+|<>|<=|>=|\S)")
_SETS = ("SS", "NS", "BS")
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


def holds(text: str | None, item: Item | None, given: Given) -> bool:
    return not text or _condition(text)(item or {}, given)


def updated(text: str, item: Item, given: Given) -> dict[str, Value]:
    """The item as it is after the update; every value is computed from what it was before."""
    changes = Changes({}, set())
    for act in _update(text):
        act(item, given, changes)
    kept = {name: value for name, value in item.items() if name not in changes.removed}
    return kept | changes.values


def placeholders(*texts: str | None) -> set[str]:
    return {token for text in texts if text for token in _TOKEN.findall(text) if token[0] in "#:"}


@cache
def _condition(text: str) -> Condition:
    reader = _Reader(text)
    condition = reader.either()
    reader.expect("")
    return condition


@cache
def _update(text: str) -> tuple[Action, ...]:
    reader = _Reader(text)
    actions: list[Action] = []
    clauses = {"SET": reader.set, "REMOVE": reader.remove, "ADD": reader.add, "DELETE": reader.delete}
    while clause := reader.next().upper():
        if clause not in clauses:
            raise invalid(f"Invalid UpdateExpression: Syntax error; token: {clause!r}")
        act = clauses.pop(clause)
        actions.append(act())
        while reader.takes(","):
            actions.append(act())
    return tuple(actions)


class _Reader:
    """Reads an expression from left to right, each method one rule of its grammar."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, [*_TOKEN.findall(text), ""]

    def next(self) -> str:
        return self._tokens.pop(0) if self._tokens[0] else ""

    def takes(self, token: str) -> bool:
        if self._tokens[0].upper() != token:
            return False
        self.next()
        return True

    def expect(self, token: str) -> None:
        if (there := self.next()) != token:
            raise invalid(f"Invalid expression: Syntax error; token: {there!r}, in {self._text!r}")

    # Conditions

    def either(self) -> Condition:
        first = self._both()
        if not self.takes("OR"):
            return first
        second = self.either()
        return lambda item, given: first(item, given) or second(item, given)

    def _both(self) -> Condition:
        first = self._single()
        if not self.takes("AND"):
            return first
        second = self._both()
        return lambda item, given: first(item, given) and second(item, given)

    def _single(self) -> Condition:
        if self.takes("NOT"):
            inner = self._single()
            return lambda item, given: not inner(item, given)
        if self.takes("("):
            condition = self.either()
            self.expect(")")
            return condition
        if self._tokens[1] == "(":
            return self._function()
        left, sign, right = self._operand(), self.next(), self._operand()
        if sign == "=":
            return lambda item, given: left(item, given) is not None and left(item, given) == right(item, given)
        if sign == "<>":
            return lambda item, given: left(item, given) != right(item, given)
        if sign in _ORDERED:
            return lambda item, given: _compares(_ORDERED[sign], left(item, given), right(item, given))
        raise self._unread(sign)

    def _function(self) -> Condition:
        function = self.next()
        self.expect("(")
        first = self._operand()
        second = self._operand() if self.takes(",") else lambda item, given: None
        self.expect(")")
        if function == "attribute_exists":
            return lambda item, given: first(item, given) is not None
        if function == "attribute_not_exists":
            return lambda item, given: first(item, given) is None
        if function == "begins_with":
            return lambda item, given: _compares(str.startswith, first(item, given), second(item, given))
        if function == "contains":
            return lambda item, given: _contains(first(item, given), second(item, given))
        raise self._unread(function)

    def _operand(self) -> Operand:
        token = self.next()
        if token.startswith(":"):
            return lambda item, given: _value(token, given)
        name = self._named(token)
        return lambda item, given: item.get(name(given))

    def _named(self, token: str) -> Callable[[Given], str]:
        if not re.fullmatch(r"#?\w+", token) or self._tokens[0] in (".", "["):
            raise self._unread(token + self._tokens[0])
        if token.startswith("#"):
            return lambda given: _name(token, given)
        if token.upper() in ReservedKeywords.get_reserved_keywords():
            raise invalid(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return lambda given: token

    # Updates

    def set(self) -> Action:
        name = self._named(self.next())
        self.expect("=")
        value = self._sum()

        def act(item: Item, given: Given, changes: Changes) -> None:
            new = value(item, given)
            if new is None:
                raise invalid("The provided expression refers to an attribute that does not exist in the item")
            _change(changes, name(given), new)

        return act

    def _sum(self) -> Operand:
        first = self._term()
        sign = next((sign for sign in "+-" if self.takes(sign)), "")
        if not sign:
            return first
        second = self._term()
        factor = 1 if sign == "+" else -1
        return lambda item, given: _added(first(item, given), second(item, given), factor)

    def _term(self) -> Operand:
        if self._tokens[1] != "(":
            return self._operand()
        if (function := self.next()) != "if_not_exists":
            raise self._unread(function)
        self.expect("(")
        there = self._operand()
        self.expect(",")
        other = self._operand()
        self.expect(")")
        return lambda item, given: there(item, given) or other(item, given)

    def remove(self) -> Action:
        name = self._named(self.next())
        return lambda item, given, changes: _change(changes, name(given), None)

    def add(self) -> Action:
        name, value = self._named(self.next()), self._operand()

        def act(item: Item, given: Given, changes: Changes) -> None:
            there, more = item.get(name(given)), value(item, given)
            kind, content = _typed(more)
            if kind == "N":
                new = _added(there or {"N": "0"}, more, 1)
            else:
                new = {kind: sorted({*_members(there, kind), *content})}
            _change(changes, name(given), new)

        return act

    def delete(self) -> Action:
        name, value = self._named(self.next()), self._operand()

        def act(item: Item, given: Given, changes: Changes) -> None:
            kind, content = _typed(value(item, given))
            left = sorted({*_members(item.get(name(given)), kind)} - {*content})
            _change(changes, name(given), {kind: left} if left else None)

        return act

    def _unread(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"tests/simulation doesn't read {what!r} in {self._text!r}; write it")


def _name(token: str, given: Given) -> str:
    if token not in given.names:
        raise invalid(f"An expression attribute name used in the document path is not defined; attribute name: {token}")
    return given.names[token]


def _value(token: str, given: Given) -> Value:
    if token not in given.values:
        raise invalid(f"An expression attribute value used in expression is not defined; attribute value: {token}")
    return given.values[token]


def _typed(value: Value | None) -> tuple[str, Any]:
    return next(iter(value.items())) if value else ("", None)


def _compares(compare: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    (kind, first), (other, second) = _typed(left), _typed(right)
    if kind != other or kind not in ("S", "N"):
        return False
    return compare(Decimal(first), Decimal(second)) if kind == "N" else compare(first, second)


def _contains(whole: Value | None, part: Value | None) -> bool:
    (kind, content), (of, sought) = _typed(whole), _typed(part)
    return bool(kind == of == "S" or (kind in _SETS and kind[0] == of)) and sought in content


def _added(first: Value | None, second: Value | None, factor: int) -> Value:
    if first is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    (kind, number), (other, more) = _typed(first), _typed(second)
    if (kind, other) != ("N", "N"):
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"N": number_text(Decimal(number) + factor * Decimal(more))}


def number_text(number: Decimal) -> str:
    """Equal numbers are the same text."""
    return format(number.normalize(), "f")


def _members(there: Value | None, kind: str) -> list[Any]:
    if kind not in _SETS or (there is not None and kind not in there):
        raise invalid("An operand in the update expression has an incorrect data type")
    return there[kind] if there else []


def _change(changes: Changes, name: str, new: Value | None) -> None:
    if name in changes.values or name in changes.removed:
        raise invalid(f"Two document paths overlap with each other: {name}")
    if new is None:
        changes.removed.add(name)
    else:
        changes.values[name] = new
