"""Lists, reads, redrives and restarts the executions of an environment's state machine.

Sources: Step Functions API reference, ListExecutions (the latest first, a running execution by its start or redrive,
any other by its end), DescribeExecution, GetExecutionHistory, ListMapRuns, DescribeMapRun, RedriveExecution,
StartExecution.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.stages import STAGES, TRANSCRIPTION, is_run_of
from operations.causes import plain
from operations.deployed import Deployed
from operations.errors import OperationError

ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
# The children of one Map usually fail for one reason.
_MOST_CAUSES = 5
COUNTS = ("received", "transcribed", "reused", "elsewhere", "rejected")


# The labels of the stages that begin with a state, in their order.
STAGE_LABELS = tuple(stage.label for stage in STAGES if stage.state)


class Stage(NamedTuple):
    """A stage of an execution, with its label as name; `ended_at` is None while it runs, or if it failed."""

    name: str
    began_at: datetime
    ended_at: datetime | None


class Failure(NamedTuple):
    """`state` is the state's name as the console shows it; `cause` is the service's or our own sentence."""

    state: str
    error: str
    cause: str

    def __str__(self) -> str:
        return f"{self.state} failed: {self.error}: {self.cause}"


class Execution(NamedTuple):
    """`recordings` counts the Map's items by status; `counts` are the outcomes of an execution that has succeeded."""

    arn: str
    name: str
    status: str
    redrivable: bool
    started_at: datetime
    stopped_at: datetime | None
    redrives: int
    stages: list[Stage]
    recordings: dict[str, int]
    counts: dict[str, int]
    summary_uri: str | None
    report_uri: str | None
    failures: list[Failure]

    @property
    def stage(self) -> str:
        """The stage that was entered last."""
        return self.stages[-1].name if self.stages else "starting"

    @property
    def is_running(self) -> bool:
        return self.status in ("RUNNING", "PENDING_REDRIVE")


def newest(deployed: Deployed, number: int) -> list[Execution]:
    return [read_execution(deployed, item["executionArn"]) for item in islice(listed(deployed), number)]


def listed(deployed: Deployed, page_size: int = 100) -> Iterator[dict[str, Any]]:
    """The items of ListExecutions, the latest first."""
    pages = deployed.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=deployed.state_machine_arn, PaginationConfig={"PageSize": page_size}):
        yield from page["executions"]


def started_since(deployed: Deployed, moment: datetime, page_size: int = 100) -> Iterator[dict[str, Any]]:
    """The items of ListExecutions that started since then."""
    for item in listed(deployed, page_size):
        if item["startDate"] >= moment:
            yield item
        # An older execution is listed earlier if it was redriven or has ended since.
        elif all(item.get(date) is None or item[date] < moment for date in ("redriveDate", "stopDate")):
            return


def arn_of(deployed: Deployed, execution: str) -> str:
    """The ARN of an execution, from its ARN or its name."""
    prefix = deployed.state_machine_arn.replace(":stateMachine:", ":execution:") + ":"
    if not execution.startswith("arn:"):
        return prefix + execution
    if not execution.startswith(prefix):
        raise OperationError(f"{execution} is no execution of {deployed.state_machine_arn}; correct the ARN or --env.")
    return execution


def read_execution(deployed: Deployed, arn: str) -> Execution:
    """Everything about one execution.

    Raises:
        OperationError: there is no execution of that ARN.
    """
    stepfunctions = deployed.client("stepfunctions")
    described = _describe(stepfunctions, arn)
    runs = stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]
    output = json.loads(described["output"]) if described.get("output") else {}
    stages, failed_state = _stages(stepfunctions, arn)
    return Execution(
        arn,
        described["name"],
        described["status"],
        described.get("redriveStatus") == "REDRIVABLE",
        described["startDate"],
        described.get("stopDate"),
        described.get("redriveCount", 0),
        stages,
        _recordings(stepfunctions, runs),
        {name: output[name] for name in COUNTS if name in output},
        output.get("summary_uri"),
        output.get("report_uri"),
        list(_failures(stepfunctions, described, runs, failed_state)) if described["status"] in ENDED_BADLY else [],
    )


def started_status(deployed: Deployed, arn: str) -> str:
    """The status of an execution that was started just now, of any state machine.

    DescribeExecution is eventually consistent: it may not know the execution yet.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    stepfunctions = deployed.client("stepfunctions")
    try:
        return str(stepfunctions.describe_execution(executionArn=arn)["status"])
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return "RUNNING"


def redrive(deployed: Deployed, arn: str) -> None:
    """Resume a failed execution where it failed.

    Raises:
        OperationError: there is no execution of that ARN, or it can't be redriven.
    """
    stepfunctions = deployed.client("stepfunctions")
    try:
        stepfunctions.redrive_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        raise missing(arn) from None
    except stepfunctions.exceptions.ExecutionNotRedrivable:
        described = _describe(stepfunctions, arn)
        reason = described.get("redriveStatusReason") or f"it is {described['status']}"
        advice = f"Start a new execution with its input: again {described['name']}."
        if described["status"] in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
            advice = "There is nothing to repair."
        raise OperationError(f"{described['name']} can't be redriven: {reason.rstrip('.')}. {advice}") from None


def again(deployed: Deployed, arn: str) -> str:
    """Start a new execution with the same input, and return its ARN."""
    stepfunctions = deployed.client("stepfunctions")
    given = _describe(stepfunctions, arn).get("input")
    if given is None:
        raise OperationError(f"The input of {arn} can't be read; get kms:Decrypt on the state machine's key.")
    machine = arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    started: str = stepfunctions.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    return started


def _describe(stepfunctions: Any, arn: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = stepfunctions.describe_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        raise missing(arn) from None
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidArn":
            raise
        raise missing(arn) from None
    return described


def missing(arn: str) -> OperationError:
    return OperationError(
        f"There is no execution {arn}; correct the name (`status` lists the executions). Step Functions deletes them "
        "90 days after their end."
    )


def _stages(stepfunctions: Any, arn: str) -> tuple[list[Stage], str | None]:
    """The stages so far, and the state that was entered last."""
    label_of = {stage.state: stage.label for stage in STAGES if stage.state}
    found: list[Stage] = []
    last_state = None
    ended_at = None
    for page in stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if event["type"] == "ExecutionSucceeded":
                ended_at = event["timestamp"]
            if "stateEnteredEventDetails" not in event:
                continue
            last_state = event["stateEnteredEventDetails"]["name"]
            stage = label_of.get(last_state)
            # A redrive or a new attempt enters the same stage again.
            if stage and (not found or found[-1].name != stage):
                found = [*_ended(found, event["timestamp"]), Stage(stage, event["timestamp"], None)]
    return (_ended(found, ended_at) if ended_at else found), last_state


def _ended(stages: list[Stage], moment: datetime) -> list[Stage]:
    return [*stages[:-1], stages[-1]._replace(ended_at=moment)] if stages else []


def _recordings(stepfunctions: Any, runs: list[dict[str, Any]]) -> dict[str, int]:
    transcribing = [run["mapRunArn"] for run in runs if is_run_of(run["mapRunArn"], TRANSCRIPTION.state)]
    if not transcribing:
        return {}
    counts = stepfunctions.describe_map_run(mapRunArn=transcribing[0])["itemCounts"]
    names = ("total", "succeeded", "running", "pending", "failed", "timedOut", "aborted")
    return {name: counts[name] for name in names if counts.get(name)}


def _failures(
    stepfunctions: Any, described: dict[str, Any], runs: list[dict[str, Any]], state: str | None
) -> Iterator[Failure]:
    """If a Map failed, the failures of its children, which have the reasons; else that of the last state."""
    children = _failed_children(stepfunctions, [run for run in runs if is_run_of(run["mapRunArn"], state)])
    for child in children:
        _, failed_state = _stages(stepfunctions, child["executionArn"])
        yield _failure(failed_state or str(state), child)
    if not children:
        yield _failure(state or "starting", described)


def _failure(state: str, described: dict[str, Any]) -> Failure:
    return Failure(state, described.get("error") or described["status"], plain(described.get("cause")))


def _failed_children(stepfunctions: Any, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pages = stepfunctions.get_paginator("list_executions")
    failed = [
        item["executionArn"]
        for run in runs
        for page in pages.paginate(mapRunArn=run["mapRunArn"], statusFilter="FAILED", PaginationConfig={"MaxItems": 5})
        for item in page["executions"]
    ]
    return [stepfunctions.describe_execution(executionArn=arn) for arn in failed[:_MOST_CAUSES]]
