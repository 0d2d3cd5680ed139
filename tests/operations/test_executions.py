"""Executions in AWS's order, by their end if they have ended, which the local AWS doesn't follow."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from operations.executions import started_since, started_status

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def listed(name: str, **minutes_ago: int) -> dict[str, Any]:
    return {"name": name, **{date: NOW - timedelta(minutes=ago) for date, ago in minutes_ago.items()}}


def test_what_has_started_lately_is_found_behind_an_old_one_that_has_just_ended() -> None:
    pages = [
        {"executions": [listed("old", startDate=600, stopDate=1), listed("redriven", startDate=900, redriveDate=2)]},
        {"executions": [listed("running", startDate=3), listed("ended", startDate=9, stopDate=4)]},
        {"executions": [listed("before", startDate=20, stopDate=11)]},
    ]
    looked_at: list[int] = []

    def paginate(stateMachineArn: str, PaginationConfig: Any) -> Any:
        for number, page in enumerate(pages):
            looked_at.append(number)
            yield page
        raise AssertionError("what is too old is listed to its end")

    client = SimpleNamespace(get_paginator=lambda operation: SimpleNamespace(paginate=paginate))
    deployed: Any = SimpleNamespace(client=lambda service: client, state_machine_arn="arn")
    found = [item["name"] for item in started_since(deployed, NOW - timedelta(minutes=10))]
    assert found == ["running", "ended"]
    assert looked_at == [0, 1, 2]


def test_an_execution_that_step_functions_does_not_know_yet_is_running() -> None:
    class Unknown(Exception):
        pass

    answers: list[Any] = [Unknown(), {"status": "SUCCEEDED"}]

    def describe_execution(executionArn: str) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    exceptions = SimpleNamespace(ExecutionDoesNotExist=Unknown)
    client = SimpleNamespace(describe_execution=describe_execution, exceptions=exceptions)
    deployed: Any = SimpleNamespace(client=lambda service: client)
    assert [started_status(deployed, "arn") for _ in range(2)] == ["RUNNING", "SUCCEEDED"]
