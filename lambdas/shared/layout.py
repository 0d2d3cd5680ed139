"""The keys in the buckets, the retention of each kind of object, and how each kind names patients.

infra/storage.py derives lifecycle rules from the tables at the end; operations/forgetting removes patients by them.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from lambdas.shared.stages import TRANSCRIPTION

MEDIA = "media/"
# Prefixes in the clinical bucket.
TRANSCRIPTS, DEIDENTIFIED, REPORTS = "transcripts/", "deidentified/", "reports/"
DOCUMENTS, ENTITY_JOBS, ENTITIES, RECORDS = "documents/", "entity-jobs/", "entities/", "records/"
BATCHES, QUERIES, SEARCHES = "batches/", "queries/", "searches/"
FINDINGS, UTTERANCES = "analysis/findings/", "analysis/utterances/"
# Prefixes in the audience bucket.
SEEDS, SUPPRESSION = "seeds/", "suppression/"
SUPPRESSION_LIST = f"{SUPPRESSION}user_ids.txt"

# Files and prefixes below a batch's prefix.
PLAN, RECORDINGS, SUMMARY, BATCH_REPORT = "plan.json", "recordings.json", "summary.json", "report.html"
REJECTIONS, JOB_RECORDS, UNREADABLE_RECORDS = "rejections/", "jobs/", "unreadable-records/"


def transcript_key(transcript_id: str) -> str:
    """Transcribe Medical writes the transcript here."""
    return f"{TRANSCRIPTS}{transcript_id}.json"


def deidentified_key(transcript_id: str) -> str:
    return f"{DEIDENTIFIED}{transcript_id}.json"


def recording_report_key(transcript_id: str) -> str:
    return f"{REPORTS}{transcript_id}.html"


def records_key(object_id: str) -> str:
    return f"{RECORDS}{object_id}.jsonl"


def object_id_of(key: str) -> str:
    """The id of the object whose records have this key."""
    return key.removeprefix(RECORDS).removesuffix(".jsonl")


def month_prefix(table: str, month: str) -> str:
    """The prefix of a month's files of the analysis table below `table`, FINDINGS or UTTERANCES.

    `month` is that of the recordings' upload, as in 2026-11; Hive's form of a partition's key.
    """
    return f"{table}month={month}/"


def findings_key(month: str, category: str, digit: str) -> str:
    """The findings of one category in the objects whose ids begin with the hexadecimal digit."""
    return f"{month_prefix(FINDINGS, month)}category={category}/{digit}.parquet"


def utterances_key(month: str, digit: str) -> str:
    """What was said in the recordings of these objects."""
    return f"{month_prefix(UTTERANCES, month)}{digit}.parquet"


def analysis_places(object_id: str, months: Iterable[str]) -> list[tuple[str, str]]:
    """The prefix and the end of the keys of the files that have rows of an object, if it has rows in these months.

    The ledger's item `analysed#<object id>` has the months.
    """
    tables, end = (FINDINGS, UTTERANCES), f"/{object_id[0]}.parquet"
    return [(month_prefix(table, month), end) for month in sorted(months) for table in tables]


def documents_prefix(base: str) -> str:
    """The prefix of the documents that an entity detection job reads."""
    return f"{DOCUMENTS}{base}/"


def job_documents_key(base: str) -> str:
    """The list of the job's documents."""
    return f"{ENTITY_JOBS}{base}.json"


def batch_prefix(batch_id: str) -> str:
    """The prefix of the files about a batch; the batch's id is the name of its execution."""
    return f"{BATCHES}{batch_id}/"


def plan_key(batch_id: str) -> str:
    return batch_prefix(batch_id) + PLAN


def document_index_key(batch_id: str, generation: int) -> str:
    """The index of the batch's documents, JSON Lines. The generation keeps two attempts of a step apart."""
    return f"{batch_prefix(batch_id)}documents-{generation}.jsonl"


def used_jobs_key(batch_id: str, generation: int) -> str:
    """The list of the entity detection jobs that cover these documents."""
    return f"{batch_prefix(batch_id)}used-jobs-{generation}.json"


def documented_key(batch_id: str, generation: int) -> str:
    """The list of the recordings with documents, which the Map CollectBatch reads."""
    return f"{batch_prefix(batch_id)}documented-{generation}.json"


def elsewhere_key(batch_id: str, generation: int) -> str:
    """The list of the recordings that other executions have."""
    return f"{batch_prefix(batch_id)}elsewhere-{generation}.json"


def collected_prefix(batch_id: str, generation: int) -> str:
    """The prefix of the counts that the children of the Map CollectBatch write."""
    return f"{batch_prefix(batch_id)}collected-{generation}/"


def collected_key(batch_id: str, generation: int, child: str, redrives: int, retries: int) -> str:
    """The counts by one attempt of a child; a later attempt's key is behind those of the earlier ones."""
    return f"{collected_prefix(batch_id, generation)}{child}-{redrives:04}-{retries:04}.json"


def last_attempts(keys: Iterable[str]) -> list[str]:
    """The key of each child's last attempt; `keys` are in the order of a listing."""
    return list({key.rsplit("-", 2)[0]: key for key in keys}.values())


def rejections_prefix(batch_id: str) -> str:
    return batch_prefix(batch_id) + REJECTIONS


def rejection_key(batch_id: str, media_id: str) -> str:
    return f"{rejections_prefix(batch_id)}{media_id}.json"


def job_records_prefix(batch_id: str, stage: str) -> str:
    return f"{batch_prefix(batch_id)}{JOB_RECORDS}{stage}/"


def unreadable_records_prefix(batch_id: str) -> str:
    """Sentences about the records that a rebuild could not read."""
    return batch_prefix(batch_id) + UNREADABLE_RECORDS


def search_prefix(search_id: str) -> str:
    """The prefix of a search's files; the id is the name of its execution."""
    return f"{SEARCHES}{search_id}/"


def search_request_key(search_id: str) -> str:
    """What is searched for, and where."""
    return f"{search_prefix(search_id)}request.json"


def search_ranges_key(search_id: str) -> str:
    """The ranges of keys and the segments of tables that the search is divided into."""
    return f"{search_prefix(search_id)}ranges.json"


def search_parts_prefix(search_id: str) -> str:
    """The prefix of what was found, a file per step of a range."""
    return f"{search_prefix(search_id)}parts/"


def search_part_key(search_id: str, number: int, step: int) -> str:
    """What one step of the range `number` found, and where the next step begins."""
    return f"{search_parts_prefix(search_id)}{number:05}-{step:05}.json"


def seed_key(cohort: str, seed_id: str) -> str:
    return f"{SEEDS}{cohort}/{seed_id}.jsonl"


def seed_pointer_key(cohort: str) -> str:
    """The pointer to the cohort's last seed."""
    return f"{SEEDS}{cohort}/latest.json"


# How an object's content names a patient, and which part of it forgetting removes.
Content = Literal[
    "recording",  # the whole object: the key and the metadata name the patient
    "speech",  # the whole object: the key names the recording
    "document",  # JSON: items of lists are removed
    "job",  # JSON of a service about a whole job: words that name the patient are blacked out
    "lines",  # JSON Lines: lines are removed
    "table",  # Parquet: rows of the patient are removed
    "page",  # HTML: rows of tables are removed
    "access log",  # words that name the patient are blacked out; the requester and the time stay
    "query result",  # the whole object
    "search",  # nothing: a search's own files are deleted when it has ended
    "suppression",  # nothing: the list has to name the patient
    "unknown",  # nothing: a person has to look
]
# The setting `<name>_expire_after_days` of cdk.json that gives the retention; None: the object never expires.
Expiry = Literal["recordings", "results", "intermediates"]


class Stored(NamedTuple):
    """The objects whose key begins with `prefix` and then a match of the expression `rest`; the first such row counts.

    Forgetting counts them under `kind`. `one_recording` is whether each is about one recording, which its key names.
    """

    prefix: str
    rest: str
    kind: str
    content: Content
    expiry: Expiry | None
    one_recording: bool = False


MEDIA_OBJECTS = (Stored(MEDIA, "", "recordings", "recording", "recordings", one_recording=True),)
CLINICAL_OBJECTS = (
    Stored(TRANSCRIPTS, "", "transcripts", "speech", "results", one_recording=True),
    Stored(DEIDENTIFIED, "", "de-identified transcripts", "speech", "results", one_recording=True),
    Stored(REPORTS, "", "pages of recordings", "speech", "results", one_recording=True),
    Stored(DOCUMENTS, "", "documents", "speech", "intermediates", one_recording=True),
    Stored(ENTITIES, r".*\.out$", "entity output", "speech", "intermediates", one_recording=True),
    Stored(ENTITIES, "", "entity output", "document", "intermediates"),
    Stored(ENTITY_JOBS, r".*\.json$", "lists of documents", "document", "intermediates"),
    Stored(RECORDS, "", "records", "lines", "results", one_recording=True),
    Stored(FINDINGS, "", "files of analysis tables", "table", "results"),
    Stored(UTTERANCES, "", "files of analysis tables", "table", "results"),
    Stored(QUERIES, "", "query results", "query result", "intermediates"),
    Stored(SEARCHES, "", "searches", "search", "intermediates"),
    Stored(BATCHES, rf"[^/]+/{JOB_RECORDS}{TRANSCRIPTION.name}/", "batch files", "job", "results", one_recording=True),
    Stored(BATCHES, rf"[^/]+/{JOB_RECORDS}", "batch files", "job", "results"),
    Stored(BATCHES, rf"[^/]+/{REJECTIONS}", "batch files", "document", "results", one_recording=True),
    Stored(BATCHES, r".*\.jsonl$", "batch files", "lines", "results"),
    Stored(BATCHES, r".*\.json$", "batch files", "document", "results"),
    Stored(BATCHES, r".*\.html$", "pages of batches", "page", "results"),
)
AUDIENCE_OBJECTS = (
    Stored(SEEDS, r".*\.jsonl$", "seeds", "lines", "results"),
    Stored(SEEDS, r".*\.json$", "seeds", "document", "results"),
    Stored(SUPPRESSION, r"user_ids\.txt$", "suppression list", "suppression", None),
)
