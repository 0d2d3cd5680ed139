"""Extracts the sentence for people from the cause of a failure: the one place that unwraps a cause.

Lambda reports a function's error as JSON with a stack trace, truncated if it is too long. Lambda itself and a parent
execution wrap that into more JSON or text. An error of the definition quotes the state's whole input.
Sources: Lambda developer guide, "Python function errors"; Step Functions developer guide, "Handling errors in
workflows" (Lambda.Unknown, States.Runtime); API reference, DescribeExecution.
"""

import json
import re
from contextlib import suppress
from typing import Any

_NO_REASON = "no reason is given"
# Members of the JSON of a function, of an execution (with its own cause inside) and of an API.
_MESSAGES = ("errorMessage", "Cause", "cause", "Message", "message")
_NAMES = ("errorType", "Error", "error")
_OBJECT = re.compile(r"""\{\s*(?:\\*["']|\}|\Z)""")
_CUT_OFF = re.compile(rf'"(?:{"|".join(_MESSAGES)})"\s*:\s*"((?:[^"\\]|\\.)*)')
_HALF_AN_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,3}$")
_STACK = "Traceback (most recent call last)"
_DECODER = json.JSONDecoder(strict=False)


def plain(cause: str | None) -> str:
    """The message in `cause`, in one line, without stack trace and JSON."""
    return _sentence(cause or "") or _NO_REASON


def _sentence(text: str) -> str | None:
    """None if `text` holds no message."""
    with suppress(ValueError):
        # Each service that passes a cause on may encode it once more.
        while text.startswith('"'):
            text = str(_DECODER.decode(text))
    sentence = " ".join(_without_stack(_without_documents(text)).split())
    return None if sentence in ("", "…", "None", "null") else sentence


def _without_stack(text: str) -> str:
    before, begin, stack = text.partition(_STACK)
    if not begin:
        return text
    last = stack.rstrip().splitlines()[-1]
    # The last line is the exception, unless the text was truncated before it.
    return before + (last if last[0] not in " \t:" else "…")


def _without_documents(text: str) -> str:
    """`text` with each JSON object replaced by its message, or by "…" if it has none."""
    found = _OBJECT.search(text)
    if not found:
        return text
    try:
        document, end = _DECODER.raw_decode(text, found.start())
    except (ValueError, RecursionError):
        document, end = _cut_off(text[found.start() :]), len(text)
    return text[: found.start()] + (_message(document) or "…") + _without_documents(text[end:])


def _cut_off(document: str) -> str | None:
    """The message in a truncated JSON object."""
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
