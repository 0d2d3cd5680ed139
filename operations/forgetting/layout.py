"""What every object of an environment is, by its bucket and key, and how it tells of patients."""

import re
from typing import NamedTuple

from lambdas.shared import suppression_list
from operations.deployed import Deployed

# How the content of a kind is searched, and what is done with what names the patient among others.
RECORDING = "recording"  # of one patient, and nothing that we write: key and metadata say whose
SPEECH = "speech"  # of one recording, which the key names
DOCUMENT = "document"  # JSON: the items of lists go
JOB = "job"  # JSON of a service about a whole job: the words that name them are blacked out
LINES = "lines"  # JSON Lines: the lines go
PAGE = "page"  # HTML: the rows of tables go
ACCESS_LOG = "access log"  # the words of a line that name them are blacked out, who asked and when stays
QUERY_RESULT = "query result"  # goes as a whole
SUPPRESSION = "suppression"  # has to name them
UNKNOWN = "unknown"  # nothing is done: a person has to look


class Place(NamedTuple):
    """`kind` is what the report counts an object as, `content` how its content is searched."""

    kind: str
    content: str


_UNKNOWN = Place("others", UNKNOWN)
# By the beginning of the key, the first that fits.
_CLINICAL = (
    (re.compile(r"transcripts/"), Place("transcripts", SPEECH)),
    (re.compile(r"deidentified/"), Place("de-identified transcripts", SPEECH)),
    (re.compile(r"reports/"), Place("pages of recordings", SPEECH)),
    (re.compile(r"documents/"), Place("documents", SPEECH)),
    (re.compile(r"entities/.*\.out$"), Place("entity output", SPEECH)),
    (re.compile(r"entities/"), Place("entity output", DOCUMENT)),
    (re.compile(r"records/"), Place("records", LINES)),
    (re.compile(r"entity-jobs/.*\.json$"), Place("lists of documents", DOCUMENT)),
    (re.compile(r"queries/"), Place("query results", QUERY_RESULT)),
    (re.compile(r"batches/.*\.jsonl$"), Place("batch files", LINES)),
    (re.compile(r"batches/[^/]+/jobs/"), Place("batch files", JOB)),
    (re.compile(r"batches/.*\.json$"), Place("batch files", DOCUMENT)),
    (re.compile(r"batches/.*\.html$"), Place("pages of batches", PAGE)),
)
_AUDIENCE = (
    (re.compile(r"seeds/.*\.jsonl$"), Place("seeds", LINES)),
    (re.compile(r"seeds/.*\.json$"), Place("seeds", DOCUMENT)),
    (re.compile(re.escape(suppression_list.KEY) + "$"), Place("suppression list", SUPPRESSION)),
)
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
    if bucket == deployed.media and key.startswith("media/"):
        return Place("recordings", RECORDING)
    if bucket == deployed.clinical:
        return _first(_CLINICAL, key)
    if bucket == deployed.audience:
        return _first(_AUDIENCE, key)
    # The operations bucket has no objects of ours yet; what delivers logs names them so.
    return Place("access logs", ACCESS_LOG) if _ACCESS_LOG.match(key) else _UNKNOWN


# The prefix is the class of data (infra/storage.py); the rest is S3's own (S3 user guide, "Log object key format").
_ACCESS_LOG = re.compile(r"(?:media|clinical|audience|operations)/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]+$")


def rank(kind: str, key: str) -> tuple[int, bool]:
    """The order in which objects go, so that whatever is left after a cut can still be found."""
    return _ORDER.index(kind), key.endswith("/plan.json")


def execution_of(key: str) -> str | None:
    """The execution that a batch file belongs to."""
    match = re.match(r"batches/([^/]+)/", key)
    return match[1] if match else None


def _first(places: tuple[tuple[re.Pattern[str], Place], ...], key: str) -> Place:
    return next((place for pattern, place in places if pattern.match(key)), _UNKNOWN)
