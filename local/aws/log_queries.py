"""CloudWatch Logs Insights' queries with `fields`, `display`, `filter`, `sort` and `limit`; moto ignores most of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html

A line in JSON has its members as fields, nested ones as `job.name`. Any other command, and functions in place of a
field, are refused with MalformedQueryException.
"""

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs import models

from local.aws.log_query_filters import Fields, MalformedQuery, condition, number

_MOST = 10_000
_COMMAND = re.compile(r"""((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<=[\s(])/(?:[^/\\]|\\.)*/|[^|])*)(?:\||$)""")
_NAME = re.compile(r"`([^`]+)`|([@\w][\w.@-]*)")


def execute_query(
    log_groups: Sequence[models.LogGroup], query: str, start_time: int, end_time: int
) -> list[dict[str, str]]:
    """moto.logs.logs_query.execute_query: a query over the lines of these seconds. Raises MalformedQueryException."""
    try:
        return _execute(_lines(log_groups, start_time * 1000, end_time * 1000), query)
    except MalformedQuery as error:
        raise JsonRESTError("MalformedQueryException", str(error)) from None


def _lines(groups: Sequence[models.LogGroup], begin: int, end: int) -> Iterator[Fields]:
    for group in groups:
        for name, stream in group.streams.items():
            for event in stream.events:
                if begin <= event.timestamp <= end:
                    yield {**_members(event.message), **_own(group, name, event)}


def _own(group: models.LogGroup, stream: str, event: models.LogEvent) -> Fields:
    return {
        "@ptr": str(event.event_id),
        "@timestamp": _moment(event.timestamp),
        "@ingestionTime": _moment(event.ingestion_time),
        "@message": event.message,
        "@logStream": stream,
        "@log": f"{group.account_id}:{group.name}",
    }


def _moment(milliseconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def _members(message: str) -> Fields:
    try:
        document = json.loads(message)
    except ValueError:
        return {}
    return dict(_flat(document, "")) if isinstance(document, dict) else {}


def _flat(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif node is not None:
        yield path, node if isinstance(node, str) else json.dumps(node)


def _execute(lines: Iterator[Fields], query: str) -> list[dict[str, str]]:
    found, shown, most = sorted(lines, key=lambda line: line["@timestamp"], reverse=True), None, _MOST
    for command, rest in _commands(query):
        match command:
            case "fields" | "display":
                named = _names(rest)
                # Each `fields` adds some; `display` replaces them.
                shown = [*(shown or []), *named] if command == "fields" else named
            case "filter":
                holds = condition(rest)
                found = [line for line in found if holds(line)]
            case "sort":
                _sort(found, rest)
            case "limit":
                most = min(most, int(_number(rest)))
            case _:
                raise MalformedQuery(f"the command {command!r} is not evaluated by the local AWS")
    wanted = shown or ["@timestamp", "@message"]
    return [{name: line[name] for name in (*wanted, "@ptr") if name in line} for line in found[:most]]


def _commands(query: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("#"))
    for found in _COMMAND.finditer(text):
        command, _, rest = found[1].strip().partition(" ")
        if command:
            yield command.lower(), rest.strip()


def _names(text: str) -> list[str]:
    found = [_NAME.fullmatch(name.strip()) for name in text.split(",")]
    if not all(found):
        raise MalformedQuery(f"only names of fields are evaluated by the local AWS, not {text!r}")
    return [name[1] or name[2] for name in found if name]


def _number(text: str) -> float:
    found = number(text)
    if found is None:
        raise MalformedQuery(f"{text!r} is no number")
    return found


def _sort(lines: list[Fields], rest: str) -> None:
    # The first name counts most, so the lines are sorted by it last.
    for part in reversed(rest.split(",")):
        name, _, order = part.strip().partition(" ")
        if order.strip().lower() not in ("", "asc", "desc"):
            raise MalformedQuery(f"{order!r} is no order")
        (field,) = _names(name)
        # Numbers before text; lines without the field come last in a descending order.
        lines.sort(key=lambda line: _rank(line.get(field)), reverse=order.strip().lower() != "asc")


def _rank(value: str | None) -> tuple[int, float, str]:
    if value is None:
        return 0, 0.0, ""
    found = number(value)
    return (1, found, "") if found is not None else (2, 0.0, value)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    models.execute_query = execute_query  # type: ignore[attr-defined]
