"""ShareJobs: share the Transcribe Medical jobs among the transcribing executions, once a minute.

The account may run 250 jobs at a time (Transcribe guide, "Guidelines and quotas"). Each execution has its own Map; if
the Maps together started more, the service would refuse nearly all starts. The current shares are read from Step
Functions each time and stored nowhere, so no share can leak. Without this function, each execution keeps its share.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambdas.planning.job_shares import FIRST_SHARE, PLACES_PER_SECOND, SHARING_EXECUTIONS, places, shares
from lambdas.shared.observability import logger
from lambdas.shared.sdk import client
from lambdas.shared.stages import TRANSCRIPTION, is_run_of

# The next call, a minute after this one, continues.
MAXIMUM_SECONDS = 45
# ListMapRuns, DescribeMapRun and UpdateMapRun take 60 calls a minute each (Step Functions guide, "Service quotas").
EXECUTIONS_LOOKED_AT = 25

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
    """Set the MaxConcurrency of each execution's Map. `event` comes from the schedule and isn't used."""
    begun = time.monotonic()
    executions = transcribing_executions()
    looked_at, others = executions[:EXECUTIONS_LOOKED_AT], executions[EXECUTIONS_LOOKED_AT:]
    map_runs = [run for execution in looked_at if (run := map_run_of(execution))]
    for change in changes(map_runs, len(others), int(os.environ["CONCURRENT_JOBS"])):
        if time.monotonic() - begun > MAXIMUM_SECONDS:
            break
        set_most(change.map_run, change.most)
        time.sleep(change.seconds)


def transcribing_executions() -> list[Mapping[str, Any]]:
    """The running executions whose Map isn't known to have ended; the oldest first."""
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], statusFilter="RUNNING"
    )
    running = {key_of(execution): execution for page in pages for execution in page["executions"]}
    for key in _known.keys() - running.keys():
        del _known[key]
    return sorted(
        (execution for key, execution in running.items() if _known.get(key, "") is not None),
        key=lambda execution: execution["startDate"],
    )


def key_of(execution: Mapping[str, Any]) -> tuple[str, int]:
    return execution["executionArn"], execution.get("redriveCount", 0)


def map_run_of(execution: Mapping[str, Any]) -> MapRun | None:
    """The execution's Map if it is running, else None."""
    key = key_of(execution)
    if not (arn := _known.get(key)):
        listed = stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        found = [run["mapRunArn"] for run in listed if is_run_of(run["mapRunArn"], TRANSCRIPTION.state)]
        if not found:
            return None  # the execution is still planning, or has nothing to transcribe
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
    second. `others` counts the further running executions, which have a first share each.
    """
    sharing, behind = map_runs[:SHARING_EXECUTIONS], map_runs[SHARING_EXECUTIONS:]
    available = places(jobs) - others * FIRST_SHARE - sum(run.places for run in behind)
    wanted = shares([run.unfinished for run in sharing], available)
    free = available
    for run, share in zip(sharing, wanted, strict=True):
        lowered = min(run.most, share)
        if lowered < run.most:
            yield Change(run, lowered, 0)
        free -= run._replace(most=lowered).places
    for run, share in zip(sharing, wanted, strict=True):
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
