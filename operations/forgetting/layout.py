"""Classifies an environment's objects by bucket and key: their kind, and how their content may name patients."""

import re
from typing import NamedTuple

from lambdas.shared.layout import AUDIENCE_OBJECTS, BATCHES, CLINICAL_OBJECTS, MEDIA_OBJECTS, PLAN, Content, Stored
from operations.deployed import Deployed


class Category(NamedTuple):
    """`kind` is the name under which the report counts an object, `content` decides how its content is searched."""

    kind: str
    content: Content


_UNKNOWN = Category("others", "unknown")
# Objects that hold the patient's ids are deleted last, and the plans at the very end: after an interruption the next
# run looks the ids up in them.
_FIRST, _LAST = ("recordings",), ("records", "pages of batches", "batch files")


def category_of(deployed: Deployed, bucket: str, key: str) -> Category:
    for ours, table in (
        (deployed.media, MEDIA_OBJECTS),
        (deployed.clinical, CLINICAL_OBJECTS),
        (deployed.audience, AUDIENCE_OBJECTS),
    ):
        if bucket == ours:
            return next((Category(row.kind, row.content) for row in table if _fits(row, key)), _UNKNOWN)
    # The operations bucket holds access logs only.
    return Category("access logs", "access log") if _ACCESS_LOG.match(key) else _UNKNOWN


def _fits(row: Stored, key: str) -> bool:
    return key.startswith(row.prefix) and re.match(row.rest, key.removeprefix(row.prefix)) is not None


# The prefix is the class of data (infra/storage.py); the rest is S3's own (S3 user guide, "Log object key format").
_ACCESS_LOG = re.compile(r"(?:media|clinical|audience|operations)/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]+$")


def rank(kind: str, key: str) -> tuple[int, bool]:
    """The order in which objects are removed, so that the next run finds the rest after an interruption."""
    if kind in _LAST:
        return 1 + _LAST.index(kind), is_plan(key)
    return -1 if kind in _FIRST else 0, False


def is_plan(key: str) -> bool:
    return key.startswith(BATCHES) and key.endswith(f"/{PLAN}")


def execution_of(key: str) -> str | None:
    """The execution that a batch file belongs to."""
    match = re.match(rf"{BATCHES}([^/]+)/", key)
    return match[1] if match else None
