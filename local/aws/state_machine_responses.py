"""The local Step Functions' answers about state machines, and about the definition that an execution runs.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html

A state machine's definition is encrypted with its key; `includedData` METADATA_ONLY leaves it out. AWS doesn't document
a child execution's definition in detail: here it is the Map's ItemProcessor, as it is written.
"""

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.responses import StepFunctionResponse

from local.aws.key_states import check_state_machine
from local.aws.map_runs import ChildExecution


def describe_state_machine(self: StepFunctionResponse) -> ActionResult:
    """DescribeStateMachine. Raises StateMachineDoesNotExist, KmsInvalidStateException."""
    machine: Any = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    answer = {**_described(machine), "creationDate": machine.creation_date, "status": "ACTIVE", "type": machine.type}
    if machine.description:
        answer["description"] = machine.description
    return _answer(self, machine, answer)


def describe_state_machine_for_execution(self: StepFunctionResponse) -> ActionResult:
    """DescribeStateMachineForExecution, of child executions too.

    The definition is the one with which the execution was started.
    Raises ExecutionDoesNotExist, KmsInvalidStateException.
    """
    execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    machine = execution.state_machine
    answer = {**_described(machine), "updateDate": machine.update_date or machine.creation_date}
    if isinstance(execution, ChildExecution):
        answer |= {"mapRunArn": execution.map_run.map_run_arn, "label": machine.arn.rpartition("/")[2]}
        processor = _item_processor(json.loads(machine.definition), execution.map_run.state_name)
        answer["definition"] = json.dumps(processor)
    return _answer(self, machine, answer)


def _described(machine: StateMachine) -> dict[str, Any]:
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "definition": machine.definition,
        "roleArn": machine.roleArn,
        "encryptionConfiguration": machine.encryptionConfiguration,
        "tracingConfiguration": machine.tracingConfiguration,
        "loggingConfiguration": machine.loggingConfiguration,
    }


def _answer(self: StepFunctionResponse, machine: StateMachine, answer: dict[str, Any]) -> ActionResult:
    if self._get_param("includedData") == "METADATA_ONLY":
        del answer["definition"]
    else:
        check_state_machine(machine)
    return ActionResult(answer)


def _item_processor(node: Any, state: str) -> Any:
    """The ItemProcessor of the Map state of this name, at any depth of a definition; None if there is none."""
    if isinstance(node, list):
        return next((found for child in node if (found := _item_processor(child, state))), None)
    if not isinstance(node, dict):
        return None
    named = node.get(state)
    if isinstance(named, dict) and named.get("Type") == "Map":
        return named.get("ItemProcessor") or named.get("Iterator")
    return _item_processor(list(node.values()), state)


def install() -> None:
    """Make moto answer this way; needs the executions of `local.aws.executions`."""
    responses = StepFunctionResponse
    responses.describe_state_machine = describe_state_machine  # type: ignore[method-assign]
    responses.describe_state_machine_for_execution = describe_state_machine_for_execution  # type: ignore[method-assign]
