"""The local Step Functions' answers about executions and Map Runs; moto gives the others."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions import exceptions
from moto.stepfunctions.parser.api import ExecutionStatus, MapRunStatus
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.responses import StepFunctionResponse

from local.aws.executions import Execution, now
from local.aws.key_states import check_state_machine
from local.aws.map_runs import ChildExecution, MapRun


def _find_map_run(backend: Any, arn: str) -> MapRun:
    for execution in backend._get_executions():
        run: Any = execution.env.map_run_record_pool_manager.get(arn)
        if run is not None:
            return run  # type: ignore[no-any-return]
    raise exceptions.ResourceNotFound(arn)


def _page(request: StepFunctionResponse, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
    try:
        first = int(request._get_param("nextToken") or 0)
    except ValueError:
        raise exceptions.InvalidToken() from None
    following = first + (request._get_int_param("maxResults") or 100)
    return items[first:following], {"nextToken": str(following)} if following < len(items) else {}


def _summary(execution: Execution) -> dict[str, Any]:
    """The members that ListExecutions and DescribeExecution both have; None for no value."""
    summary = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "redriveCount": execution.redrive_count,
        "redriveDate": execution.redrive_date,
    }
    if isinstance(execution, ChildExecution):
        summary["mapRunArn"] = execution.map_run.map_run_arn
    return summary


def describe_execution(self: StepFunctionResponse) -> ActionResult:
    """DescribeExecution, also of an output with a datetime, for which moto answers HTTP 500.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html: METADATA_ONLY leaves out
    what the state machine's key encrypts. Raises KmsInvalidStateException.
    """
    execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    with_data = self._get_param("includedData") != "METADATA_ONLY"
    if with_data:
        check_state_machine(execution.state_machine)
    redrive_status, redrive_status_reason = execution.redrive_status()
    description = {
        **_summary(execution),
        "redriveStatus": redrive_status,
        "redriveStatusReason": redrive_status_reason,
        "inputDetails": {"included": with_data},
    }
    if with_data:
        description |= {"input": execution.execution_input, "error": execution.error, "cause": execution.cause}
    if with_data and execution.exec_status == ExecutionStatus.SUCCEEDED:
        description |= {
            "output": to_json_str(execution.output, separators=(",", ":")),
            "outputDetails": {"included": True},
        }
    return ActionResult({member: value for member, value in description.items() if value is not None})


def list_executions(self: StepFunctionResponse) -> ActionResult:
    """ListExecutions of a state machine or of a Map Run, the latest first."""
    if map_run_arn := self._get_param("mapRunArn"):
        found: list[Any] = [c for c in _find_map_run(self.stepfunction_backend, map_run_arn).children if c.exec_status]
    else:
        found = list(self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn")).executions)
    if status := self._get_param("statusFilter"):
        found = [execution for execution in found if execution.exec_status == status]
    if redrives := self._get_param("redriveFilter"):
        found = [execution for execution in found if (execution.redrive_count > 0) == (redrives == "REDRIVEN")]
    found.sort(key=lambda execution: execution.start_date, reverse=True)
    page, next_token = _page(self, found)
    items = [{"itemCount": execution.item_count} if map_run_arn else {} for execution in page]
    summaries = [_summary(execution) | count for execution, count in zip(page, items, strict=True)]
    return ActionResult({"executions": summaries, **next_token})


def get_execution_history(self: StepFunctionResponse) -> ActionResult:
    """GetExecutionHistory, paged and, if asked for, latest event first. Raises KmsInvalidStateException."""
    execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    if self._get_param("includeExecutionData") is not False:
        check_state_machine(execution.state_machine)
    events = self.stepfunction_backend.get_execution_history(self._get_param("executionArn"))["events"]
    if self._get_param("reverseOrder"):
        events = events[::-1]
    page, next_token = _page(self, events)
    return ActionResult({"events": page, **next_token})


def stop_execution(self: StepFunctionResponse) -> ActionResult:
    """StopExecution of any execution, keeping the error and cause that the caller gave.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html: they are encrypted.
    Raises KmsInvalidStateException.
    """
    execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    if self._get_param("error") or self._get_param("cause"):
        check_state_machine(execution.state_machine)
    execution.stop(now(), self._get_param("error"), self._get_param("cause"))
    return ActionResult({"stopDate": execution.stop_date or now()})


def redrive_execution(self: StepFunctionResponse) -> ActionResult:
    """RedriveExecution. Raises ExecutionDoesNotExist, ExecutionNotRedrivable."""
    execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    return ActionResult({"redriveDate": execution.redrive(self._get_param("clientToken"))})


def describe_map_run(self: StepFunctionResponse) -> ActionResult:
    """DescribeMapRun. Raises ResourceNotFound."""
    return ActionResult(_find_map_run(self.stepfunction_backend, self._get_param("mapRunArn")).describe())


def update_map_run(self: StepFunctionResponse) -> EmptyResult:
    """UpdateMapRun. Raises ResourceNotFound, and ValidationException for a Map Run that has ended.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateMapRun.html says that it must be in
    progress, but not which error another one gives.
    """
    run = _find_map_run(self.stepfunction_backend, self._get_param("mapRunArn"))
    if run.status != MapRunStatus.RUNNING:
        message = f"Map Run is {run.status.value} and cannot be updated: '{run.map_run_arn}'"
        raise exceptions.ValidationException(message)
    run.update(
        self._get_param("maxConcurrency"),
        self._get_param("toleratedFailureCount"),
        self._get_param("toleratedFailurePercentage"),
    )
    return EmptyResult()


def install() -> None:
    """Make moto answer this way; needs the executions of `local.aws.executions`."""
    responses = StepFunctionResponse
    responses.describe_execution = describe_execution  # type: ignore[method-assign]
    responses.list_executions = list_executions  # type: ignore[method-assign]
    responses.get_execution_history = get_execution_history  # type: ignore[method-assign]
    responses.stop_execution = stop_execution  # type: ignore[method-assign]
    responses.redrive_execution = redrive_execution  # type: ignore[attr-defined]
    responses.describe_map_run = describe_map_run  # type: ignore[method-assign]
    responses.update_map_run = update_map_run  # type: ignore[method-assign]
