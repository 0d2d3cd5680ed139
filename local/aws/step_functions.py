"""Step Functions: moto's interpreter as the one backend, completed where it differs from AWS.

State machines also run if CloudFormation creates them, with Waits and Retry intervals on `local.aws.clock`. The parts:
executions in `local.aws.executions` and `local.aws.distributed_map` (with `local.aws.item_reader` and
`local.aws.item_batcher`), executions started by a Task in `local.aws.nested_executions`, the role's check in
`local.aws.execution_roles`, redrives in `local.aws.checkpoints`, the API's answers in
`local.aws.step_functions_responses` and `local.aws.state_machine_responses`, the log in `local.aws.execution_logs`,
calls of other services in `local.aws.task_calls`, Tasks that wait for their token in `local.aws.task_tokens`,
CloudFormation's resource in `local.aws.state_machine_resource`.

TimeoutSeconds and HeartbeatSeconds stay on the real clock, because what they bound is mostly computation. As in moto:
no JSONata, no variables, no ResultWriter's files, and most `arn:aws:states:::aws-sdk:` integrations fail.
"""

import functools
import json
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import moto.stepfunctions.models as sfn_models
from moto.core.config import default_user_config
from moto.core.exceptions import AWSError
from moto.stepfunctions import exceptions
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from local.aws import (
    checkpoints,
    clock,
    distributed_map,
    execution_logs,
    executions,
    item_batcher,
    item_reader,
    map_runs,
    nested_executions,
    state_machine_resource,
    state_machine_responses,
    step_functions_responses,
    task_calls,
    task_tokens,
)
from local.aws.executions import Execution
from local.aws.key_states import check_state_machine

_INTERRUPTION_SECONDS = 0.25
"""The longest delay before a Wait notices that its execution was stopped."""

_moto_start_execution = StepFunctionsParserBackend.start_execution
_moto_describe_execution = StepFunctionsParserBackend.describe_execution
_moto_parse = AmazonStateLanguageParser.parse
# moto builds the parser and parses the path each time that a state reads its input.
_parse_json_path = functools.lru_cache(maxsize=1024)(json_path.parse)  # type: ignore[attr-defined]
_starting = threading.Lock()


def start_execution(
    self: StepFunctionsParserBackend,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: Any = None,
) -> Any:
    """StepFunctionsParserBackend.start_execution: an execution without a name gets a generated one.

    The name and input of a running execution return that execution. Raises ExecutionAlreadyExists for any other name
    that was used before, InvalidExecutionInput for an input that is not JSON, KmsInvalidStateException for a state
    machine whose key can't be used:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    if execution_input is not None:
        _check_input(execution_input)
    if name:
        self._validate_name(name)
    check_state_machine(self.describe_state_machine(state_machine_arn))
    with _starting:  # two requests with one name must not both find it free
        return _moto_start_execution(
            self,
            state_machine_arn,
            name or str(uuid.uuid4()),
            "{}" if execution_input is None else execution_input,
            trace_header,
        )


def _check_input(execution_input: str) -> None:
    try:
        json.loads(execution_input)
    except ValueError as error:
        # moto's own error would be sent without a code, and quote the input.
        message = f"Invalid State Machine Execution Input: it is not JSON ({error})"
        raise exceptions.InvalidExecutionInput(message) from None


def get_executions(self: StepFunctionsParserBackend, execution_status: str | None = None) -> list[Execution]:
    """StepFunctionsParserBackend._get_executions: also the child executions of Distributed Maps, at any depth."""
    pending: list[Any] = [execution for machine in self.state_machines for execution in machine.executions]
    found = []
    while pending:
        execution = pending.pop()
        if execution.exec_worker is None:
            continue
        pending.extend(execution.children())
        if execution_status is None or execution.exec_status == execution_status:
            found.append(execution)
    return found


def describe_execution(self: StepFunctionsParserBackend, execution_arn: str) -> Any:
    """StepFunctionsParserBackend.describe_execution: finds child executions too. Raises ExecutionDoesNotExist."""
    self._validate_execution_arn(execution_arn)
    if "/" not in execution_arn.split(":")[6]:
        return _moto_describe_execution(self, execution_arn)
    for execution in get_executions(self):
        if execution.exec_arn == execution_arn:
            return execution
    raise exceptions.ExecutionDoesNotExist(f"Execution Does Not Exist: '{execution_arn}'")


class InvalidDefinition(AWSError):
    """A definition that AWS refuses."""

    TYPE = "InvalidDefinition"
    STATUS = 400


def validate_definition(definition: str) -> None:
    """StepFunctionsParserBackend._validate_definition, whose own error is sent without a code.

    Raises InvalidDefinition.
    """
    try:
        parse(definition)
    except Exception as error:
        raise InvalidDefinition(f"Invalid State Machine Definition: {error}") from error


def wait_interval(self: WaitFunction, env: Environment, wait_seconds: float) -> None:
    """WaitFunction._wait_interval on the scaled clock."""
    end = time.monotonic() + clock.scaled(wait_seconds)
    while env.is_running() and (remaining := end - time.monotonic()) > 0:
        # The event is cleared as soon as it is set, so a wait that begins a moment later would miss it.
        env.program_state_event.wait(min(remaining, _INTERRUPTION_SECONDS))


@functools.lru_cache(maxsize=64)
def parse(definition: str) -> Any:
    """AmazonStateLanguageParser.parse, once per definition (a large one takes most of a second).

    moto's grammar lacks ItemBatcher, wants an InputType for a list of objects, and a decimal point in
    ToleratedFailurePercentage, of which CDK writes integers.
    """
    try:
        document = json.loads(definition)
    except ValueError:
        return _moto_parse(definition)  # raises the right error
    batchers, changed = {}, False
    for name, state in _map_states(document):
        if batcher := item_batcher.take_out(name, state, _template):
            batchers[name] = batcher
        if isinstance(state.get("ToleratedFailurePercentage"), int):
            state["ToleratedFailurePercentage"] = float(state["ToleratedFailurePercentage"])
            changed = True
        changed |= item_reader.complete(name, state)
    with item_batcher.declared(batchers):
        return _moto_parse(json.dumps(document, indent=2) if batchers or changed else definition)


def _map_states(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict) and node.get("Type") == "Map":
        yield name, node
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _map_states(child, key)
    if isinstance(node, list):
        for child in node:
            yield from _map_states(child)


def _template(value: Any) -> Any:
    """The evaluation of a payload template in an environment."""
    if not isinstance(value, dict):
        return lambda _: value
    state = {"Type": "Pass", "Parameters": value, "End": True}
    program: Any = _moto_parse(json.dumps({"StartAt": "Template", "States": {"Template": state}}))[0]
    parameters = program.states.states["Template"].parameters

    def evaluate(env: Environment) -> Any:
        parameters.eval(env=env)
        return env.stack.pop()

    return evaluate


def install() -> None:
    """Put all of this into moto; repeating it changes nothing."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    # CloudFormation uses the backend of this name, which by default executes nothing.
    sfn_models.stepfunctions_backends = stepfunctions_parser_backends  # type: ignore[assignment]
    # The interpreter logs every failing state with its data.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL + 1)

    execution_logs.install()
    executions.install()
    checkpoints.install()
    map_runs.install()
    item_batcher.install()
    item_reader.install()
    distributed_map.install()
    nested_executions.install()
    task_calls.install()
    task_tokens.install()
    state_machine_resource.install()
    state_machine_responses.install()
    step_functions_responses.install()

    json_path.parse = _parse_json_path  # type: ignore[attr-defined]
    backend = StepFunctionsParserBackend
    backend.start_execution = start_execution  # type: ignore[method-assign]
    backend.describe_execution = describe_execution  # type: ignore[method-assign,assignment]
    backend._validate_definition = staticmethod(validate_definition)  # type: ignore[method-assign]
    backend._get_executions = get_executions  # type: ignore[method-assign]

    WaitFunction._wait_interval = wait_interval  # type: ignore[method-assign]
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(clock.scaled(seconds)))  # type: ignore[attr-defined,assignment]
    AmazonStateLanguageParser.parse = staticmethod(parse)  # type: ignore[method-assign]
