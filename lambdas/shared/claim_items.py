"""The claims on recordings: one execution at a time works on a recording, so nothing is paid for twice.

The ledger item `claim#<transcript id>` names the owner, an execution. The claim holds while the owner runs; once the
owner has ended, the next execution that asks takes unfinished recordings over. No claim has to be released, so a crash
can't leave a claim behind. An execution that waits lets go of all its claims by a higher number of its planning.

The ledger item `execution#<name>` has the execution's generation and the entity detection jobs it answers for. A
takeover first increments the owner's generation, and so does the owner before it reads its claims again. The owner may
answer for another job only at the generation at which it read its claims, so it notices a takeover. The jobs that cover
documents of a recording pass on with its claim.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, Change, Item, only, read_item, read_items, write
from lambdas.shared.ledger_keys import about, claim_key, execution_key


class Claim(NamedTuple):
    """A recording's owner, the number of the planning that claimed it, and earlier owners' jobs that cover it."""

    execution: str
    planning: int
    jobs: frozenset[str] = frozenset()


class ExecutionItem(NamedTuple):
    """An execution's generation, its last planning, and the entity detection jobs that it answers for.

    `waits_for_cents` is the estimate of an execution that waits for its day's ceiling, 0 for any other.
    """

    generation: int = 0
    planning: int = 0
    jobs: frozenset[str] = frozenset()
    waits_for_cents: int = 0


def read_claims(transcript_ids: Iterable[str]) -> dict[str, Claim]:
    """The claims by transcript id; a recording without a claim is left out."""
    items = read_items([claim_key(transcript_id) for transcript_id in transcript_ids])
    return {about(key): _claim(item) for key, item in items.items()}


def read_execution_item(execution: str) -> ExecutionItem:
    return _execution_item(read_item(execution_key(execution)))


def begin_planning(execution: str, planning: int) -> None:
    """Record the number of this planning, so that earlier attempts of the execution's PlanBatch can't claim any more.

    Raises:
        RuntimeError: a later attempt has begun.
    """
    for _ in range(MAXIMUM_ATTEMPTS):
        last = read_item(execution_key(execution)).get("planning")
        if last is not None and last > planning:
            break
        if write(Change(execution_key(execution), put={"planning": planning}, expected={"planning": last})) is not None:
            return
    raise RuntimeError(_LATER_ATTEMPT.format(execution))


def check_planning(execution: str, planning: int) -> None:
    """Raises RuntimeError if a later attempt than `planning` has begun."""
    if read_execution_item(execution).planning != planning:
        raise RuntimeError(_LATER_ATTEMPT.format(execution))


def let_go(execution: str, planning: int, waits_for_cents: int) -> None:
    """Let other executions have what `planning` has claimed, while this execution waits for its day's ceiling.

    The next number of a planning claims nothing. If a later attempt has begun, its claims stay.
    """
    put = {"planning": planning + 1, "waits_for_cents": waits_for_cents}
    write(Change(execution_key(execution), put=put, expected={"planning": planning}))


def fence(execution: str, seen: ExecutionItem) -> ExecutionItem | None:
    """Increment another execution's generation before a takeover; None if the generation has changed since `seen`."""
    moved = write(_move_on(execution, expected=seen.generation))
    return None if moved is None else _execution_item(moved)


def advance_generation(execution: str) -> ExecutionItem:
    """Increment the execution's own generation before it reads its claims.

    A concurrent takeover then fails and starts over, and a job prepared at the old generation can't start any more.
    """
    return _execution_item(write(_move_on(execution)) or {})


def answer_for(execution: str, job: str, generation: int) -> bool:
    """Record that the execution answers for a job, before its start; False if a takeover may have happened since."""
    change = Change(execution_key(execution), add={"jobs": {job}}, expected={"generation": generation})
    return write(change) is not None


def _move_on(execution: str, expected: int | None = None) -> Change:
    """`expected` is 0 for an execution that has no generation yet: its item then lacks the attribute."""
    as_read = {} if expected is None else {"generation": expected or None}
    return Change(execution_key(execution), add={"generation": 1}, expected=as_read)


def _claim(item: Item) -> Claim:
    return Claim(item["execution"], item["planning"], item.get("jobs", frozenset()))


def _execution_item(item: Item) -> ExecutionItem:
    return ExecutionItem(**only(item, ExecutionItem._fields))


_LATER_ATTEMPT = "A later attempt of PlanBatch has begun for execution {}; this attempt ends."
