import json
from typing import Any

import pytest

from tests.local.aws.in_process import InProcessAws, pass_state
from tests.local.aws.maps import PASS, distributed_map_of, map_run_of


def children_of(sfn: Any, execution: Any) -> list[str]:
    run = map_run_of(sfn, execution)["mapRunArn"]
    return [child["executionArn"] for child in sfn.list_executions(mapRunArn=run)["executions"]]


@pytest.mark.parametrize("label", ["Each", None])
def test_a_child_execution_describes_the_map_s_processor_and_its_map_run(
    aws: InProcessAws, sfn: Any, label: str | None
) -> None:
    definition = distributed_map_of(PASS)
    if label is None:
        # Step Functions makes a label.
        del definition["States"]["Map"]["Label"]
    machine = aws.state_machine(f"described-child-{label}", definition)
    execution = aws.run(machine, input=[1])
    (child,) = children_of(sfn, execution)
    described = sfn.describe_state_machine_for_execution(executionArn=child)
    assert json.loads(described["definition"]) == definition["States"]["Map"]["ItemProcessor"]
    assert described["mapRunArn"] == map_run_of(sfn, execution)["mapRunArn"]
    assert described["stateMachineArn"] == f"{machine}/{described['label']}"
    assert described["label"] == (label or described["mapRunArn"].split("/")[1].split(":")[0])
    assert described["roleArn"] == sfn.describe_state_machine(stateMachineArn=machine)["roleArn"]


def test_the_processor_of_a_map_inside_a_parallel_state_is_found(aws: InProcessAws, sfn: Any) -> None:
    inner = distributed_map_of(PASS)
    branches = {"Type": "Parallel", "Branches": [pass_state(), inner], "End": True}
    execution = aws.run(aws.state_machine("parallel", {"StartAt": "Both", "States": {"Both": branches}}), input=[1])
    (child,) = children_of(sfn, execution)
    described = sfn.describe_state_machine_for_execution(executionArn=child)
    assert json.loads(described["definition"]) == inner["States"]["Map"]["ItemProcessor"]


def test_an_execution_describes_the_definition_with_which_it_was_started(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("changed", pass_state(Result=1))
    execution = aws.run(machine)["executionArn"]
    sfn.update_state_machine(stateMachineArn=machine, definition=json.dumps(pass_state(Result=2)))
    described = sfn.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(described["definition"]) == pass_state(Result=1)
    assert (described["stateMachineArn"], described["name"]) == (machine, "changed")
    assert "mapRunArn" not in described
    now = sfn.describe_state_machine(stateMachineArn=machine)
    assert json.loads(now["definition"]) == pass_state(Result=2)
    assert (now["status"], now["type"]) == ("ACTIVE", "STANDARD")


def test_an_execution_that_is_not_there_has_no_state_machine(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("without", pass_state())
    absent = machine.replace(":stateMachine:", ":execution:") + ":absent"
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.describe_state_machine_for_execution(executionArn=absent)
