"""Which execution works on a recording: one at a time, so that nothing is paid for twice.

An item `claim#<transcript id>` of the ledger names an execution. It holds while that execution runs; what one that has
ended left undone goes to the next that asks. Nothing is ever given back, so nothing can be left behind.

An item `execution#<name>` has the entity detection jobs that the execution answers for, and a generation. Whoever takes
recordings over from an execution moves its generation on first, and so does the execution itself when it looks at its
claims again. It may answer for another job only at the generation at which it looked: a claim that was taken meanwhile
shows. The jobs that cover documents of a recording go with its claim.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

from lambdas.entity_jobs import documents_of, transcript_of
from lambdas.shared.ledger import (
    MAXIMUM_ATTEMPTS,
    MOST_CHANGES,
    Change,
    Item,
    batches,
    read_item,
    read_items,
    write,
    write_together,
)
from lambdas.shared.observability import logger
from lambdas.shared.sdk import client

stepfunctions = client("stepfunctions")


class Claim(NamedTuple):
    """Who works on a recording, and the jobs of earlier owners that cover documents of it."""

    execution: str
    jobs: frozenset[str]


class Standing(NamedTuple):
    """An execution's generation, and the entity detection jobs that it answers for."""

    generation: int = 0
    jobs: frozenset[str] = frozenset()


class Claims:
    """The claims of one execution, `execution_arn`, on recordings. `bucket` has the lists of jobs' documents."""

    def __init__(self, bucket: str, execution_arn: str) -> None:
        self._bucket = bucket
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")

    def claim(self, pool: Executor, transcript_ids: Sequence[str]) -> dict[str, str]:
        """Take each recording unless another execution works on it; by transcript id, who has it now.

        In rounds: what was refused, because somebody else was at it, is read again. What an owner's status says of a
        claim counts only if it was asked for after the claim was read. One question for each owner and round serves
        thousands of recordings that the same execution has left.
        """
        owners: dict[str, str] = {}
        for _ in range(MAXIMUM_ATTEMPTS):
            left = [one for one in transcript_ids if one not in owners]
            if not left:
                return owners
            claims = read_claims(left)
            free = [one for one in left if one not in claims]
            created = pool.map(partial(_create, self._execution), free)
            owners |= {one: self._execution for one, made in zip(free, created, strict=True) if made}
            by_owner = defaultdict(list)
            for one, claim in claims.items():
                by_owner[claim.execution].append(one)
            owners |= dict.fromkeys(by_owner.pop(self._execution, ()), self._execution)
            for owner, theirs in by_owner.items():
                owners |= self._take_over(pool, owner, theirs)
        raise RuntimeError(f"{claim_key(left[0])} kept changing while execution {self._execution} tried to take it")

    def _take_over(self, pool: Executor, owner: str, transcript_ids: Sequence[str]) -> dict[str, str]:
        """Who has them now: `owner` if it works, this execution if it doesn't; those that were refused are left out."""
        # Before its status: if it is redriven after that, its generation moves on.
        before = _standing(read_item(execution_key(owner)))
        if self._works(owner):
            return dict.fromkeys(transcript_ids, owner)
        fence = write(_move_on(owner, expected=before.generation))
        if fence is None:
            return {}
        standing = _standing(fence)
        covering = self._covering(pool, standing.jobs)
        unmoved = Change(execution_key(owner), expected={"generation": standing.generation})
        taken: dict[str, str] = {}
        # One after another, since they would be refused for the check that they share.
        for part in batches(transcript_ids, MOST_CHANGES - 1):
            changes = [
                Change(
                    claim_key(one),
                    put={"execution": self._execution},
                    add={"jobs": covering[one]} if one in covering else {},
                    expected={"execution": owner},
                )
                for one in part
            ]
            if write_together([unmoved, *changes]):
                taken |= dict.fromkeys(part, self._execution)
        return taken

    def _covering(self, pool: Executor, jobs: Iterable[str]) -> Mapping[str, set[str]]:
        """Transcript id -> those of the jobs that cover documents of it."""
        covering: dict[str, set[str]] = {}
        for base, documents in zip(jobs, pool.map(partial(documents_of, self._bucket), jobs), strict=True):
            for name in documents.names:
                covering.setdefault(transcript_of(name), set()).add(base)
        return covering

    def _works(self, execution: str) -> bool:
        """Whether it is at work, or about to be."""
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


def read_claims(transcript_ids: Iterable[str]) -> dict[str, Claim]:
    """By transcript id, the claims that there are."""
    items = read_items([claim_key(one) for one in transcript_ids])
    return {key.removeprefix(_CLAIM): _claim(item) for key, item in items.items()}


def look_again(execution: str) -> Standing:
    """Move the execution on before it reads its claims: who comes to take them from now on is refused, and looks again.

    What it prepared before, it can't start any more.
    """
    return _standing(write(_move_on(execution)) or {})


def answer_for(execution: str, job: str, generation: int) -> bool:
    """Have the execution answer for a job before it starts it; False if its claims may have been taken since."""
    change = Change(execution_key(execution), add={"jobs": {job}}, expected={"generation": generation})
    return write(change) is not None


def _create(execution: str, transcript_id: str) -> bool:
    change = Change(claim_key(transcript_id), put={"execution": execution}, expected={"execution": None})
    return write(change) is not None


def _move_on(execution: str, expected: int | None = None) -> Change:
    """Of an execution that has never looked at its claims, the generation is 0, which no item says."""
    as_read = {} if expected is None else {"generation": expected or None}
    return Change(execution_key(execution), add={"generation": 1}, expected=as_read)


def _claim(item: Item) -> Claim:
    return Claim(item["execution"], item.get("jobs", frozenset()))


def _standing(item: Item) -> Standing:
    known: Mapping[str, Any] = {name: value for name, value in item.items() if name in Standing._fields}
    return Standing(**known)


_CLAIM = "claim#"


def claim_key(transcript_id: str) -> str:
    return f"{_CLAIM}{transcript_id}"


def execution_key(execution: str) -> str:
    return f"execution#{execution}"
