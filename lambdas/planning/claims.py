"""How an execution takes the recordings that it works on: those that no execution works on, and those of ended ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

from lambdas.entities.jobs import documents_of, transcript_of
from lambdas.planning.other_executions import works
from lambdas.shared.claim_items import Claim, begin, claim_key, execution_key, fence, read_claims, read_standing
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, MOST_CHANGES, Change, batches, write_together


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
        begin(self._execution, self._planning)
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
        seen = read_standing(owner)
        owners: dict[str, str] = {}
        if works(f"{self._arn_prefix}:{owner}"):
            owners = {one: owner for one in transcript_ids if claims[one].planning == seen.planning}
            transcript_ids = [one for one in transcript_ids if one not in owners]
        fenced = fence(owner, seen) if transcript_ids else None
        if fenced is None:
            return owners
        unmoved = Change(execution_key(owner), expected={"generation": fenced.generation})
        return owners | self._take(transcript_ids, claims, [unmoved], self._covering(pool, fenced.jobs))

    def _covering(self, pool: Executor, jobs: Iterable[str]) -> Mapping[str, set[str]]:
        """Transcript id -> those of the jobs that cover documents of it."""
        covering: dict[str, set[str]] = {}
        for base, documents in zip(jobs, pool.map(partial(documents_of, self._bucket), jobs), strict=True):
            for name in documents.names:
                covering.setdefault(transcript_of(name), set()).add(base)
        return covering
