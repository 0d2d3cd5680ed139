import json
import threading
from typing import Any

from tests.local.aws.in_process import InProcessAws, eventually, pass_state, wait_state
from tests.local.aws.maps import call, distributed_map_of, starting


def test_the_task_ends_with_the_executions_description(aws: InProcessAws, sfn: Any) -> None:
    inner = aws.state_machine("inner", pass_state(Parameters={"got.$": "$.n"}))
    outer = aws.state_machine("outer", starting(inner, **{"Name.$": "States.Format('{}-1', $$.Execution.Name)"}))
    output = json.loads(aws.run(outer, name="nested")["output"])
    assert (output["Status"], output["Name"]) == ("SUCCEEDED", "nested-1")
    assert (output["Input"], output["Output"]) == ({"n": 1}, {"got": 1})


def test_a_failed_execution_fails_the_task_and_can_be_caught(aws: InProcessAws) -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "why"}}}
    inner = aws.state_machine("inner-fails", failing)
    definition = starting(inner)
    failed = aws.run(aws.state_machine("outer-fails", definition))
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(failed["cause"])["Error"] == "Broken"
    definition["States"]["Start"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}
    assert aws.run(aws.state_machine("outer-catches", definition))["status"] == "SUCCEEDED"


def test_the_name_and_input_of_a_running_execution_are_adopted_and_an_ended_ones_name_is_refused(
    aws: InProcessAws, sfn: Any
) -> None:
    going_on = threading.Event()
    inner = aws.state_machine("inner-held", call(aws.function("held", lambda event: going_on.wait(20) and event)))
    started = sfn.start_execution(stateMachineArn=inner, name="one", input='{"n":1}')
    outer = aws.state_machine("outer-adopts", starting(inner, Name="one"))
    arn = sfn.start_execution(stateMachineArn=outer)["executionArn"]
    eventually(lambda: "TaskSubmitted" in [
        event["type"] for event in sfn.get_execution_history(executionArn=arn)["events"]
    ])  # fmt: skip
    going_on.set()
    assert json.loads(aws.ended(arn)["output"])["ExecutionArn"] == started["executionArn"]
    assert aws.run(outer)["error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_stopping_the_parent_stops_the_execution_that_a_child_waits_for(aws: InProcessAws, sfn: Any) -> None:
    inner = aws.state_machine("inner-waits", wait_state(100_000))
    outer = aws.state_machine("outer-stopped", distributed_map_of(starting(inner)))
    arn = sfn.start_execution(stateMachineArn=outer, input="[1, 2]")["executionArn"]

    def statuses() -> set[str]:
        return {execution["status"] for execution in sfn.list_executions(stateMachineArn=inner)["executions"]}

    eventually(lambda: len(sfn.list_executions(stateMachineArn=inner)["executions"]) == 2)
    assert statuses() == {"RUNNING"}
    sfn.stop_execution(executionArn=arn)
    eventually(lambda: statuses() == {"ABORTED"})

    def last_event() -> str:
        kind: str = sfn.get_execution_history(executionArn=arn, reverseOrder=True)["events"][0]["type"]
        return kind

    eventually(lambda: last_event() == "ExecutionAborted")
