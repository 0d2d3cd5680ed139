"""How a new execution takes over the recordings of one that lies failed, under every fault, run to its end."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from local.aws.faults import Kind
from tests.faults.invariants import broken
from tests.faults.matrix import FOREVER, TIMES, Remedy, Verdict, kinds_and_remedies, recovered, unsuccessful
from tests.faults.world import World

# PlanBatch makes them only for what another execution has left.
CALLS = (("stepfunctions", "DescribeExecution"), ("dynamodb", "TransactWriteItems"), ("dynamodb", "UpdateItem"))


class Takeover(NamedTuple):
    """`remedy` is what the operator does if the second execution fails, too."""

    service: str
    operation: str
    kind: Kind
    remedy: Remedy

    def __str__(self) -> str:
        return f"takeover {self.service}:{self.operation} {self.kind} ({self.remedy})"


def takeovers() -> Iterator[Takeover]:
    for service, operation in CALLS:
        for kind, remedy in kinds_and_remedies(service, operation):
            yield Takeover(service, operation, kind, remedy)


def run_takeover(world: World, case: Takeover) -> Verdict:
    """Let the drop's execution fail with its job started, then start another one under the case's fault."""
    begun, faults = time.monotonic(), world.run.pipeline.aws.faults
    asked = "DescribeEntitiesDetectionV2Job"
    faults.inject("comprehendmedical", asked, "access_denied", function="poll_entity_detection", times=FOREVER)
    dropped = world.drop()
    left = world.settled(dropped)
    faults.clear()
    fault = faults.inject(
        case.service, case.operation, case.kind, function="plan_batch", times=TIMES.get(case.kind, 1), seconds=0.3
    )
    world.run.start(media=list(dropped.texts))
    faults.clear()
    outcome, executions = recovered(world, dropped, world.settled(dropped), case.remedy)
    problems = broken(world, dropped, executions) + unsuccessful(world, executions, case.remedy)
    if not left or any(execution["status"] != "FAILED" for execution in left):
        problems.append("the drop's own execution has not failed")
    if not fault.fired:
        problems.append("the fault was never met")
    world.forget()
    return Verdict(str(case), "lost" if problems else outcome, problems, time.monotonic() - begun)
