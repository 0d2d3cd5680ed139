"""CloudWatch Logs' filter patterns for lines in JSON, `{ $.level = "ERROR" && $.count > 1 }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax-expand.html
"""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

Matches = Callable[[str], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<logic>&&|\|\||\(|\))|(?P<path>\$(?:\.[\w@-]+|\[(?:\d+|"[^"]+")\])+)|(?P<compare>!=|<=|>=|=|<|>)
    |(?P<text>"(?:[^"\\]|\\.)*")|(?P<regex>%(?:[^%\\]|\\.)+%)|(?P<word>[^\s()&|=<>!"%]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r'\.([\w@-]+)|\[(\d+)\]|\["([^"]+)"\]')
_NUMERIC = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_MISSING = object()


class InvalidPattern(Exception):
    """A filter pattern that doesn't follow the syntax, or is not evaluated here."""


def regex(term: str) -> re.Pattern[str]:
    """The regular expression between two percent signs. Raises InvalidPattern."""
    try:
        return re.compile(term[1:-1])
    except re.error as error:
        raise InvalidPattern(f"{term} is no regular expression ({error})") from None


def unquoted(text: str) -> str:
    """The text between two quotation marks."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])


class _Parser:
    """Parses the inside of `{ … }`; `||` binds less than `&&`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise InvalidPattern(f"no condition at character {position + 1}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def parse(self) -> Callable[[Any], bool]:
        condition = self._any()
        if self._tokens:
            raise InvalidPattern(f"{self._tokens[0][1]} is not expected")
        return condition

    def _next(self, *kinds: str) -> str:
        if not self._tokens or self._tokens[0][0] not in kinds:
            found = self._tokens[0][1] if self._tokens else "its end"
            raise InvalidPattern(f"{found} is not expected")
        return self._tokens.pop(0)[1]

    def _accept(self, text: str) -> bool:
        if self._tokens and self._tokens[0][1] == text:
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Callable[[Any], bool]:
        conditions = [self._all()]
        while self._accept("||"):
            conditions.append(self._all())
        return lambda document: any(holds(document) for holds in conditions)

    def _all(self) -> Callable[[Any], bool]:
        conditions = [self._one()]
        while self._accept("&&"):
            conditions.append(self._one())
        return lambda document: all(holds(document) for holds in conditions)

    def _one(self) -> Callable[[Any], bool]:
        if self._accept("("):
            inner = self._any()
            if not self._accept(")"):
                raise InvalidPattern("a ) is missing")
            return inner
        path = self._next("path")
        if self._tokens and self._tokens[0][0] == "word":
            return _state(path, " ".join(self._next("word") for _ in range(2)).upper())
        compare = self._next("compare")
        kind = self._tokens[0][0] if self._tokens else ""
        return _comparison(path, compare, kind, self._next("text", "regex", "word"))


def _state(path: str, words: str) -> Callable[[Any], bool]:
    values = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False, "NOT EXISTS": _MISSING}
    if words not in values:
        raise InvalidPattern(f"{words} is not expected")
    wanted = values[words]
    return lambda document: _value(document, path) is wanted


def _comparison(path: str, compare: str, kind: str, given: str) -> Callable[[Any], bool]:
    if compare in _NUMERIC:
        limit, holds = _number(given), _NUMERIC[compare]
        if limit is None:
            raise InvalidPattern(f"{given} is no number")
        return lambda document: _is_number(value := _value(document, path)) and holds(value, limit)
    equal = _equal(kind, given)
    if compare == "=":
        return lambda document: equal(_value(document, path))
    return lambda document: (value := _value(document, path)) is not _MISSING and not equal(value)


def _equal(kind: str, given: str) -> Callable[[Any], bool]:
    if kind == "regex":
        expression = regex(given)
        return lambda value: isinstance(value, str) and expression.search(value) is not None
    number = _number(given) if kind == "word" else None
    if number is not None:
        return lambda value: _is_number(value) and value == number
    text = unquoted(given) if kind == "text" else given
    # A star stands for any characters.
    wildcard = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
    return lambda value: isinstance(value, str) and wildcard.fullmatch(value) is not None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(document: Any, path: str) -> Any:
    for name, index, quoted in _STEP.findall(path):
        if index:
            found = isinstance(document, list) and int(index) < len(document)
            document = document[int(index)] if found else _MISSING
        else:
            document = document.get(name or quoted, _MISSING) if isinstance(document, dict) else _MISSING
    return document


def json_pattern(text: str) -> Matches:
    """The function that tells whether a line matches the inside of `{ … }`. Raises InvalidPattern."""
    holds = _Parser(text).parse()

    def matches(line: str) -> bool:
        try:
            document = json.loads(line)
        except ValueError:
            return False
        return isinstance(document, dict | list) and holds(document)

    return matches
