"""Tasks that start an execution and wait for it: `arn:aws:states:::states:startExecution.sync` and `.sync:2`.

As described in https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync, Step
Functions tries to stop the execution if the Task is aborted. It learns of the execution's end by a managed rule of
EventBridge, so the state machine's role must be allowed to make that rule:
https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html. Without these rights no state machine
with such a Task is created.

Here the execution's end is polled, with the role's rights.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcome
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.aws import execution_logs
from local.aws.iam import role_allows
from local.aws.task_calls import boto_client_for, modelled_errors

_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_RULE_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_SYNCHRONOUS = '"arn:aws:states:::states:startExecution.sync'

_moto_build_sync = StateTaskServiceSfn._build_sync_resolver
_moto_build_sync2 = StateTaskServiceSfn._build_sync2_resolver
_moto_eval_sync = StateTaskServiceSfn._eval_sync
_moto_from_error = StateTaskServiceSfn._from_error


class AccessDeniedException(AWSError):
    """The refusal of a role that may not make the rule."""

    TYPE = "AccessDeniedException"
    STATUS = 400


class _Awaited:
    """A started execution: the outcome of the Task once it has ended, None before."""

    def __init__(self, resolve: Callable[[], Any], arn: str, stepfunctions: Any) -> None:
        self._resolve, self._arn, self._stepfunctions = resolve, arn, stepfunctions

    def __call__(self) -> Any:
        return self._resolve()

    def stop(self) -> None:
        """Stop the execution if the role may."""
        with contextlib.suppress(ClientError, BotoCoreError):  # AWS tries, and promises no more
            self._stepfunctions.stop_execution(executionArn=self._arn)


def _awaiting(build: Callable[..., Any]) -> Callable[..., Any]:
    def build_resolver(
        self: StateTaskServiceSfn, env: Environment, *, resource_runtime_part: Any, state_credentials: Any, **more: Any
    ) -> _Awaited:
        arn = env.stack[-1]["ExecutionArn"]
        client = boto_client_for(resource_runtime_part.region, "stepfunctions", state_credentials)
        parts = {"resource_runtime_part": resource_runtime_part, "state_credentials": state_credentials}
        return _Awaited(build(self, env=env, **parts, **more), arn, client)

    return build_resolver


def eval_sync(self: StateTaskServiceSfn, env: Environment, sync_resolver: _Awaited, **endpoints: Any) -> Any:
    """StateTaskServiceSfn._eval_sync: wait for the end of the execution, or of the Task, which then stops it.

    Nobody has the token of such a Task, so an outcome of its token is the Task's end or its timeout.
    """
    outcome = _moto_eval_sync(self, env=env, sync_resolver=sync_resolver, **endpoints)
    if outcome is None or isinstance(outcome, CallbackOutcome):
        sync_resolver.stop()
    return outcome


def from_error(self: StateTaskServiceSfn, env: Environment, ex: Exception) -> FailureEvent:
    """StateTaskServiceSfn._from_error: an error that the API doesn't model has the SDK's general name."""
    failure = _moto_from_error(self, env, ex)
    if isinstance(ex, ClientError) and ex.response["Error"]["Code"] not in modelled_errors("stepfunctions"):
        name = "StepFunctions.AWSStepFunctionsException"
        failure.event_details["taskFailedEventDetails"]["error"] = name  # type: ignore[index]
        failure.error_name = CustomErrorName(name)  # type: ignore[misc]
    return failure


def create_state_machine(self: StepFunctionsParserBackend, *arguments: Any, **properties: Any) -> Any:
    """StepFunctionsParserBackend.create_state_machine. Raises AccessDeniedException."""
    _check(self, properties["definition"], properties["roleArn"])
    return execution_logs.create_state_machine(self, *arguments, **properties)


def update_state_machine(self: StepFunctionsParserBackend, arn: str, *arguments: Any, **properties: Any) -> Any:
    """StepFunctionsParserBackend.update_state_machine. Raises AccessDeniedException."""
    machine = self.describe_state_machine(arn)
    _check(self, properties.get("definition") or machine.definition, properties.get("role_arn") or machine.roleArn)
    return execution_logs.update_state_machine(self, arn, *arguments, **properties)


def _check(backend: StepFunctionsParserBackend, definition: str, role_arn: str) -> None:
    if _SYNCHRONOUS not in definition:
        return
    rule = f"arn:aws:events:{backend.region_name}:{backend.account_id}:rule/{_RULE}"
    if not all(role_allows(role_arn, action, rule) for action in _RULE_ACTIONS):
        raise AccessDeniedException(
            f"'{role_arn}' is not authorized to create managed-rule: it must be allowed "
            f"{', '.join(_RULE_ACTIONS)} on {rule}"
        )


def install() -> None:
    """Make moto's Tasks wait for executions this way; needs `local.aws.task_calls` and `local.aws.execution_logs`."""
    StateTaskServiceSfn._build_sync_resolver = _awaiting(_moto_build_sync)  # type: ignore[method-assign]
    StateTaskServiceSfn._build_sync2_resolver = _awaiting(_moto_build_sync2)  # type: ignore[method-assign]
    StateTaskServiceSfn._eval_sync = eval_sync  # type: ignore[method-assign,assignment]
    StateTaskServiceSfn._from_error = from_error  # type: ignore[method-assign]
    StepFunctionsParserBackend.create_state_machine = create_state_machine  # type: ignore[method-assign]
    StepFunctionsParserBackend.update_state_machine = update_state_machine  # type: ignore[method-assign]
