"""Tasks that wait for their token (`.waitForTaskToken`), and SendTaskSuccess.

In moto such a Task goes on waiting when its execution has ended, and a token that is no longer valid is accepted.
"""

import time
from typing import Any

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackConsumerTimeout,
    CallbackEndpoint,
    CallbackOutcome,
    CallbackOutcomeSuccess,
    CallbackOutcomeTimedOut,
    HeartbeatEndpoint,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

# The longest delay before a waiting Task notices that its execution has ended.
_INTERRUPTION_SECONDS = 0.25


class TaskTimedOut(AWSError):
    TYPE = "TaskTimedOut"


class InvalidToken(AWSError):
    TYPE = "InvalidToken"


_moto_eval_wait = StateTaskServiceCallback._eval_wait_for_task_token


def eval_wait_for_task_token(
    self: StateTaskServiceCallback,
    env: Environment,
    timeout_seconds: int,
    callback_endpoint: CallbackEndpoint,
    heartbeat_endpoint: HeartbeatEndpoint | None,
) -> CallbackOutcome:
    """StateTaskServiceCallback._eval_wait_for_task_token: until the answer, the timeout or the execution's end."""
    if heartbeat_endpoint is not None:
        return _moto_eval_wait(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
    end, outcome = time.monotonic() + timeout_seconds, None
    while outcome is None and env.is_running() and (remaining := end - time.monotonic()) > 0:
        outcome = callback_endpoint.wait(min(remaining, _INTERRUPTION_SECONDS))
    callback_endpoint.report(CallbackConsumerTimeout())
    if outcome is None and not env.is_running():
        # The Task has no result, and no event may follow the execution's end.
        env.event_manager = EventManager()
        return CallbackOutcomeSuccess(callback_endpoint.callback_id, "null")
    return outcome or CallbackOutcomeTimedOut(callback_endpoint.callback_id)


def send_task_success(self: StepFunctionsParserBackend, task_token: str, outcome: str) -> None:
    """StepFunctionsParserBackend.send_task_success.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
    Raises TaskTimedOut for a token that has expired or whose task was closed, InvalidToken for any other text.
    """
    executions: list[Any] = self._get_executions()
    for execution in executions:
        endpoint = execution.env.callback_pool_manager.get(task_token)
        if endpoint is None:
            continue
        if endpoint.consumer_error is not None or execution.exec_status != ExecutionStatus.RUNNING:
            raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
        endpoint.notify(CallbackOutcomeSuccess(task_token, outcome))
        endpoint.report(CallbackConsumerTimeout())
        return
    raise InvalidToken("Invalid Token: 'Invalid token'")


def install() -> None:
    """Make moto's interpreter wait and answer this way."""
    StateTaskServiceCallback._eval_wait_for_task_token = eval_wait_for_task_token  # type: ignore[method-assign]
    StepFunctionsParserBackend.send_task_success = send_task_success  # type: ignore[method-assign,assignment]
