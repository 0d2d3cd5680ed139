"""The money that the executions of a day may spend: the ledger's item `spending#<date>`, one for each day (UTC).

The item has one attribute for each execution that was planned on that day: a digest of the execution's name, with its
cents. An execution puts its own number and never adds to it, so a repeated or lost answer, a repeated attempt and a
redrive change nothing else, and there is no counter that could drift. The day's spending is the sum of the numbers.

A reservation is written under two conditions. `sequence` is as read, and every write increments it: of two executions
that want the last dollars, the second reads the sum again. The execution's `planning` is this attempt's, so that an
attempt which was left behind can't replace the reservation of a later one.

The number of an execution is its estimate at first. When the batch has its transcripts, the real cost replaces it. The
estimate of an execution that ends earlier stays in the sum of its day, because some of its jobs may have been paid. The
money counts for the day on which the batch was planned, even if it is spent after midnight.

An item has some 40 bytes per execution, of the 400 KB that DynamoDB allows (Developer Guide, "Quotas in Amazon
DynamoDB"). After MOST_EXECUTIONS on one day the next ones wait for the next day; Comprehend Medical, with ten jobs at a
time, takes fewer batches a day. Old items stay: 365 a year, without names.
"""

from datetime import UTC, datetime

from lambdas.shared.claim_items import check_planning
from lambdas.shared.identity import digest
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, Change, Item, pause, read_item, write, write_together
from lambdas.shared.ledger_keys import execution_key

MOST_EXECUTIONS = 8_000


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def left_cents(day: str, execution: str, ceiling_cents: int) -> int:
    """The cents of the day that the other executions leave to this one; negative if they cost more than estimated."""
    return _left(read_item(spending_key(day)), execution, ceiling_cents)


def reserve(execution: str, planning: int, day: str, cents: int, ceiling_cents: int) -> int | None:
    """Reserve `cents` of the day for the execution, in place of what it has reserved before.

    Returns None, or the cents that are left if they are too few; then nothing has changed.

    Raises:
        RuntimeError: a later attempt has begun to plan the execution, or the item changed at every attempt to write it.
    """
    for attempt in range(MAXIMUM_ATTEMPTS):
        item = read_item(spending_key(day))
        left = _left(item, execution, ceiling_cents)
        if cents > left:
            return left
        sequence = item.get("sequence")
        own = Change(execution_key(execution), remove=["waits_for_cents"], expected={"planning": planning})
        reserved = Change(
            spending_key(day),
            put={digest(execution): cents, "sequence": (sequence or 0) + 1},
            expected={"sequence": sequence},
        )
        if write_together([own, reserved]):
            return None
        check_planning(execution, planning)
        pause(attempt)
    raise RuntimeError(
        f"{spending_key(day)} changed {MAXIMUM_ATTEMPTS} times while execution {execution} tried to reserve its cost"
    )


def settle(execution: str, day: str, cents: int) -> None:
    """Put the real cost in place of the reservation; a reservation that was read before is refused."""
    write(Change(spending_key(day), put={digest(execution): cents}, add={"sequence": 1}))


def spending_key(day: str) -> str:
    return f"spending#{day}"


def _left(item: Item, execution: str, ceiling_cents: int) -> int:
    own = digest(execution)
    others = [value for name, value in item.items() if name not in ("pk", "sequence", own)]
    return ceiling_cents - sum(others) if len(others) < MOST_EXECUTIONS else 0
