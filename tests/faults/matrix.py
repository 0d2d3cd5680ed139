"""Every AWS call that the application makes x every fault that the call can have, each run to its end.

A fault that passes is met more often than once; one that somebody has to repair stays until the execution has failed,
and is then repaired. After that the operator does what docs/reruns.md says.
"""

import time
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from infra.functions import PIPELINE_STEPS
from local.aws.faults import Fault, Kind, SeenCall, faults_of
from tests.faults.invariants import broken
from tests.faults.world import Dropped, World

Remedy = Literal["redrive", "new execution"]
Outcome = Literal["survived alone", "after redrive", "after new execution", "lost"]

# Within the six attempts of the state machine's last retrier; the SDK's own are switched off (tests.faults.world).
OUTLASTING = 4
FOREVER = 10_000
STATE_MACHINE = "state machine"
TIMES: dict[Kind, int] = {
    "throttle": OUTLASTING,
    "quota": OUTLASTING,
    "internal_error": OUTLASTING,
    "conflict": OUTLASTING,
    "unprocessed": OUTLASTING,
    "access_denied": FOREVER,
    "kms_disabled": FOREVER,
}


class Case(NamedTuple):
    """`remedy` is what the operator does if the execution fails, `contains` a part of the call's path."""

    caller: str
    service: str
    operation: str
    kind: Kind
    remedy: Remedy
    contains: str = ""

    def __str__(self) -> str:
        about = f" of {self.contains}" if self.contains else ""
        return f"{self.caller} {self.service}:{self.operation}{about} {self.kind} ({self.remedy})"


class Verdict(NamedTuple):
    case: str
    outcome: Outcome
    problems: list[str]
    seconds: float


def calls_made(world: World) -> list[SeenCall]:
    """Each different call that a drop of recordings leads to, by the functions and by the state machine."""
    faults = world.run.pipeline.aws.faults
    faults.recording = True
    dropped = world.drop()
    executions = world.settled(dropped)
    faults.recording = False
    calls = dict.fromkeys(call for call in faults.calls if not call.caller.startswith("local"))
    # Whatever becomes of its calls, a minute later it makes them again (tests/statemachine/test_job_sharing.py).
    apart = "clinical-media-local-share_jobs"
    faults.clear()
    problems = broken(world, dropped, executions)
    assert not problems, problems
    prefix = "clinical-media-local-"
    return [
        call._replace(caller=call.caller.removeprefix(prefix))
        for call in calls
        if call.caller.startswith(prefix) and call.caller != apart
    ]


def cases_of(calls: list[SeenCall]) -> Iterator[Case]:
    for call in calls:
        for kind, remedy in kinds_and_remedies(call.service, call.operation):
            yield Case(call.caller, call.service, call.operation, kind, remedy)
    # The state machine's own calls: it calls the functions, and reads or lists the items of its Maps.
    own = [("lambda", "Invoke", f"{function}/invocations") for function in PIPELINE_STEPS]
    items = [("s3", "GetObject", "recordings.json"), ("s3", "ListObjectsV2", "prefix=records")]
    for service, operation, contains in [*own, *items]:
        for kind, remedy in kinds_and_remedies(service, operation):
            if not kind.startswith("kill"):  # there is no function around these calls that could die in them
                yield Case(STATE_MACHINE, service, operation, kind, remedy, contains)


def kinds_and_remedies(service: str, operation: str) -> Iterator[tuple[Kind, Remedy]]:
    for kind in faults_of(service, operation):
        yield kind, "redrive"
        if TIMES.get(kind) == FOREVER:
            yield kind, "new execution"


def run_case(world: World, case: Case) -> Verdict:
    """Drop recordings under the case's fault, do what the operator does, and look at what came of it."""
    faults = world.run.pipeline.aws.faults
    times = TIMES.get(case.kind, 1)

    def repaired_by_itself(fault: Fault) -> bool:
        # No execution fails where none can start: the queue delivers again once somebody has repaired it.
        return case.caller == "ingest" and times == FOREVER and fault.fired > 0

    begun = time.monotonic()
    function = "" if case.caller == STATE_MACHINE else case.caller
    fault = faults.inject(
        case.service,
        case.operation,
        case.kind,
        function=function,
        contains=case.contains,
        times=times,
        seconds=0.3,
    )
    dropped = world.drop()
    executions = world.settled(dropped, lambda: faults.clear() if repaired_by_itself(fault) else None)
    faults.clear()
    outcome, executions = recovered(world, dropped, executions, case.remedy)
    problems = broken(world, dropped, executions) + unsuccessful(world, executions, case.remedy)
    if not fault.fired:
        problems.append("the fault was never met")
    world.forget()
    return Verdict(str(case), "lost" if problems else outcome, problems, time.monotonic() - begun)


def recovered(
    world: World, dropped: Dropped, executions: list[dict[str, Any]], remedy: Remedy
) -> tuple[Outcome, list[dict[str, Any]]]:
    """Do what the operator does if an execution has failed; the executions there are then."""
    failed = [item["executionArn"] for item in executions if item["status"] != "SUCCEEDED"]
    if not failed:
        return "survived alone", executions
    if remedy == "redrive":
        for arn in failed:
            world.run.stepfunctions.redrive_execution(executionArn=arn)
        return "after redrive", world.settled(dropped)
    world.run.start(media=list(dropped.texts))
    return "after new execution", world.settled(dropped)


def unsuccessful(world: World, executions: list[dict[str, Any]], remedy: Remedy) -> list[str]:
    if remedy == "new execution":
        return []  # the failed one stays as it is; what counts is what the new one made of it
    failed = [item for item in executions if item["status"] != "SUCCEEDED"]
    return [f"{item['name']} is {item['status']}: {world.run.causes(item)}" for item in failed]
