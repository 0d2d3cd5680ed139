"""How far an execution is, stage by stage, read from the same Step Functions API that the console uses."""

import json
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from operations.stages import STAGES


class Progress(NamedTuple):
    """`entered` are the stages that began so far; `recordings` says how many of how many are through Transcribe."""

    name: str
    status: str
    entered: list[str]
    recordings: tuple[int, int]
    output: dict[str, Any] | None

    def mark(self, stage: str) -> str:
        if stage not in self.entered:
            return "–" if self.status == "SUCCEEDED" else "·"
        if stage != self.entered[-1] or self.status == "SUCCEEDED":
            done = "done"
        else:
            done = "running" if self.status == "RUNNING" else self.status.lower()
        counted = stage == "Transcribe" and self.recordings[1]
        return f"{done} {self.recordings[0]}/{self.recordings[1]}" if counted else done


def read_progress(stepfunctions: Any, execution_arn: str) -> Progress:
    execution = stepfunctions.describe_execution(executionArn=execution_arn)
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    states = [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]
    runs = stepfunctions.list_map_runs(executionArn=execution_arn)["mapRuns"]
    counts = stepfunctions.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"] if runs else None
    return Progress(
        execution["name"],
        execution["status"],
        [stage for stage, state in STAGES.items() if state in states],
        (counts["succeeded"], counts["total"]) if counts else (0, 0),
        json.loads(execution["output"]) if execution.get("output") else None,
    )


def as_table(executions: list[Progress], waiting: int) -> Table:
    table = Table(title=f"{waiting} recordings on their way to an execution" if waiting else None, title_justify="left")
    table.add_column("Stage")
    for execution in executions:
        table.add_column(f"{execution.name[:13]}…", justify="right")
    for stage in STAGES:
        table.add_row(stage, *(execution.mark(stage) for execution in executions))
    return table


def print_changes(console: Console, before: list[Progress], now: list[Progress]) -> None:
    """For a log instead of a screen: one line whenever an execution has come further."""
    known = {execution.name: execution for execution in before}
    for execution in now:
        old = known.get(execution.name)
        if old is None or old[1:4] != execution[1:4]:
            stage = execution.entered[-1] if execution.entered else "starting"
            console.print(f"  {execution.name[:13]}…  {stage}: {execution.mark(stage)}", highlight=False)


def transitions(stepfunctions: Any, state_machine_arn: str) -> int:
    """State transitions of all executions and their children, as Standard workflows are billed."""
    parents = stepfunctions.list_executions(stateMachineArn=state_machine_arn)["executions"]
    arns = [item["executionArn"] for item in parents]
    for arn in list(arns):
        for run in stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]:
            pages = stepfunctions.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
            arns += [child["executionArn"] for page in pages for child in page["executions"]]
    history = stepfunctions.get_paginator("get_execution_history")
    return sum(
        event["type"].endswith("StateEntered") or event["type"] == "ExecutionStarted"
        for arn in arns
        for page in history.paginate(executionArn=arn)
        for event in page["events"]
    )
