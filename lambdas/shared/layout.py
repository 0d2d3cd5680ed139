"""Where everything is in the buckets: the one home of keys, of how long it is stored, and of how it names patients.

infra/storage.py makes lifecycle rules of the tables at the end, and operations/forgetting removes patients by them.
"""

from typing import Literal, NamedTuple

MEDIA = "media/"
# Of the clinical bucket.
TRANSCRIPTS, DEIDENTIFIED, REPORTS = "transcripts/", "deidentified/", "reports/"
DOCUMENTS, ENTITY_JOBS, ENTITIES, RECORDS = "documents/", "entity-jobs/", "entities/", "records/"
BATCHES, QUERIES = "batches/", "queries/"
# Of the audience bucket.
SEEDS, SUPPRESSION = "seeds/", "suppression/"
SUPPRESSION_LIST = f"{SUPPRESSION}user_ids.txt"

# Of a batch, below its prefix.
PLAN, RECORDINGS, SUMMARY, BATCH_REPORT = "plan.json", "recordings.json", "summary.json", "report.html"
REJECTIONS, JOB_RECORDS = "rejections/", "jobs/"


def transcript_key(transcript_id: str) -> str:
    """Where Transcribe Medical is asked to write a transcript."""
    return f"{TRANSCRIPTS}{transcript_id}.json"


def deidentified_key(transcript_id: str) -> str:
    return f"{DEIDENTIFIED}{transcript_id}.json"


def recording_report_key(transcript_id: str) -> str:
    return f"{REPORTS}{transcript_id}.html"


def records_key(object_id: str) -> str:
    return f"{RECORDS}{object_id}.jsonl"


def documents_prefix(base: str) -> str:
    """Below it are the documents of an entity detection job, which the service reads."""
    return f"{DOCUMENTS}{base}/"


def job_documents_key(base: str) -> str:
    """The list of these documents."""
    return f"{ENTITY_JOBS}{base}.json"


def batch_prefix(batch_id: str) -> str:
    """Below it is what is written about a batch, whose id is the name of its execution."""
    return f"{BATCHES}{batch_id}/"


def plan_key(batch_id: str) -> str:
    return batch_prefix(batch_id) + PLAN


def rejections_prefix(batch_id: str) -> str:
    return batch_prefix(batch_id) + REJECTIONS


def rejection_key(batch_id: str, media_id: str) -> str:
    return f"{rejections_prefix(batch_id)}{media_id}.json"


def job_records_prefix(batch_id: str, stage: str) -> str:
    return f"{batch_prefix(batch_id)}{JOB_RECORDS}{stage}/"


def seed_key(cohort: str, seed_id: str) -> str:
    return f"{SEEDS}{cohort}/{seed_id}.jsonl"


def seed_pointer_key(cohort: str) -> str:
    """Names the cohort's last seed."""
    return f"{SEEDS}{cohort}/latest.json"


# How an object's content names patients, and what forgetting one does with it.
Content = Literal[
    "recording",  # of one patient, and nothing that we write: key and metadata say whose
    "speech",  # of one recording, which the key names
    "document",  # JSON: the items of lists go
    "job",  # JSON of a service about a whole job: the words that name them are blacked out
    "lines",  # JSON Lines: the lines go
    "page",  # HTML: the rows of tables go
    "access log",  # the words of a line that name them are blacked out, who asked and when stays
    "query result",  # goes as a whole
    "suppression",  # has to name them
    "unknown",  # nothing is done: a person has to look
]
# The setting of the environment that says for how long, none for ever: `<name>_expire_after_days` in cdk.json.
Expiry = Literal["recordings", "results", "intermediates"]


class Stored(NamedTuple):
    """The objects below `prefix` the rest of whose key begins as the expression `rest` says, if no row before it fits.

    `kind` is what forgetting counts them as.
    """

    prefix: str
    rest: str
    kind: str
    content: Content
    expiry: Expiry | None


MEDIA_OBJECTS = (Stored(MEDIA, "", "recordings", "recording", "recordings"),)
CLINICAL_OBJECTS = (
    Stored(TRANSCRIPTS, "", "transcripts", "speech", "results"),
    Stored(DEIDENTIFIED, "", "de-identified transcripts", "speech", "results"),
    Stored(REPORTS, "", "pages of recordings", "speech", "results"),
    Stored(DOCUMENTS, "", "documents", "speech", "intermediates"),
    Stored(ENTITIES, r".*\.out$", "entity output", "speech", "intermediates"),
    Stored(ENTITIES, "", "entity output", "document", "intermediates"),
    Stored(ENTITY_JOBS, r".*\.json$", "lists of documents", "document", "intermediates"),
    Stored(RECORDS, "", "records", "lines", "results"),
    Stored(QUERIES, "", "query results", "query result", "intermediates"),
    Stored(BATCHES, rf"[^/]+/{JOB_RECORDS}", "batch files", "job", "results"),
    Stored(BATCHES, r".*\.jsonl$", "batch files", "lines", "results"),
    Stored(BATCHES, r".*\.json$", "batch files", "document", "results"),
    Stored(BATCHES, r".*\.html$", "pages of batches", "page", "results"),
)
AUDIENCE_OBJECTS = (
    Stored(SEEDS, r".*\.jsonl$", "seeds", "lines", "results"),
    Stored(SEEDS, r".*\.json$", "seeds", "document", "results"),
    Stored(SUPPRESSION, r"user_ids\.txt$", "suppression list", "suppression", None),
)
