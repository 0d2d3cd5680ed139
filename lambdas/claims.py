"""Which execution works on a recording: one at a time, so that nothing is paid for twice.

A claim is an object `claims/<transcript_id>` of the clinical bucket that names an execution. It holds while that
execution runs; what an execution that has ended left undone goes to the next that asks. Nothing is ever given back, so
nothing can be left behind.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from lambdas.shared.observability import logger
from lambdas.shared.sdk import client
from lambdas.shared.storage import find_head, s3
from lambdas.takeovers import tell_takeover

# Two executions that plan at the same moment may get in each other's way once or twice.
MAXIMUM_ATTEMPTS = 10
# S3 user guide, "Conditional writes": the object is there, has changed, is gone, or is being written.
LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
NOBODY = ""
ENDED_UNFINISHED = ("FAILED", "TIMED_OUT", "ABORTED")

stepfunctions = client("stepfunctions")


class Claims:
    """The claims of one execution, `execution_arn`, on recordings; may be used by several threads."""

    def __init__(self, bucket: str, execution_arn: str) -> None:
        self._bucket = bucket
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")
        self._statuses: dict[str, str] = {}

    def claim(self, transcript_id: str) -> str:
        """Take the recording unless another execution works on it; the name of the execution that has it now."""
        key = claim_key(transcript_id)
        head: Mapping[str, Any] | None = None
        owner = self._execution
        for _ in range(MAXIMUM_ATTEMPTS):
            if _write(self._bucket, key, self._execution, head):
                return self._execution
            # Whoever kept it meanwhile runs again.
            self._statuses.pop(owner, None)
            head = find_head(self._bucket, key)
            if head is None:
                continue
            owner = owner_of(head)
            if owner == self._execution or (owner and self._status(owner) in ("RUNNING", "PENDING_REDRIVE")):
                return owner
        raise _never_still(key, self._execution)

    def _status(self, execution: str) -> str:
        """Asked once each: thousands of recordings may have been left by the same execution.

        One that ended before it was done, and may be redriven, is told that it is taken over.
        """
        if execution not in self._statuses:
            status = self._describe(execution)
            if status in ENDED_UNFINISHED:
                tell_takeover(self._bucket, execution, self._execution)
                # It may have been redriven before it could be told.
                status = self._describe(execution)
            self._statuses[execution] = status
            logger.info("other execution", extra={"execution_name": execution, "status": status})
        return self._statuses[execution]

    def _describe(self, execution: str) -> str:
        try:
            # Without the input and output, which would take the right to the state machine's key.
            answer = stepfunctions.describe_execution(
                executionArn=f"{self._arn_prefix}:{execution}", includedData="METADATA_ONLY"
            )
        except stepfunctions.exceptions.ExecutionDoesNotExist:
            return "FORGOTTEN"
        status: str = answer["status"]
        return status


def owner_of(head: Mapping[str, Any]) -> str:
    """The execution that a claim names. One that was copied or written by hand may name none: then it holds nothing."""
    name: str = head["Metadata"].get("execution", NOBODY)
    return name


def claim_key(transcript_id: str) -> str:
    return f"claims/{transcript_id}"


def keep(bucket: str, transcript_id: str, execution: str) -> str:
    """Claim the recording again after a redrive; the name of the execution that has it now.

    Writing is what keeps it: one that found this execution failed, and comes to take the recording, finds it changed.
    """
    key = claim_key(transcript_id)
    for _ in range(MAXIMUM_ATTEMPTS):
        head = find_head(bucket, key)
        owner = (owner_of(head) if head else NOBODY) or execution
        if owner != execution or _write(bucket, key, execution, head):
            return owner
    raise _never_still(key, execution)


def _write(bucket: str, key: str, execution: str, head: Mapping[str, Any] | None) -> bool:
    """Write the claim unless it is no longer as `head` says, None for not there; whether it was."""
    condition: dict[str, Any] = {"IfMatch": head["ETag"]} if head else {"IfNoneMatch": "*"}
    # Every claim must have another ETag, also one by the same execution.
    body, metadata = f"{execution} {uuid4()}".encode(), {"execution": execution}
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] not in LOST:
            raise
        return False
    return True


def _never_still(key: str, execution: str) -> RuntimeError:
    return RuntimeError(f"{key} kept changing while execution {execution} tried to take it")
