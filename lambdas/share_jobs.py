"""ShareJobs: give turns to transcribe, and share the Transcribe Medical jobs among those who have one, once a minute.

The account may run 250 jobs at a time (Transcribe guide, "Guidelines and quotas"). Each execution has its own Map; if
the Maps together started more, the service would refuse nearly all starts. Only so many executions have a turn that
each Map has a useful share (`lambdas/planning/turns.py`); the others wait in their state WaitForTurn. The shares are
read from Step Functions each time and stored nowhere, so no share can leak. Without this function, each execution that
has its turn keeps its share, and no other gets a turn.
"""

import os
import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambdas.planning.job_shares import FIRST_SHARE, PLACES_PER_SECOND, SHARING_EXECUTIONS, places, shares
from lambdas.planning.turns import Turns, answer, forget_token, read_turns, read_waiting, settle
from lambdas.shared.observability import logger
from lambdas.shared.sdk import client
from lambdas.shared.stages import TRANSCRIPTION, is_run_of

# The next call, a minute after this one, continues.
MAXIMUM_SECONDS = 45
# ListMapRuns, DescribeMapRun and UpdateMapRun take 60 calls a minute each (Step Functions guide, "Service quotas").
EXECUTIONS_LOOKED_AT = 25
# The maximum of ListExecutions.
EXECUTIONS_PER_PAGE = 1000

stepfunctions = client("stepfunctions")

# (Execution ARN, redrive count) -> ARN of the Map Run, None once the Map Run has ended. A cache, to save calls.
_known: dict[tuple[str, int], str | None] = {}


class MapRun(NamedTuple):
    """A running Map: its MaxConcurrency (`most`), and its numbers of running and of unfinished items."""

    arn: str
    most: int
    running: int
    unfinished: int

    @property
    def places(self) -> int:
        """The places that the Map occupies: after its limit is lowered, running items still finish."""
        return max(self.running, self.most)


class Change(NamedTuple):
    """`most` is the new MaxConcurrency; wait for `seconds` before the next change."""

    map_run: MapRun
    most: int
    seconds: int


def handler(event: dict[str, Any], context: object) -> None:
    """Give turns, then set the MaxConcurrency of each holder's Map. `event` comes from the schedule and isn't used."""
    begun = time.monotonic()
    jobs = int(os.environ["CONCURRENT_JOBS"])
    # Read before the executions, so that every holder is among them as long as it runs.
    turns = read_turns()
    executions = running_executions()
    waiting = read_waiting(name for name, execution in executions.items() if not has_ended(execution))
    found = {name: run for name in to_look_at(executions, turns, waiting) if (run := map_run_of(executions[name]))}
    holders = settle(
        turns,
        gone=[name for name in turns.holders if name not in executions or has_ended(executions[name])],
        found={name: run.unfinished for name, run in found.items() if name not in turns.holders},
        line=[(name, waiting[name].recordings) for name in executions if name in waiting],
        jobs=jobs,
    )
    for name in holders:
        if name in waiting:
            answer(name, waiting[name].token)
            forget_token(name, waiting[name].token)
    map_runs = [found[name] for name in executions if name in found]
    for change in changes(map_runs, len(holders) - len(map_runs), jobs):
        if time.monotonic() - begun > MAXIMUM_SECONDS:
            break
        set_most(change.map_run, change.most)
        time.sleep(change.seconds)


def running_executions() -> dict[str, Mapping[str, Any]]:
    """The running executions by name, the oldest first."""
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"],
        statusFilter="RUNNING",
        PaginationConfig={"PageSize": EXECUTIONS_PER_PAGE},
    )
    running = sorted((item for page in pages for item in page["executions"]), key=lambda item: item["startDate"])
    for key in _known.keys() - {key_of(execution) for execution in running}:
        del _known[key]
    return {execution["name"]: execution for execution in running}


def to_look_at(executions: Mapping[str, Mapping[str, Any]], turns: Turns, waiting: Collection[str]) -> list[str]:
    """The executions whose Map may be running, the oldest first, as many as the quotas allow.

    These are the holders of turns, the sharing ones always; and those that don't wait either. Among the latter are
    redriven ones, which go on in their Map without asking for a turn.
    """
    may_transcribe = [
        name
        for name, execution in executions.items()
        if not has_ended(execution) and (name in turns.holders or name not in waiting)
    ]
    sharing = [name for name in may_transcribe if name in turns.holders][:SHARING_EXECUTIONS]
    others = [name for name in may_transcribe if name not in sharing]
    left = EXECUTIONS_LOOKED_AT - len(sharing)
    chosen = {*sharing, *(others if len(others) <= left else random.sample(others, left))}
    return [name for name in may_transcribe if name in chosen]


def has_ended(execution: Mapping[str, Any]) -> bool:
    """Whether the execution's Map is known to have ended, since the last redrive."""
    return _known.get(key_of(execution), "") is None


def key_of(execution: Mapping[str, Any]) -> tuple[str, int]:
    return execution["executionArn"], execution.get("redriveCount", 0)


def map_run_of(execution: Mapping[str, Any]) -> MapRun | None:
    """The execution's Map if it is running, else None."""
    key = key_of(execution)
    if not (arn := _known.get(key)):
        listed = stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        found = [run["mapRunArn"] for run in listed if is_run_of(run["mapRunArn"], TRANSCRIPTION.state)]
        if not found:
            return None  # the Map has not begun, or there is nothing to transcribe
        arn = _known[key] = found[0]
    described = stepfunctions.describe_map_run(mapRunArn=arn)
    if described["status"] != "RUNNING":
        _known[key] = None
        return None
    items = described["itemCounts"]
    unfinished = items["pending"] + items["running"] + items.get("pendingRedrive", 0)
    return MapRun(arn, described["maxConcurrency"], described["executionCounts"]["running"], unfinished)


def changes(map_runs: Sequence[MapRun], others: int, jobs: int) -> Iterator[Change]:
    """The changes that give these Maps, the oldest first, their shares of `jobs`.

    Limits above their share are lowered first. The others are then raised by the places already free, a few each
    second. `others` counts the further holders of turns, which have a first share each. The holders are more than have
    one only if many Maps were redriven at a time; then those behind the sharing ones get one place each.
    """
    first = FIRST_SHARE if FIRST_SHARE * (len(map_runs) + others) <= places(jobs) else 1
    sharing, behind = map_runs[:SHARING_EXECUTIONS], map_runs[SHARING_EXECUTIONS:]
    for run in behind:
        if run.most > first:
            yield Change(run, first, 0)
    available = places(jobs) - others * first - sum(max(run.running, min(run.most, first)) for run in behind)
    wanted = shares([run.unfinished for run in sharing], available)
    yield from moves(sharing, wanted, available)


def moves(map_runs: Sequence[MapRun], wanted: Sequence[int], available: int) -> Iterator[Change]:
    """The changes from the Maps' limits to the `wanted` ones: the higher limits are lowered first."""
    free = available
    for run, share in zip(map_runs, wanted, strict=True):
        lowered = min(run.most, share)
        if lowered < run.most:
            yield Change(run, lowered, 0)
        free -= run._replace(most=lowered).places
    for run, share in zip(map_runs, wanted, strict=True):
        most = run.most
        while most < share and free > 0:
            more = min(share - most, free, PLACES_PER_SECOND)
            most, free = most + more, free - more
            yield Change(run, most, 1)


def set_most(run: MapRun, most: int) -> None:
    try:
        stepfunctions.update_map_run(mapRunArn=run.arn, maxConcurrency=most)
    except (stepfunctions.exceptions.ResourceNotFound, stepfunctions.exceptions.ValidationException) as error:
        # An ended Map Run can't be updated.
        logger.info("map run not updated", extra={"map_run": run.arn, "code": error.response["Error"]["Code"]})
    else:
        logger.info("jobs shared", extra={"map_run": run.arn, "most": most, "unfinished": run.unfinished})
