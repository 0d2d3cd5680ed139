"""Conditions of CloudWatch Logs Insights' `filter` command.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html
"""

import operator
import re
from collections.abc import Callable

Fields = dict[str, str]
Condition = Callable[[Fields], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>!=|<=|>=|=~|=|<|>|\(|\)|\[|\]|,)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<regex>/(?:[^/\\]|\\.)*/)|(?P<name>`[^`]+`|[@\w.+-]+))""",
    re.VERBOSE,
)
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class MalformedQuery(Exception):
    """A query that doesn't follow the syntax, or is not evaluated here."""


def number(text: str) -> float | None:
    """The number that the text says; None if it says none."""
    try:
        return float(text)
    except ValueError:
        return None


def condition(text: str) -> Condition:
    """The function that tells whether a line's fields hold the condition. Raises MalformedQuery."""
    return _Parser(text).parse()


class _Parser:
    """`or` binds less than `and`, `and` less than `not`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise MalformedQuery(f"no condition at character {position} of the filter")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def parse(self) -> Condition:
        holds = self._any()
        if self._tokens:
            raise MalformedQuery(f"{self._tokens[0][1]} is not expected in the filter")
        return holds

    def _accept(self, *words: str) -> bool:
        if [text.lower() for _, text in self._tokens[: len(words)]] == list(words):
            del self._tokens[: len(words)]
            return True
        return False

    def _next(self, *kinds: str) -> tuple[str, str]:
        if not self._tokens or self._tokens[0][0] not in kinds:
            raise MalformedQuery(f"{self._tokens[0][1] if self._tokens else 'the end'} is not expected in the filter")
        return self._tokens.pop(0)

    def _any(self) -> Condition:
        conditions = [self._all()]
        while self._accept("or"):
            conditions.append(self._all())
        return lambda fields: any(holds(fields) for holds in conditions)

    def _all(self) -> Condition:
        conditions = [self._one()]
        while self._accept("and"):
            conditions.append(self._one())
        return lambda fields: all(holds(fields) for holds in conditions)

    def _one(self) -> Condition:
        if self._accept("not"):
            return _negated(self._one())
        if self._accept("("):
            inner = self._any()
            if not self._accept(")"):
                raise MalformedQuery("a ) is missing in the filter")
            return inner
        if self._accept("ispresent", "("):
            present = self._next("name")[1].strip("`")
            if not self._accept(")"):
                raise MalformedQuery("a ) is missing in the filter")
            return lambda fields: present in fields
        field = self._next("name")[1].strip("`")
        if self._accept("not", "like"):
            return _negated(self._like(field))
        if self._accept("like") or self._accept("=~"):
            return self._like(field)
        if self._accept("not", "in"):
            return _negated(self._in(field))
        if self._accept("in"):
            return self._in(field)
        return _comparison(field, self._next("sign")[1], self._literal())

    def _literal(self) -> str:
        kind, text = self._next("text", "name")
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "text" else text

    def _like(self, field: str) -> Condition:
        kind, text = self._next("text", "regex")
        expression = re.compile(text[1:-1] if kind == "regex" else re.escape(text[1:-1]))
        return lambda fields: expression.search(fields.get(field, "")) is not None

    def _in(self, field: str) -> Condition:
        if not self._accept("["):
            raise MalformedQuery("a [ is missing in the filter")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        if not self._accept("]"):
            raise MalformedQuery("a ] is missing in the filter")
        return lambda fields: fields.get(field) in values


def _negated(holds: Condition) -> Condition:
    return lambda fields: not holds(fields)


def _comparison(field: str, sign: str, wanted: str) -> Condition:
    limit = number(wanted)
    if sign == "=":
        return lambda fields: _equal(fields.get(field), wanted, limit)
    if sign == "!=":
        return lambda fields: not _equal(fields.get(field), wanted, limit)
    if sign not in _ORDERS or limit is None:
        raise MalformedQuery(f"{field} {sign} {wanted} is not expected in the filter")
    compare, bound = _ORDERS[sign], limit
    return lambda fields: (found := number(fields.get(field, ""))) is not None and compare(found, bound)


def _equal(value: str | None, wanted: str, limit: float | None) -> bool:
    return value is not None and (value == wanted or (limit is not None and number(value) == limit))
