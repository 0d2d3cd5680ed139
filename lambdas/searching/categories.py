"""The kinds of an environment's objects, by bucket and key, and how their contents may name patients."""

import re
from typing import NamedTuple

from lambdas.shared.layout import AUDIENCE_OBJECTS, BATCHES, CLINICAL_OBJECTS, MEDIA_OBJECTS, PLAN, Content, Stored


class Category(NamedTuple):
    """`kind` is the name under which forgetting counts an object, `content` decides how its content is searched.

    `one_recording` is whether the object is about one recording, which its key names.
    """

    kind: str
    content: Content
    one_recording: bool = False


class Buckets(NamedTuple):
    """The names of an environment's buckets by their classes of data."""

    media: str
    clinical: str
    audience: str
    operations: str


_DERIVED_ID = re.compile(r"[0-9a-f]{32}")
_UNKNOWN = Category("others", "unknown")


def category_of(buckets: Buckets, bucket: str, key: str) -> Category:
    for ours, table in (
        (buckets.media, MEDIA_OBJECTS),
        (buckets.clinical, CLINICAL_OBJECTS),
        (buckets.audience, AUDIENCE_OBJECTS),
    ):
        if bucket == ours:
            return next((_category(row, key) for row in table if _fits(row, key)), _UNKNOWN)
    # Of the other buckets, one holds access logs only, and the rest nothing.
    return Category("access logs", "access log") if _ACCESS_LOG.match(key) else _UNKNOWN


def _category(row: Stored, key: str) -> Category:
    one_recording = row.one_recording and _DERIVED_ID.search(key.rpartition("/")[2]) is not None
    return Category(row.kind, row.content, one_recording)


def _fits(row: Stored, key: str) -> bool:
    return key.startswith(row.prefix) and re.match(row.rest, key.removeprefix(row.prefix)) is not None


# The prefix is the class of data (infra/storage.py); the rest is S3's own (S3 user guide, "Log object key format").
_ACCESS_LOG = re.compile(r"(?:media|clinical|audience|operations)/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]+$")


def is_plan(key: str) -> bool:
    return key.startswith(BATCHES) and key.endswith(f"/{PLAN}")


def execution_of(key: str) -> str | None:
    """The execution that a batch file belongs to."""
    match = re.match(rf"{BATCHES}([^/]+)/", key)
    return match[1] if match else None
