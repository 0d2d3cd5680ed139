"""The wait before a patient is forgotten: for executions, and for functions that outlive them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.functions import FUNCTIONS
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import at_work
from tests.operations.buckets import BUCKETS

MINE = "s3://media/media/p-1/visit.wav"
ANOTHERS = "s3://media/media/p-2/visit.wav"


class Executions:
    """An AWS with these executions, listed in pages of one, whose clock advances when `sleep` is called."""

    def __init__(self, *listed: dict[str, Any]) -> None:
        self.listed, self.slept = list(listed), list[float]()
        self.afterwards: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        assert service == "stepfunctions"
        return self

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        return self

    def paginate(self, **wanted: Any) -> list[dict[str, Any]]:
        assert "statusFilter" not in wanted
        return [{"executions": [execution]} for execution in self.listed]

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        (found,) = [execution for execution in self.listed if execution["executionArn"] == executionArn]
        return {"input": json.dumps({"media": found["media"]})}

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for execution in self.listed:
            for name in {"stopDate", "redriveDate"} & set(execution):
                execution[name] -= timedelta(seconds=seconds)
        self.listed += self.afterwards
        self.afterwards = []


def execution(status: str, media: str = MINE, **minutes_ago: float) -> dict[str, Any]:
    name = f"{status}-{'-'.join(minutes_ago)}-{media[-11]}"
    moments = {date: datetime.now(UTC) - timedelta(minutes=ago) for date, ago in minutes_ago.items()}
    return {"executionArn": f"arn:{name}", "name": name, "status": status, "media": [media], **moments}


def deployed(executions: Executions, prefix: str = "clinical-media-dev") -> Deployed:
    connection: Any = executions
    return Deployed(
        connection,
        prefix,
        BUCKETS,
        "ledger",
        "members",
        "arn:machine",
        {},
    )


Wait = Callable[[Executions], list[str]]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Wait until p-1 may be forgotten, and return the messages."""

    def wait(executions: Executions) -> list[str]:
        said: list[str] = []
        monkeypatch.setattr(at_work, "sleep", executions.sleep)
        at_work.wait_for_functions(deployed(executions), {"p-1"}, said.append)
        return said

    return wait


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_function_that_an_ended_execution_has_left_behind_is_waited_for(status: str, wait: Wait) -> None:
    executions = Executions(execution(status, stopDate=12))
    (said,) = wait(executions)
    assert executions.slept == [pytest.approx(8 * 60, abs=5)]
    assert re.fullmatch(rf"Waiting until \d\d:\d\d:\d\d: the execution {status}-stopDate-1 has ended, but .*", said)


def test_no_function_runs_longer_than_is_waited() -> None:
    longest = max(size.timeout.to_seconds() for _, size in FUNCTIONS.values())
    assert timedelta(seconds=longest) <= at_work._LONGEST_RUN


def test_a_function_from_before_a_redrive_is_waited_for_however_the_execution_ended(wait: Wait) -> None:
    executions = Executions(execution("SUCCEEDED", stopDate=1, redriveDate=15))
    wait(executions)
    assert executions.slept == [pytest.approx(5 * 60, abs=5)]


def test_nothing_else_is_waited_for(wait: Wait) -> None:
    executions = Executions(
        execution("SUCCEEDED", stopDate=0),
        execution("SUCCEEDED", stopDate=0, redriveDate=21),
        execution("ABORTED", stopDate=21),
        execution("FAILED", ANOTHERS, stopDate=0),
        execution("RUNNING", ANOTHERS),
    )
    assert wait(executions) == []
    assert executions.slept == []


def test_the_last_of_several_is_waited_for_and_what_was_stopped_meanwhile_too(wait: Wait) -> None:
    executions = Executions(execution("ABORTED", stopDate=18), execution("FAILED", stopDate=10))
    executions.afterwards = [execution("TIMED_OUT", stopDate=5)]
    assert len(wait(executions)) == 2
    assert executions.slept == [pytest.approx(10 * 60, abs=5), pytest.approx(15 * 60, abs=5)]


def test_what_was_redriven_meanwhile_is_refused(wait: Wait) -> None:
    executions = Executions(execution("ABORTED", stopDate=1))
    executions.afterwards = [execution("RUNNING", redriveDate=0)]
    with pytest.raises(OperationError, match="RUNNING-redriveDate-1 holds recordings of p-1 and is running"):
        wait(executions)
    assert len(executions.slept) == 1


def test_on_the_local_aws_it_takes_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    executions = Executions(execution("ABORTED", stopDate=0))
    monkeypatch.setattr(at_work, "sleep", executions.sleep)
    at_work.wait_for_functions(deployed(executions, "clinical-media-local"), {"p-1"}, lambda said: None)
    assert executions.slept == [pytest.approx(10, abs=5)]
