"""Which execution works on a recording: one at a time, so that nothing is paid for twice.

A claim is an object `claims/<transcript_id>` of the clinical bucket that names an execution. It holds while that
execution runs; what an execution that has ended left undone goes to the next that asks. Nothing is ever given back, so
nothing can be left behind.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambdas.shared.observability import logger
from lambdas.shared.storage import find_head, s3, write_json

# Two executions that plan at the same moment may get in each other's way once or twice.
MAXIMUM_ATTEMPTS = 10
# S3 user guide, "Conditional writes": the object is there, has changed, is gone, or is being written.
LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
ENDED_UNFINISHED = ("FAILED", "TIMED_OUT", "ABORTED")

stepfunctions = boto3.client("stepfunctions")


class Claims:
    """The claims of one execution, `execution_arn`, on recordings; may be used by several threads."""

    def __init__(self, bucket: str, execution_arn: str) -> None:
        self._bucket = bucket
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")
        self._statuses: dict[str, str] = {}

    def claim(self, transcript_id: str) -> str:
        """Take the recording unless another execution works on it; the name of the execution that has it now."""
        key = claim_key(transcript_id)
        condition: dict[str, Any] = {"IfNoneMatch": "*"}
        for _ in range(MAXIMUM_ATTEMPTS):
            try:
                # The name is the body too: another owner's claim must have another ETag.
                body, metadata = self._execution.encode(), {"execution": self._execution}
                s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=metadata, **condition)
                return self._execution
            except ClientError as error:
                if error.response["Error"]["Code"] not in LOST:
                    raise
            head = find_head(self._bucket, key)
            if head is None:
                condition = {"IfNoneMatch": "*"}
                continue
            owner: str = head["Metadata"]["execution"]
            if owner == self._execution or self._status(owner) in ("RUNNING", "PENDING_REDRIVE"):
                return owner
            condition = {"IfMatch": head["ETag"]}
        raise RuntimeError(f"{key} kept changing while execution {self._execution} tried to take it")

    def _status(self, execution: str) -> str:
        """Asked once each: thousands of recordings may have been left by the same execution.

        One that ended before it was done, and may be redriven, is told that it is taken over.
        """
        if execution not in self._statuses:
            status = self._describe(execution)
            if status in ENDED_UNFINISHED:
                write_json(self._bucket, takeover_key(execution), {"taken_over_by": self._execution})
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


def claim_key(transcript_id: str) -> str:
    return f"claims/{transcript_id}"


def takeover_key(execution: str) -> str:
    return f"batches/{execution}/taken-over.json"


def owner_of(bucket: str, transcript_id: str) -> str | None:
    """The name of the execution that has the recording, None if no execution has."""
    head = find_head(bucket, claim_key(transcript_id))
    return head["Metadata"]["execution"] if head else None


def takeover_of(bucket: str, execution: str) -> str:
    """Stands for the last time that another execution took recordings over from this one; empty for never."""
    head = find_head(bucket, takeover_key(execution))
    return head["ETag"] if head else ""
