from typing import Any

from tests.local.aws.in_process import InProcessAws, eventually, pass_state, wait_state


def test_an_execution_that_returns_a_string_describes_it_as_json(aws: InProcessAws) -> None:
    assert aws.run(aws.state_machine("string", pass_state(Result="text")))["output"] == '"text"'


def test_a_stopped_execution_is_aborted_at_once_with_the_given_reason(aws: InProcessAws, sfn: Any) -> None:
    machine = aws.state_machine("stopped", wait_state(3000))
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.stop_execution(executionArn=arn, error="Operator", cause="wrong batch")
    description = sfn.describe_execution(executionArn=arn)
    assert (description["status"], description["error"], description["cause"]) == ("ABORTED", "Operator", "wrong batch")

    def last_event() -> Any:
        return sfn.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)["events"][0]

    eventually(lambda: last_event()["type"] == "ExecutionAborted")
    assert last_event()["executionAbortedEventDetails"] == {"error": "Operator", "cause": "wrong batch"}
    assert sfn.describe_execution(executionArn=arn)["stopDate"] == description["stopDate"]


def test_stopping_an_ended_execution_changes_nothing(aws: InProcessAws, sfn: Any) -> None:
    execution = aws.run(aws.state_machine("ended", pass_state(Result=1)))
    sfn.stop_execution(executionArn=execution["executionArn"])
    assert sfn.describe_execution(executionArn=execution["executionArn"])["status"] == "SUCCEEDED"


def test_executions_are_listed_by_status_and_page(aws: InProcessAws, sfn: Any) -> None:
    fails = {"StartAt": "Only", "States": {"Only": {"Type": "Fail", "Error": "Bad"}}}
    machine = aws.state_machine("listed", fails)
    arns = [aws.run(machine)["executionArn"] for _ in range(3)]
    assert sfn.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"] == []
    page = sfn.list_executions(stateMachineArn=machine, statusFilter="FAILED", maxResults=2)
    rest = sfn.list_executions(stateMachineArn=machine, maxResults=2, nextToken=page["nextToken"])
    assert [item["executionArn"] for item in page["executions"] + rest["executions"]] == arns[::-1]
    assert "nextToken" not in rest


def test_the_history_comes_in_pages_and_backwards(aws: InProcessAws, sfn: Any) -> None:
    arn = aws.run(aws.state_machine("history", pass_state()))["executionArn"]
    pages = sfn.get_paginator("get_execution_history").paginate(executionArn=arn, PaginationConfig={"PageSize": 1})
    forwards = [event["type"] for page in pages for event in page["events"]]
    assert forwards == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    backwards = sfn.get_execution_history(executionArn=arn, reverseOrder=True)["events"]
    assert [event["type"] for event in backwards] == forwards[::-1]
