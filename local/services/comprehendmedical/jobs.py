"""An entity detection job and its work, in a thread of its own.

The files are those of the guide's "Text analysis batch APIs": `<directory>/<document>.out` for each document, with the
answer of DetectEntitiesV2, `<directory>/Manifest`, and lists of processed and unprocessed documents. The lists' names,
and the error codes of unprocessed documents, are ours: the guide doesn't give them.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.engines import entities
from local.services.comprehendmedical.storage import Document, DocumentStore, JobFailure

SUBMITTED = "SUBMITTED"
IN_PROGRESS = "IN_PROGRESS"
COMPLETED = "COMPLETED"
PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
FAILED = "FAILED"
STOP_REQUESTED = "STOP_REQUESTED"
STOPPED = "STOPPED"
ACTIVE = frozenset({SUBMITTED, IN_PROGRESS, STOP_REQUESTED})

# "Each file must be less than 40 KB" (API reference, InputDataConfig). The quotas page says 70 KB and 1 GB a job.
MAXIMUM_DOCUMENT_BYTES = 40_000
MAXIMUM_JOB_BYTES = 10**9
METADATA_LIFETIME = timedelta(days=120)
JOB_TYPE = "EntitiesDetection"

engine: Callable[[str], dict[str, Any]] = entities.detect
"""Finds the entities of a text, for jobs and for DetectEntitiesV2; tests may replace it."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """Replaced as a whole, so that a reader in another thread never sees a status with another one's message."""

    status: str
    message: str | None = None
    end_time: datetime | None = None


@dataclass
class Job:
    """An entity detection job, started by `request`."""

    id: str
    arn: str
    account_id: str
    request: Mapping[str, Any]
    submit_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: State = State(SUBMITTED)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the state changes, by the job's thread or by a stop request."""

    @property
    def output_directory(self) -> str:
        """The key prefix of everything the job writes."""
        prefix = self.request["OutputDataConfig"].get("S3Key", "").strip("/")
        return f"{prefix}/{self._directory_name}/" if prefix else f"{self._directory_name}/"

    @property
    def manifest_key(self) -> str:
        """The key of the manifest."""
        return f"{self.output_directory}Manifest"

    def list_key(self, kind: str) -> str:
        """The key of the list of "success" or "failed" documents."""
        return f"{self.output_directory}Manifest_{self._directory_name}/{kind}/files.json"

    @property
    def _directory_name(self) -> str:
        return f"{self.account_id}-{JOB_TYPE}-{self.id}"

    def describe(self) -> dict[str, Any]:
        """ComprehendMedicalAsyncJobProperties. The output key is the directory that the job really writes to."""
        state = self.state
        return {
            "JobId": self.id,
            "JobName": self.request.get("JobName"),
            "JobStatus": state.status,
            "Message": state.message,
            "SubmitTime": self.submit_time,
            "EndTime": state.end_time,
            "ExpirationTime": self.submit_time + METADATA_LIFETIME,
            "InputDataConfig": self.request["InputDataConfig"],
            "OutputDataConfig": {
                "S3Bucket": self.request["OutputDataConfig"]["S3Bucket"],
                "S3Key": self.output_directory,
            },
            "LanguageCode": self.request["LanguageCode"],
            "DataAccessRoleArn": self.request["DataAccessRoleArn"],
            "ManifestFilePath": self.manifest_key,
            "KMSKey": self.request.get("KMSKey"),
            "ModelVersion": entities.MODEL_VERSION,
        }


@dataclass
class _Outcome:
    """The documents' outcomes: entries of the two lists, and the characters that AWS would charge for."""

    total: int = 0
    successes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    characters: int = 0


def start(job: Job) -> None:
    """Do the job in a new thread, from SUBMITTED to COMPLETED, PARTIAL_SUCCESS, FAILED or STOPPED."""
    threading.Thread(target=_run, args=(job,), name=f"entity detection {job.id}", daemon=True).start()


def request_stop(job: Job) -> None:
    """Make the job end before its next document; its files stay. Does nothing to a job that has ended."""
    with job.lock:
        if job.state.status in ACTIVE:
            job.state = State(STOP_REQUESTED)
            job.stop.set()


def _run(job: Job) -> None:
    with job.lock:
        if not job.stop.is_set():
            job.state = State(IN_PROGRESS)
    outcome = _Outcome()
    try:
        store = DocumentStore(job.request, job.arn)
        _process(job, store, outcome)
        status, message = _verdict(job, outcome)
        _write_manifest(job, store, outcome, status, message)
    except JobFailure as failure:
        status, message = FAILED, str(failure)
    except Exception as error:
        # After a defect here the job must end, too. The error's text isn't logged, because it may quote the document.
        place = "".join(traceback.format_tb(error.__traceback__))
        _logger.error("%s failed with %s\n%s", job.arn, type(error).__name__, place)
        status, message = FAILED, "The local Comprehend Medical failed; its log has the traceback"
    with job.lock:
        job.state = State(status, message, datetime.now(UTC))


def _process(job: Job, store: DocumentStore, outcome: _Outcome) -> None:
    documents = store.documents()
    outcome.total = len(documents)
    if not documents:
        raise JobFailure(f"There are no documents at {store.input_uri}")
    size = sum(document.size for document in documents)
    if size > MAXIMUM_JOB_BYTES:
        raise JobFailure(f"{store.input_uri} has {size} bytes; a job takes at most {MAXIMUM_JOB_BYTES}")
    for document in documents:
        if job.stop.is_set():
            return
        text, problem = _read(document, store)
        if problem:
            outcome.failures.append({"Input": document.key, "ErrorCode": problem[0], "ErrorMessage": problem[1]})
            continue
        output = f"{job.output_directory}{document.relative_key}.out"
        store.write_json(output, engine(text))
        outcome.successes.append({"Input": document.key, "Output": output, "InputSize": document.size})
        outcome.characters += len(text)


def _read(document: Document, store: DocumentStore) -> tuple[str, tuple[str, str] | None]:
    """The text, and the error code and message if the document can't be processed."""
    if document.size == 0:
        return "", ("EMPTY_DOCUMENT", "The document is empty; it must have at least one byte")
    if document.size > MAXIMUM_DOCUMENT_BYTES:
        limit = f"The document has {document.size} bytes; it may have at most {MAXIMUM_DOCUMENT_BYTES}"
        return "", ("DOCUMENT_SIZE_EXCEEDED", limit)
    try:
        return store.read(document).decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", ("INVALID_ENCODING", f"The document is not UTF-8 text: byte {error.start} is invalid")


def _verdict(job: Job, outcome: _Outcome) -> tuple[str, str | None]:
    failed, total = len(outcome.failures), outcome.total
    if job.stop.is_set() and len(outcome.successes) + failed < total:
        return STOPPED, None
    if failed == total:
        return FAILED, f"None of the {total} documents could be processed; {job.list_key('failed')} says why"
    if failed:
        return PARTIAL_SUCCESS, f"{failed} of {total} documents could not be processed; the manifest names their list"
    return COMPLETED, None


def _write_manifest(job: Job, store: DocumentStore, outcome: _Outcome, status: str, message: str | None) -> None:
    lists = {"success": outcome.successes, "failed": outcome.failures}
    for kind, files in lists.items():
        store.write_json(job.list_key(kind), {"Files": files})
    source = job.request["InputDataConfig"]
    summary = {
        "Status": status,
        "JobType": JOB_TYPE,
        "InputDataConfiguration": {"Bucket": source["S3Bucket"], "Path": source.get("S3Key", "")},
        "OutputDataConfiguration": {
            "Bucket": job.request["OutputDataConfig"]["S3Bucket"],
            "Path": job.output_directory,
        },
        "InputFileCount": outcome.total,
        "TotalMeteredCharacters": outcome.characters,
        "UnprocessedFilesCount": outcome.total - len(outcome.successes),
        "SuccessFilesCount": len(outcome.successes),
        "TotalDurationSeconds": round((datetime.now(UTC) - job.submit_time).total_seconds()),
        "SuccessfulFilesListLocation": job.list_key("success"),
        "UnprocessedFilesListLocation": job.list_key("failed"),
        "FailedJobErrorMessage": message if status == FAILED else "",
    }
    store.write_json(job.manifest_key, {"Summary": summary})
