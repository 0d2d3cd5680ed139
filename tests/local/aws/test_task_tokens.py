"""Tasks that wait for their token. API reference of SendTaskSuccess; Step Functions guide, "Wait for a Callback"."""

from typing import Any

import pytest

from tests.local.aws.in_process import InProcessAws, eventually


def waiting(function: str, **fields: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": function, "Payload": {"token.$": "$$.Task.Token"}},
        "End": True,
        **fields,
    }
    return {"StartAt": "Wait", "States": {"Wait": state}}


@pytest.fixture
def sfn(aws: InProcessAws) -> Any:
    return aws.client("stepfunctions")


class Waiting:
    """An execution that waits for its tokens, which are told to a function."""

    def __init__(self, aws: InProcessAws, name: str, **fields: Any) -> None:
        self.tokens: list[str] = []
        self._sfn = aws.client("stepfunctions")
        function = aws.function(name, lambda event: self.tokens.append(event["token"]))
        machine = aws.state_machine(name, waiting(function, **fields))
        self.arn = self._sfn.start_execution(stateMachineArn=machine)["executionArn"]
        self.until_token(1)

    def until_token(self, number: int) -> str:
        eventually(lambda: len(self.tokens) >= number)
        return self.tokens[number - 1]

    def until(self, status: str) -> dict[str, Any]:
        eventually(lambda: self._sfn.describe_execution(executionArn=self.arn)["status"] == status)
        found: dict[str, Any] = self._sfn.describe_execution(executionArn=self.arn)
        return found

    def types(self) -> list[str]:
        return [event["type"] for event in self._sfn.get_execution_history(executionArn=self.arn)["events"]]

    def answer(self, token: str) -> None:
        self._sfn.send_task_success(taskToken=token, output='{"answered": true}')


def test_a_task_waits_for_its_token_and_has_the_answer_as_its_result(aws: InProcessAws) -> None:
    execution = Waiting(aws, "answered")
    execution.answer(execution.tokens[0])
    assert execution.until("SUCCEEDED")["output"] == '{"answered":true}'
    assert execution.types()[1:6] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_a_token_is_answered_once(aws: InProcessAws, sfn: Any) -> None:
    execution = Waiting(aws, "once")
    execution.answer(execution.tokens[0])
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        execution.answer(execution.tokens[0])
    execution.until("SUCCEEDED")
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        execution.answer(execution.tokens[0])


def test_a_text_that_is_no_token_is_refused(aws: InProcessAws, sfn: Any) -> None:
    with pytest.raises(sfn.exceptions.InvalidToken):
        sfn.send_task_success(taskToken="a", output="{}")


def test_an_execution_that_is_stopped_while_it_waits_ends_at_once_and_its_token_with_it(
    aws: InProcessAws, sfn: Any
) -> None:
    execution = Waiting(aws, "stopped")
    sfn.stop_execution(executionArn=execution.arn)
    execution.until("ABORTED")
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        execution.answer(execution.tokens[0])
    eventually(lambda: execution.types()[-1] == "ExecutionAborted")


def test_a_redrive_waits_with_a_new_token(aws: InProcessAws, sfn: Any) -> None:
    execution = Waiting(aws, "redriven")
    sfn.stop_execution(executionArn=execution.arn)
    execution.until("ABORTED")
    sfn.redrive_execution(executionArn=execution.arn)
    token = execution.until_token(2)
    assert token != execution.tokens[0]
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        execution.answer(execution.tokens[0])
    execution.answer(token)
    execution.until("SUCCEEDED")


def test_a_task_that_timed_out_may_be_caught_by_itself_and_waits_again(aws: InProcessAws, sfn: Any) -> None:
    again = [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": "Wait"}]
    execution = Waiting(aws, "again", TimeoutSeconds=1, Catch=again)
    token = execution.until_token(2)
    with pytest.raises(sfn.exceptions.TaskTimedOut):
        execution.answer(execution.tokens[0])
    execution.answer(token)
    execution.until("SUCCEEDED")
    assert execution.types().count("TaskTimedOut") == 1


def test_a_function_that_may_not_be_called_has_the_error_that_step_functions_documents(aws: InProcessAws) -> None:
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    failed = aws.run(aws.state_machine("gone", waiting(gone)))
    assert failed["error"] == "Lambda.ResourceNotFoundException"
