"""Which execution works on a recording: one at a time, so that nothing is paid for twice.

A claim is an object `claims/<transcript_id>` of the clinical bucket that names an execution. It holds while that
execution runs; what an execution that has ended left undone goes to the next that asks. Nothing is ever given back, so
nothing can be left behind.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from lambdas.shared.observability import logger
from lambdas.shared.sdk import client
from lambdas.shared.storage import CONDITION_NOT_MET, find_head, s3, unchanged
from lambdas.takeovers import tell_takeover

# Two executions that plan at the same moment may get in each other's way once or twice.
MAXIMUM_ATTEMPTS = 10
NOBODY = ""
ENDED_UNFINISHED = ("FAILED", "TIMED_OUT", "ABORTED")

stepfunctions = client("stepfunctions")


class Claims:
    """The claims of one execution, `execution_arn`, on recordings."""

    def __init__(self, bucket: str, execution_arn: str) -> None:
        self._bucket = bucket
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")

    def claim(self, pool: Executor, transcript_ids: Sequence[str]) -> dict[str, str]:
        """Take each recording unless another execution works on it; by transcript id, who has it now.

        In rounds: what an owner's status says of a claim counts only if it was asked for after the claim was read, and
        the claim is written only if it is still as it was read. An owner that is redriven in between writes its claims
        again (`keep`), and the next round finds it running. One question for each owner and round serves thousands of
        recordings that the same execution has left.
        """
        owners: dict[str, str] = {}
        heads: dict[str, Mapping[str, Any] | None] = dict.fromkeys(transcript_ids)
        for _ in range(MAXIMUM_ATTEMPTS):
            written = list(pool.map(partial(_write, self._bucket, self._execution), heads, heads.values()))
            owners |= {one: self._execution for one, taken in zip(heads, written, strict=True) if taken}
            lost = [one for one in heads if one not in owners]
            heads = dict(zip(lost, pool.map(lambda one: find_head(self._bucket, claim_key(one)), lost), strict=True))
            if not heads:
                return owners
            names = {one: owner_of(head) if head else NOBODY for one, head in heads.items()}
            working = {name for name in {*names.values()} - {NOBODY, self._execution} if self._works(name)}
            owners |= {one: name for one, name in names.items() if name == self._execution or name in working}
            heads = {one: head for one, head in heads.items() if one not in owners}
        raise _never_still(next(iter(heads)), self._execution)

    def _works(self, execution: str) -> bool:
        """Whether it is at work. One that ended before it was done, and may be redriven, is told of the takeover."""
        status = self._describe(execution)
        if status in ENDED_UNFINISHED:
            tell_takeover(self._bucket, execution, self._execution)
            # It may have been redriven before it could be told.
            status = self._describe(execution)
        logger.info("other execution", extra={"execution_name": execution, "status": status})
        return status in ("RUNNING", "PENDING_REDRIVE")

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
    for _ in range(MAXIMUM_ATTEMPTS):
        head = find_head(bucket, claim_key(transcript_id))
        owner = (owner_of(head) if head else NOBODY) or execution
        if owner != execution or _write(bucket, execution, transcript_id, head):
            return owner
    raise _never_still(transcript_id, execution)


def _write(bucket: str, execution: str, transcript_id: str, head: Mapping[str, Any] | None) -> bool:
    """Write the claim unless it is no longer as `head` says, None for not there; whether it was."""
    # Every claim must have another ETag, also one by the same execution.
    body, metadata = f"{execution} {uuid4()}".encode(), {"execution": execution}
    try:
        s3.put_object(Bucket=bucket, Key=claim_key(transcript_id), Body=body, Metadata=metadata, **unchanged(head))
    except ClientError as error:
        if error.response["Error"]["Code"] not in CONDITION_NOT_MET:
            raise
        return False
    return True


def _never_still(transcript_id: str, execution: str) -> RuntimeError:
    return RuntimeError(f"{claim_key(transcript_id)} kept changing while execution {execution} tried to take it")
