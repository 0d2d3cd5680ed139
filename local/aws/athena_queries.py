"""Runs Athena queries with the caller's rights; moto returns an empty result for each.

A query reads its tables (`local.aws.athena_tables`), and writes its result to S3, each by a call with the caller's
credentials, as Athena does: https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html.

Differences from AWS. The engine is that of `local.engines.athena_sql`. The bytes that are scanned are those of whole
files, where Athena reads only some columns of Parquet. A result has no metadata file beside it.
"""

import logging
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.athena.models import WorkGroup

from local.aws.athena_tables import Caller, Unsuccessful, message, read_table
from local.aws.s3_uris import split_uri

if TYPE_CHECKING:
    from local.engines.athena_sql import Answer

UNFINISHED = ("QUEUED", "RUNNING")
"""The states of a query that can still change."""

_log = logging.getLogger(__name__)


@dataclass
class QueryExecution:
    """A query with the attributes that moto expects of one; `answer` is there once it has SUCCEEDED."""

    query: str
    context: dict[str, str]
    workgroup: WorkGroup
    config: dict[str, Any]
    execution_parameters: None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "QUEUED"
    reason: str = ""
    start_time: float = field(default_factory=time.time)
    end_time: float | None = None
    bytes_scanned: int = 0
    answer: "Answer | None" = None

    def __post_init__(self) -> None:
        folder = self.config["OutputLocation"]
        self.config["OutputLocation"] = f"{folder.rstrip('/')}/{self.id}.csv"
        self._changing = threading.Lock()

    def advance(self) -> None:
        """Nothing: moto calls this to change the status at each read."""

    def start(self, caller: Caller) -> None:
        """Run in a thread of its own."""
        threading.Thread(target=self._run, args=(caller,), name=f"athena-{self.id}", daemon=True).start()

    def stop(self) -> None:
        """Cancel the query, unless it has ended."""
        with self._changing:
            if self.status in UNFINISHED:
                self.status, self.end_time = "CANCELLED", time.time()

    def _run(self, caller: Caller) -> None:
        with self._changing:
            if self.status != "QUEUED":
                return
            self.status = "RUNNING"
        try:
            answer = self._answer(caller)
            self._write(caller, answer)
            self.answer, state = answer, "SUCCEEDED"
        except Unsuccessful as failure:
            self.reason, state = str(failure), failure.state
        except Exception as error:
            # The error's text may quote records.
            _log.warning("query %s failed: %s", self.id, type(error).__name__)
            self.reason, state = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}", "FAILED"
        with self._changing:
            # A stopped query stays stopped. The status is set last, because readers then expect the rest.
            if self.status == "RUNNING":
                self.end_time, self.status = time.time(), state

    def _answer(self, caller: Caller) -> "Answer":
        # Imported here because the import takes a third of a second, and queries are rare.
        from local.engines import athena_sql

        database = self.context.get("Database", "default").lower()
        try:
            names = athena_sql.tables_of(self.query, database)
            tables = {named: read_table(caller, self.query, database, named, self._scanned) for named in sorted(names)}
            return athena_sql.run(self.query, database, tables)
        except athena_sql.QueryFailed as failure:
            raise Unsuccessful(str(failure)) from None

    def _scanned(self, size: int) -> None:
        """Count what is read. Raises Unsuccessful above the workgroup's limit."""
        limit = self.workgroup.configuration.get("BytesScannedCutoffPerQuery")
        self.bytes_scanned += size
        if limit is not None and self.bytes_scanned > limit:
            raise Unsuccessful("Query cancelled! : Bytes scanned limit was exceeded", "CANCELLED")

    def _write(self, caller: Caller, answer: "Answer") -> None:
        bucket, key = split_uri(self.config["OutputLocation"])
        text = _line([name for name, _ in answer.columns]) + "".join(_line(row) for row in answer.rows)
        options = _encryption(self.config.get("EncryptionConfiguration"))
        if owner := self.config.get("ExpectedBucketOwner"):
            options["ExpectedBucketOwner"] = owner
        try:
            caller.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode(), **options)
        except ClientError as error:
            location = self.config["OutputLocation"]
            raise Unsuccessful(f"Access denied when writing output to url: {location}. {message(error)}") from None


def _line(row: Sequence[str | None]) -> str:
    # The csv module would write NULL and an empty string alike.
    cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)
    return ",".join(cells) + "\n"


def _encryption(configured: Mapping[str, str] | None) -> dict[str, str]:
    match (configured or {}).get("EncryptionOption"):
        case "SSE_KMS":
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": (configured or {})["KmsKey"]}
        case "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        case None:
            return {}
        case other:
            raise Unsuccessful(f"NOT_SUPPORTED: the local AWS encrypts results with SSE_KMS or SSE_S3, not {other}")
