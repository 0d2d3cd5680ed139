"""Claim recordings for an execution: unclaimed ones, and those of executions that have ended (takeover)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

from lambdas.entities.jobs import documents_of, transcript_of
from lambdas.planning.other_executions import works
from lambdas.shared.claim_items import Claim, begin_planning, fence, read_claims, read_execution_item
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, MOST_CHANGES, Change, batches, write_together
from lambdas.shared.ledger_keys import claim_key, execution_key


class Claims:
    """The claims of one execution, `execution_arn`, on recordings. `bucket` has the lists of jobs' documents.

    `planning` numbers the attempts of the execution's PlanBatch in ascending order. Stopping an execution doesn't stop
    its functions, so an earlier attempt may still run; it can't claim any more, since its plan is never written.
    """

    def __init__(self, bucket: str, execution_arn: str, planning: int) -> None:
        self._bucket, self._planning = bucket, planning
        self._arn_prefix, _, self._execution = execution_arn.rpartition(":")

    def claim(self, pool: Executor, transcript_ids: Sequence[str]) -> dict[str, str]:
        """Claim each recording unless another execution works on it; return the owners by transcript id.

        The method works in rounds: refused claims are read again in the next round. An owner's status counts only if it
        was read after the claim. One DescribeExecution per owner and round serves thousands of recordings.

        Raises:
            RuntimeError: a later attempt has begun, or a claim changed in every round.
        """
        owners: dict[str, str] = {}
        begin_planning(self._execution, self._planning)
        for _ in range(MAXIMUM_ATTEMPTS):
            left = [transcript_id for transcript_id in transcript_ids if transcript_id not in owners]
            if not left:
                return owners
            claims = read_claims(left)
            by_owner = defaultdict(list)
            for transcript_id in left:
                claim = claims.get(transcript_id)
                if claim and (claim.execution, claim.planning) == (self._execution, self._planning):
                    owners[transcript_id] = self._execution
                else:
                    by_owner[claim.execution if claim else self._execution].append(transcript_id)
            # Unclaimed recordings, and claims of an earlier attempt of this execution.
            owners |= self._take(by_owner.pop(self._execution, ()), claims)
            for owner, theirs in by_owner.items():
                owners |= self._take_over(pool, owner, theirs, claims)
        raise RuntimeError(
            f"{claim_key(left[0])} changed {MAXIMUM_ATTEMPTS} times while execution {self._execution} tried to take it"
        )

    def _take(
        self,
        transcript_ids: Sequence[str],
        claims: Mapping[str, Claim],
        unmoved: Sequence[Change] = (),
        covering: Mapping[str, set[str]] | None = None,
    ) -> dict[str, str]:
        """Write the claims that are still as read in `claims`, with their covering jobs; return the new owners."""
        own = Change(execution_key(self._execution), expected={"planning": self._planning})
        taken: dict[str, str] = {}
        # One after another: transactions with the same checks would refuse each other.
        for part in batches(transcript_ids, MOST_CHANGES - 1 - len(unmoved)):
            changes = [
                Change(
                    claim_key(transcript_id),
                    put={"execution": self._execution, "planning": self._planning},
                    add={"jobs": covering[transcript_id]} if covering and transcript_id in covering else {},
                    expected={
                        "execution": claims[transcript_id].execution if transcript_id in claims else None,
                        "planning": claims[transcript_id].planning if transcript_id in claims else None,
                    },
                )
                for transcript_id in part
            ]
            if write_together([own, *unmoved, *changes]):
                taken |= dict.fromkeys(part, self._execution)
        return taken

    def _take_over(
        self, pool: Executor, owner: str, transcript_ids: Sequence[str], claims: Mapping[str, Claim]
    ) -> dict[str, str]:
        """The owners now: `owner` if it works on the recordings, else this execution; refused claims are left out.

        A running owner works only on the claims of its last planning; claims of its earlier plannings are free.
        """
        # Read before the status: a redrive after the status was read increments the generation.
        seen = read_execution_item(owner)
        owners: dict[str, str] = {}
        if works(f"{self._arn_prefix}:{owner}"):
            owners = dict.fromkeys((key for key in transcript_ids if claims[key].planning == seen.planning), owner)
            transcript_ids = [key for key in transcript_ids if key not in owners]
        fenced = fence(owner, seen) if transcript_ids else None
        if fenced is None:
            return owners
        unmoved = Change(execution_key(owner), expected={"generation": fenced.generation})
        return owners | self._take(transcript_ids, claims, [unmoved], self._covering(pool, fenced.jobs))

    def _covering(self, pool: Executor, jobs: Iterable[str]) -> Mapping[str, set[str]]:
        """Transcript id -> the jobs that cover its documents."""
        covering: dict[str, set[str]] = {}
        for base, documents in zip(jobs, pool.map(partial(documents_of, self._bucket), jobs), strict=True):
            for name in documents.names:
                covering.setdefault(transcript_of(name), set()).add(base)
        return covering
