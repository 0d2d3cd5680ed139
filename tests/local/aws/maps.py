"""Definitions of Distributed Maps and nested executions for tests, and Map Runs."""

from typing import Any

PASS = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}


def distributed_map_of(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "Label": "Each", "ItemProcessor": {**config, **processor}, "End": True, **fields}
    return {"StartAt": "Map", "States": {"Map": state}}


def call(function: str, **fields: Any) -> dict[str, Any]:
    return {"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": function, "End": True, **fields}}}


def map_run_of(sfn: Any, execution: Any) -> Any:
    [run] = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    return sfn.describe_map_run(mapRunArn=run["mapRunArn"])


def starting(machine: str, kind: str = ".sync:2", **parameters: Any) -> dict[str, Any]:
    """A definition of one Task that starts an execution of `machine`."""
    parameters = {"StateMachineArn": machine, "Input": {"n": 1}, **parameters}
    task = {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution{kind}", "Parameters": parameters}
    return {"StartAt": "Start", "States": {"Start": {**task, "End": True}}}
