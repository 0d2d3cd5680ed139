"""Which execution works on a recording: one at a time, so that nothing is paid for twice.

An item `claim#<transcript id>` of the ledger names an execution. It holds while that execution runs; what one that has
ended left undone goes to the next that asks. Nothing is ever given back, so nothing can be left behind.

An item `execution#<name>` has the entity detection jobs that the execution answers for, and a generation. Whoever takes
recordings over from an execution moves its generation on first, and so does the execution itself when it looks at its
claims again. It may answer for another job only at the generation at which it looked: a claim that was taken meanwhile
shows. The jobs that cover documents of a recording go with its claim.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, Change, Item, only, read_item, read_items, write


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


def read_claims(transcript_ids: Iterable[str]) -> dict[str, Claim]:
    """By transcript id, the claims that there are."""
    items = read_items([claim_key(one) for one in transcript_ids])
    return {key.removeprefix(_CLAIM): _claim(item) for key, item in items.items()}


def read_standing(execution: str) -> Standing:
    return _standing(read_item(execution_key(execution)))


def begin(execution: str, planning: int) -> None:
    """Have earlier attempts of the execution's PlanBatch claim nothing any more.

    Raises:
        RuntimeError: a later attempt has begun.
    """
    for _ in range(MAXIMUM_ATTEMPTS):
        last = read_item(execution_key(execution)).get("planning")
        if last is not None and last > planning:
            break
        if write(Change(execution_key(execution), put={"planning": planning}, expected={"planning": last})) is not None:
            return
    raise RuntimeError(f"A later attempt of {execution} plans by now; this one ends.")


def fence(execution: str, seen: Standing) -> Standing | None:
    """Move another execution on before its claims are taken; None if it has moved on since it was `seen`."""
    moved = write(_move_on(execution, expected=seen.generation))
    return None if moved is None else _standing(moved)


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
