"""The sentence in what Step Functions says of a failure, for whoever shows it.

What Lambda reports of a function is JSON with a stack trace, cut off where it is too long; another execution, and
Lambda itself, pass it on with JSON or words around it; an error of the definition quotes the state's whole input.
Sources: Lambda developer guide, "Python function errors"; Step Functions developer guide, "Handling errors in
workflows" (Lambda.Unknown, States.Runtime); API reference, DescribeExecution.
"""

import json
import re
from contextlib import suppress
from typing import Any

_NO_REASON = "no reason is given"
# Of a function; of an execution, which has its own cause inside; of an API.
_MESSAGES = ("errorMessage", "Cause", "cause", "Message", "message")
_NAMES = ("errorType", "Error", "error")
_OBJECT = re.compile(r"""\{\s*(?:\\*["']|\}|\Z)""")
_CUT_OFF = re.compile(rf'"(?:{"|".join(_MESSAGES)})"\s*:\s*"((?:[^"\\]|\\.)*)')
_HALF_AN_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,3}$")
_STACK = "Traceback (most recent call last)"
_DECODER = json.JSONDecoder(strict=False)


def plain(cause: str | None) -> str:
    """What `cause` says to people, in one line: no stack trace, no JSON."""
    return _sentence(cause or "") or _NO_REASON


def _sentence(text: str) -> str | None:
    """None if `text` says nothing."""
    with suppress(ValueError):
        # JSON in a JSON string, as often as it was passed on.
        while text.startswith('"'):
            text = str(_DECODER.decode(text))
    told = " ".join(_without_stack(_without_documents(text)).split())
    return None if told in ("", "…", "None", "null") else told


def _without_stack(text: str) -> str:
    before, begin, stack = text.partition(_STACK)
    if not begin:
        return text
    last = stack.rstrip().splitlines()[-1]
    # The exception, unless the text ends before it.
    return before + (last if last[0] not in " \t:" else "…")


def _without_documents(text: str) -> str:
    """`text` with the message of each JSON object in the object's place, or with "…" where it has none."""
    found = _OBJECT.search(text)
    if not found:
        return text
    try:
        document, end = _DECODER.raw_decode(text, found.start())
    except (ValueError, RecursionError):
        document, end = _cut_off(text[found.start() :]), len(text)
    return text[: found.start()] + (_message(document) or "…") + _without_documents(text[end:])


def _cut_off(document: str) -> str | None:
    """The message in a JSON object that lacks its end."""
    found = _CUT_OFF.search(document)
    if not found:
        return None
    message: str = _DECODER.decode(f'"{_HALF_AN_ESCAPE.sub("", found[1])}"')
    return message if document[found.end() : found.end() + 1] == '"' else message + "…"


def _message(document: Any) -> str | None:
    if isinstance(document, str):
        return _sentence(document)
    if not isinstance(document, dict):
        return None
    for name in _MESSAGES:
        if message := _message(document.get(name)):
            return message
    return next((str(document[name]) for name in _NAMES if document.get(name)), None)
