"""The turns to transcribe: only so many executions transcribe at a time that each has a useful share of the jobs.

An execution has its turn from its admission until its Map has ended. The ledger item `turns#holders` names the
executions that have one, with their numbers of recordings, and says how many others wait; `sequence` makes admissions
one after another. ShareJobs compares the item with the running executions once a minute, so that no turn leaks.

The ledger item `turn#<execution>` has the token of the execution's state WaitForTurn until it is answered. Each step
of an admission can be repeated: a holder whose token is still there is answered again, and an answer for a token that
is no longer valid changes nothing.

Source: Step Functions API reference, SendTaskSuccess.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lambdas.planning.job_shares import FIRST_SHARE, places
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, Change, read_item, read_items, write
from lambdas.shared.observability import logger
from lambdas.shared.sdk import client

# The ten oldest share the jobs equally; the next ones already have their first recordings in work when a place is free.
TURNS = 12
# Small executions get more turns, as long as all their recordings can be in work at once.
MOST_TURNS = 200

stepfunctions = client("stepfunctions")


class Turns(NamedTuple):
    """The item as it was read: the holders' numbers of recordings by name, and how many executions wait."""

    sequence: int = 0
    holders: Mapping[str, int] = {}
    waiting: int = 0


class Waiting(NamedTuple):
    """An execution that waits for its turn, or was admitted and not yet answered."""

    token: str
    recordings: int


def has_room(holders: Collection[int], recordings: int, jobs: int) -> bool:
    """Whether an execution with that many recordings may begin beside the holders of turns.

    The first shares of all never exceed the jobs, so the oldest executions always have more than those behind them.
    """
    together = [*holders, recordings]
    few = len(together) <= TURNS or (len(together) <= MOST_TURNS and sum(together) <= places(jobs))
    return not holders or (few and sum(min(number, FIRST_SHARE) for number in together) <= jobs)


def settled(
    seen: Mapping[str, int], gone: Collection[str], found: Mapping[str, int], line: Iterable[tuple[str, int]], jobs: int
) -> dict[str, int]:
    """The holders after a look at the running executions.

    Those that are `gone` leave. Those that were `found` to transcribe without a turn, because they were redriven, get
    one in any case. Then the executions of the line are admitted, the oldest first, until there is no room for one.
    """
    holders = {name: recordings for name, recordings in seen.items() if name not in gone} | dict(found)
    for name, recordings in line:
        if name in holders:
            continue
        if not has_room(holders.values(), recordings, jobs):
            break
        holders[name] = recordings
    return holders


def read_turns() -> Turns:
    item = read_item(_TURNS)
    return Turns(item.get("sequence", 0), json.loads(item.get("holders", "{}")), item.get("waiting", 0))


def settle(
    seen: Turns, gone: Collection[str], found: Mapping[str, int], line: Sequence[tuple[str, int]], jobs: int
) -> Mapping[str, int]:
    """Write the `settled` holders and return them; repeated if the item has changed since it was `seen`.

    Raises:
        RuntimeError: the item changes all the time.
    """
    for _ in range(MAXIMUM_ATTEMPTS):
        holders = settled(seen.holders, gone, found, line, jobs)
        if _write(seen, holders, sum(name not in holders for name, _ in line)):
            return holders
        seen = read_turns()
    raise RuntimeError(f"{_TURNS} changed {MAXIMUM_ATTEMPTS} times while turns were given.")


def take(execution: str, recordings: int, jobs: int) -> bool:
    """Admit the execution if it has a turn already, or if nobody waits and there is room; else count it as waiting.

    Raises:
        RuntimeError: the item changes all the time.
    """
    for _ in range(MAXIMUM_ATTEMPTS):
        seen = read_turns()
        if execution in seen.holders:
            return True
        admitted = not seen.waiting and has_room(seen.holders.values(), recordings, jobs)
        holders = {**seen.holders, execution: recordings} if admitted else seen.holders
        if _write(seen, holders, seen.waiting if admitted else seen.waiting + 1):
            return admitted
    raise RuntimeError(f"{_TURNS} changed {MAXIMUM_ATTEMPTS} times while execution {execution} asked for its turn.")


def stand_in_line(execution: str, token: str, recordings: int) -> None:
    write(Change(_key(execution), put={"token": token, "recordings": recordings}))


def read_waiting(executions: Iterable[str]) -> dict[str, Waiting]:
    """Those of the executions whose token isn't answered yet."""
    items = read_items([_key(execution) for execution in executions])
    return {
        key.removeprefix(_TURN): Waiting(item["token"], item["recordings"])
        for key, item in items.items()
        if "token" in item
    }


def answer(execution: str, token: str) -> None:
    """Let the execution go on. A token that isn't valid any more is left alone.

    An execution that has gone on, was stopped or redriven, or has asked again, has another token or none.
    """
    try:
        stepfunctions.send_task_success(taskToken=token, output="{}")
    except (
        stepfunctions.exceptions.TaskTimedOut,
        stepfunctions.exceptions.TaskDoesNotExist,
        stepfunctions.exceptions.InvalidToken,
    ) as error:
        extra = {"execution_name": execution, "code": error.response["Error"]["Code"]}
        logger.info("the execution does not wait with this token", extra=extra)
    else:
        logger.info("the execution's turn begins", extra={"execution_name": execution})


def forget_token(execution: str, token: str) -> None:
    """Remove the token, unless the execution has asked again with another."""
    write(Change(_key(execution), remove=("token",), expected={"token": token}))


def _write(seen: Turns, holders: Mapping[str, int], waiting: int) -> bool:
    """Whether the item is as wanted; False if it has changed since it was `seen`."""
    if (dict(holders), waiting) == (dict(seen.holders), seen.waiting):
        return True
    wanted = {"sequence": seen.sequence + 1, "holders": json.dumps(holders), "waiting": waiting}
    return write(Change(_TURNS, put=wanted, expected={"sequence": seen.sequence or None})) is not None


_TURN = "turn#"
_TURNS = "turns#holders"


def _key(execution: str) -> str:
    return f"{_TURN}{execution}"
