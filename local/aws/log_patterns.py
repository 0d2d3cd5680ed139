"""CloudWatch Logs' filter patterns, of which moto knows a few and takes the others for one that matches everything.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

Patterns for space-delimited lines (`[ip, user, …]`) are refused with InvalidParameterException.
"""

import functools
import re

from moto.core.exceptions import JsonRESTError
from moto.logs import models

from local.aws.log_json_patterns import InvalidPattern, Matches, json_pattern, regex, unquoted

_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|[^\s"]+)')


class EventMessageFilter:
    """moto.logs.utils.EventMessageFilter. Raises InvalidParameterException."""

    def __init__(self, pattern: str) -> None:
        try:
            self._matches = compiled(pattern or "")
        except InvalidPattern as error:
            raise JsonRESTError("InvalidParameterException", f"Invalid filter pattern: {error}") from None

    def matches(self, message: str) -> bool:
        return self._matches(message)


@functools.lru_cache(maxsize=64)
def compiled(pattern: str) -> Matches:
    """The function that tells whether a line matches. Raises InvalidPattern."""
    pattern = pattern.strip()
    if pattern.startswith("["):
        raise InvalidPattern("patterns for space-delimited lines are not evaluated by the local AWS")
    if pattern.startswith("{"):
        if not pattern.endswith("}"):
            raise InvalidPattern("it doesn't end with }")
        return json_pattern(pattern[1:-1])
    return _terms(pattern)


def _terms(pattern: str) -> Matches:
    required: list[Matches] = []
    optional: list[Matches] = []
    position = 0
    while position < len(pattern):
        found = _TERM.match(pattern, position)
        if found is None:
            raise InvalidPattern(f"no term at character {position}")
        position = found.end()
        sign, term = found.groups()
        contains = _containing(term)
        if sign == "?":
            optional.append(contains)
        else:
            required.append(_not(contains) if sign == "-" else contains)
    # "If you use ? with other terms, it is ignored", as the guide has it.
    if optional and not required:
        return lambda line: any(matches(line) for matches in optional)
    return lambda line: all(matches(line) for matches in required)


def _containing(term: str) -> Matches:
    if term.startswith("%") and term.endswith("%") and len(term) > 1:
        expression = regex(term)
        return lambda line: expression.search(line) is not None
    wanted = unquoted(term) if term.startswith('"') else term
    return lambda line: wanted in line


def _not(matches: Matches) -> Matches:
    return lambda line: not matches(line)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    models.EventMessageFilter = EventMessageFilter  # type: ignore[attr-defined,assignment]
