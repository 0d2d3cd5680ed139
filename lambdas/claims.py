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
from typing import NamedTuple

from lambdas.entity_jobs import documents_of, transcript_of
from lambdas.shared.ledger import (
    MAXIMUM_ATTEMPTS,
    MOST_CHANGES,
    Change,
    Item,
    batches,
    only,
    read_item,
    read_items,
    write,
    write_together,
)
from lambdas.shared.observability import logger
from lambdas.shared.sdk import client

stepfunctions = client("stepfunctions")


class Claim(NamedTuple):
    """Who works on a recording, which of its plannings has said so, and the jobs of earlier owners that cover it."""

    execution: str
    planning: int
    jobs: frozenset[str] = frozenset()


class Standing(NamedTuple):
    """An execution's generation, its last planning, and the entity detection jobs that it answers for."""

    generation: int = 0
    planning: int = 0
    jobs: frozenset[str] = frozenset()


class Claims:
    """The claims of one execution, `execution_arn`, on recordings. `bucket` has the lists of jobs' documents.

    `planning` numbers the attempts of its PlanBatch, the later the higher. Stopping an execution doesn't stop a
    function: one of an earlier attempt may claim nothing any more, since what it plans is never written.
    """

    def __init__(self, bucket: str, execution_arn: str, planning: int) -> None:
        self._bucket, self._planning = bucket, planning
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")

    def claim(self, pool: Executor, transcript_ids: Sequence[str]) -> dict[str, str]:
        """Take each recording unless another execution works on it; by transcript id, who has it now.

        In rounds: what was refused, because somebody else was at it, is read again. What an owner's status says of a
        claim counts only if it was asked for after the claim was read. One question for each owner and round serves
        thousands of recordings that the same execution has left.

        Raises:
            RuntimeError: a later attempt has begun, or others kept taking the recordings.
        """
        owners: dict[str, str] = {}
        self._begin()
        for _ in range(MAXIMUM_ATTEMPTS):
            left = [one for one in transcript_ids if one not in owners]
            if not left:
                return owners
            claims = read_claims(left)
            by_owner = defaultdict(list)
            for one in left:
                claim = claims.get(one)
                if claim and (claim.execution, claim.planning) == (self._execution, self._planning):
                    owners[one] = self._execution
                else:
                    by_owner[claim.execution if claim else self._execution].append(one)
            # Nobody's, or of an earlier attempt of this execution.
            owners |= self._take(by_owner.pop(self._execution, ()), claims)
            for owner, theirs in by_owner.items():
                owners |= self._take_over(pool, owner, theirs, claims)
        raise RuntimeError(f"{claim_key(left[0])} kept changing while execution {self._execution} tried to take it")

    def _begin(self) -> None:
        """Have earlier attempts claim nothing any more."""
        for _ in range(MAXIMUM_ATTEMPTS):
            last = read_item(execution_key(self._execution)).get("planning")
            if last is not None and last > self._planning:
                break
            begun = Change(
                execution_key(self._execution), put={"planning": self._planning}, expected={"planning": last}
            )
            if write(begun) is not None:
                return
        raise RuntimeError(f"A later attempt of {self._execution} plans by now; this one ends.")

    def _take(
        self,
        transcript_ids: Sequence[str],
        claims: Mapping[str, Claim],
        unmoved: Sequence[Change] = (),
        covering: Mapping[str, set[str]] | None = None,
    ) -> dict[str, str]:
        """Those that were taken, as they were read in `claims`, with the jobs that cover them."""
        own = Change(execution_key(self._execution), expected={"planning": self._planning})
        taken: dict[str, str] = {}
        # One after another, since they would be refused for the checks that they share.
        for part in batches(transcript_ids, MOST_CHANGES - 1 - len(unmoved)):
            changes = [
                Change(
                    claim_key(one),
                    put={"execution": self._execution, "planning": self._planning},
                    add={"jobs": covering[one]} if covering and one in covering else {},
                    expected={
                        "execution": claims[one].execution if one in claims else None,
                        "planning": claims[one].planning if one in claims else None,
                    },
                )
                for one in part
            ]
            if write_together([own, *unmoved, *changes]):
                taken |= dict.fromkeys(part, self._execution)
        return taken

    def _take_over(
        self, pool: Executor, owner: str, transcript_ids: Sequence[str], claims: Mapping[str, Claim]
    ) -> dict[str, str]:
        """Who has them now: `owner` if it works on them, this execution if not; those that were refused are left out.

        An owner that works has left what an earlier attempt of its PlanBatch has claimed, and a later one has not.
        """
        # Before its status: if it is redriven after that, its generation moves on.
        before = _standing(read_item(execution_key(owner)))
        owners: dict[str, str] = {}
        if self._works(owner):
            owners = {one: owner for one in transcript_ids if claims[one].planning == before.planning}
            transcript_ids = [one for one in transcript_ids if one not in owners]
        fence = write(_move_on(owner, expected=before.generation)) if transcript_ids else None
        if fence is None:
            return owners
        standing = _standing(fence)
        unmoved = Change(execution_key(owner), expected={"generation": standing.generation})
        return owners | self._take(transcript_ids, claims, [unmoved], self._covering(pool, standing.jobs))

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


def _move_on(execution: str, expected: int | None = None) -> Change:
    """Of an execution that has never looked at its claims, the generation is 0, which no item says."""
    as_read = {} if expected is None else {"generation": expected or None}
    return Change(execution_key(execution), add={"generation": 1}, expected=as_read)


def _claim(item: Item) -> Claim:
    return Claim(item["execution"], item["planning"], item.get("jobs", frozenset()))


def _standing(item: Item) -> Standing:
    return Standing(**only(item, Standing._fields))


_CLAIM = "claim#"


def claim_key(transcript_id: str) -> str:
    return f"{_CLAIM}{transcript_id}"


def execution_key(execution: str) -> str:
    return f"execution#{execution}"
