import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import share_jobs

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pipeline"


class StepFunctions:
    """Step Functions as far as it is asked: executions by name, each with its Map Run once it has one."""

    exceptions = share_jobs.stepfunctions.exceptions

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.map_runs: dict[str, dict[str, Any]] = {}
        self.ended: set[str] = set()
        self.calls: list[str] = []
        self.limits: list[tuple[str, int]] = []

    def execution(self, name: str, unfinished: int | None, most: int = 2, running: int | None = None) -> None:
        """An execution that began after the ones before it; `unfinished` None: it still plans."""
        self.executions[name] = {"executionArn": name, "startDate": len(self.executions), "redriveCount": 0}
        if unfinished is not None:
            self.map_runs[name] = {"unfinished": unfinished, "most": most, "running": running or min(most, unfinished)}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        return self

    def paginate(self, *, stateMachineArn: str, statusFilter: str) -> Iterator[dict[str, Any]]:
        assert (stateMachineArn, statusFilter) == (MACHINE, "RUNNING")
        # The latest first, as the service lists them, in pages.
        for execution in reversed(self.executions.values()):
            yield {"executions": [execution]}

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:
        self.calls.append(f"list {executionArn}")
        return {"mapRuns": [{"mapRunArn": executionArn}] if executionArn in self.map_runs else []}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:
        self.calls.append(f"describe {mapRunArn}")
        run = self.map_runs[mapRunArn]
        return {
            "status": "SUCCEEDED" if mapRunArn in self.ended else "RUNNING",
            "maxConcurrency": run["most"],
            "itemCounts": {"pending": run["unfinished"] - run["running"], "running": run["running"]},
            "executionCounts": {"running": run["running"]},
        }

    def update_map_run(self, *, mapRunArn: str, maxConcurrency: int) -> None:
        if mapRunArn in self.ended:
            error = {"Error": {"Code": "ValidationException", "Message": ""}}
            raise self.exceptions.ValidationException(error, "UpdateMapRun")
        self.limits.append((mapRunArn, maxConcurrency))
        self.map_runs[mapRunArn]["most"] = maxConcurrency

    @property
    def most(self) -> dict[str, int]:
        return {name: run["most"] for name, run in self.map_runs.items()}


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> StepFunctions:
    states = StepFunctions()
    monkeypatch.setattr(share_jobs, "stepfunctions", states)
    monkeypatch.setattr(share_jobs, "_known", {})
    monkeypatch.setattr(share_jobs, "time", clock)
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("CONCURRENT_JOBS", "59")
    return states


def test_what_is_free_is_given_a_few_places_each_second(states: StepFunctions) -> None:
    states.execution("a", 1000)
    share_jobs.handler({}, None)
    assert states.limits == [("a", most) for most in (*range(6, 59, 4), 59)]


def test_executions_share_and_small_ones_get_what_they_need(states: StepFunctions) -> None:
    for name, unfinished in (("a", 1000), ("b", 4), ("c", 1000)):
        states.execution(name, unfinished)
    share_jobs.handler({}, None)
    assert states.most == {"a": 27, "b": 4, "c": 28}


def test_what_runs_above_its_share_is_waited_for(states: StepFunctions) -> None:
    states.execution("a", 1000, most=59)
    states.execution("b", 1000, most=2, running=0)
    share_jobs.handler({}, None)
    assert states.most == {"a": 29, "b": 2}
    states.map_runs["a"]["running"] = 40
    share_jobs.handler({}, None)
    assert states.most == {"a": 29, "b": 19}


def test_an_execution_that_needs_less_gives_back(states: StepFunctions) -> None:
    states.execution("a", 3, most=50)
    states.execution("b", 1000)
    share_jobs.handler({}, None)
    assert states.most == {"a": 3, "b": 56}


def test_those_behind_the_sharing_ones_keep_their_first_share(states: StepFunctions) -> None:
    for number in range(12):
        states.execution(f"e{number:02}", 1000)
    share_jobs.handler({}, None)
    assert sorted(states.most.values()) == [2, 2, *[5] * 5, *[6] * 5]
    assert states.most["e10"] == states.most["e11"] == 2


def test_no_more_executions_are_looked_at_than_the_quotas_allow_and_the_others_count(states: StepFunctions) -> None:
    for number in range(27):
        states.execution(f"e{number:02}", None if number else 1000)
    share_jobs.handler({}, None)
    assert len([call for call in states.calls if call.startswith("list")]) == share_jobs.EXECUTIONS_LOOKED_AT
    assert states.most == {"e00": 59 - 2 * 2}


def test_a_map_that_has_ended_is_not_asked_about_again_until_it_is_redriven(states: StepFunctions) -> None:
    states.execution("a", 1000)
    states.ended.add("a")
    share_jobs.handler({}, None)
    share_jobs.handler({}, None)
    assert states.calls == ["list a", "describe a"]
    states.ended.clear()
    states.executions["a"]["redriveCount"] = 1
    share_jobs.handler({}, None)
    assert states.most == {"a": 59}


def test_an_execution_that_is_gone_is_forgotten(states: StepFunctions) -> None:
    states.execution("a", 10)
    share_jobs.handler({}, None)
    states.executions.clear()
    share_jobs.handler({}, None)
    assert share_jobs._known == {}


def test_a_map_that_ends_meanwhile_keeps_nobody_from_getting_a_share(
    states: StepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.execution("a", 1000)
    states.execution("b", 1000)
    described = states.describe_map_run

    def ending(*, mapRunArn: str) -> dict[str, Any]:
        answer = described(mapRunArn=mapRunArn)
        states.ended.add("a")
        return answer

    monkeypatch.setattr(states, "describe_map_run", ending)
    share_jobs.handler({}, None)
    assert states.most == {"a": 2, "b": 30}


def test_another_error_fails_the_call(states: StepFunctions, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateMapRun")

    states.execution("a", 1000)
    monkeypatch.setattr(states, "update_map_run", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        share_jobs.handler({}, None)


def test_a_call_ends_before_the_next_and_that_goes_on(
    states: StepFunctions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCURRENT_JOBS", "1000")
    states.execution("a", 3000)
    share_jobs.handler({}, None)
    assert share_jobs.MAXIMUM_SECONDS < clock.now < 60
    assert states.most == {"a": 2 + 46 * 4}
    share_jobs.handler({}, None)
    assert states.most == {"a": 2 + 92 * 4}


def test_without_executions_nothing_is_done(states: StepFunctions) -> None:
    share_jobs.handler(json.loads('{"detail-type": "Scheduled Event"}'), None)
    assert (states.calls, states.limits) == ([], [])
