"""What every object of an environment is, by its bucket and key, and how it tells of patients."""

import re
from typing import NamedTuple

from lambdas.shared.layout import AUDIENCE_OBJECTS, BATCHES, CLINICAL_OBJECTS, MEDIA_OBJECTS, PLAN, Content, Stored
from operations.deployed import Deployed


class Place(NamedTuple):
    """`kind` is what the report counts an object as, `content` how its content is searched."""

    kind: str
    content: Content


_UNKNOWN = Place("others", "unknown")
# What the ids are found in goes last, the plans at the very end: when it is cut off, the next run finds them again.
_ORDER = (
    "recordings",
    "others",
    "seeds",
    "transcripts",
    "de-identified transcripts",
    "pages of recordings",
    "documents",
    "entity output",
    "lists of documents",
    "query results",
    "access logs",
    "records",
    "pages of batches",
    "batch files",
)


def place_of(deployed: Deployed, bucket: str, key: str) -> Place:
    for ours, table in (
        (deployed.media, MEDIA_OBJECTS),
        (deployed.clinical, CLINICAL_OBJECTS),
        (deployed.audience, AUDIENCE_OBJECTS),
    ):
        if bucket == ours:
            return next((Place(row.kind, row.content) for row in table if _fits(row, key)), _UNKNOWN)
    # The operations bucket has no objects of ours yet; what delivers logs names them so.
    return Place("access logs", "access log") if _ACCESS_LOG.match(key) else _UNKNOWN


def _fits(row: Stored, key: str) -> bool:
    return key.startswith(row.prefix) and re.match(row.rest, key.removeprefix(row.prefix)) is not None


# The prefix is the class of data (infra/storage.py); the rest is S3's own (S3 user guide, "Log object key format").
_ACCESS_LOG = re.compile(r"(?:media|clinical|audience|operations)/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]+$")


def rank(kind: str, key: str) -> tuple[int, bool]:
    """The order in which objects go, so that whatever is left after a cut can still be found."""
    return _ORDER.index(kind), is_plan(key)


def is_plan(key: str) -> bool:
    return key.startswith(BATCHES) and key.endswith(f"/{PLAN}")


def execution_of(key: str) -> str | None:
    """The execution that a batch file belongs to."""
    match = re.match(rf"{BATCHES}([^/]+)/", key)
    return match[1] if match else None
