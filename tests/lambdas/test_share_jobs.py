import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import share_jobs
from lambdas.planning.job_shares import FIRST_SHARE, PLACES_PER_SECOND, SHARING_EXECUTIONS
from lambdas.planning.turns import TURNS, read_turns, stand_in_line

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
        self.begun: list[tuple[str, str]] = []

    def execution(self, name: str, unfinished: int | None, most: int = 2, running: int | None = None) -> None:
        """An execution that began after the ones before it; `unfinished` None: it still plans."""
        date = len(self.executions)
        self.executions[name] = {"executionArn": name, "name": name, "startDate": date, "redriveCount": 0}
        if unfinished is not None:
            self.map_runs[name] = {"unfinished": unfinished, "most": most, "running": running or min(most, unfinished)}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        return self

    def paginate(
        self, *, stateMachineArn: str, statusFilter: str, PaginationConfig: dict[str, int]
    ) -> Iterator[dict[str, Any]]:
        assert (stateMachineArn, statusFilter, PaginationConfig) == (MACHINE, "RUNNING", {"PageSize": 1000})
        # The latest first, as the service lists them, in pages.
        for execution in reversed(self.executions.values()):
            yield {"executions": [execution]}

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:
        self.calls.append(f"list {executionArn}")
        others = [{"mapRunArn": f"{executionArn}/RebuildCohorts:1"}]
        ours = [{"mapRunArn": f"{executionArn}/TranscribeMedia:1"}] if executionArn in self.map_runs else []
        return {"mapRuns": others + ours}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:
        mapRunArn = mapRunArn.removesuffix("/TranscribeMedia:1")
        self.calls.append(f"describe {mapRunArn}")
        run = self.map_runs[mapRunArn]
        return {
            "status": "SUCCEEDED" if mapRunArn in self.ended else "RUNNING",
            "maxConcurrency": run["most"],
            "itemCounts": {"pending": run["unfinished"] - run["running"], "running": run["running"]},
            "executionCounts": {"running": run["running"]},
        }

    def update_map_run(self, *, mapRunArn: str, maxConcurrency: int) -> None:
        mapRunArn = mapRunArn.removesuffix("/TranscribeMedia:1")
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
def states(s3: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> StepFunctions:
    states = StepFunctions()
    monkeypatch.setattr(share_jobs, "stepfunctions", states)
    monkeypatch.setattr(share_jobs, "answer", lambda name, token: states.begun.append((name, token)))
    monkeypatch.setattr(share_jobs, "_known", {})
    monkeypatch.setattr(share_jobs, "time", clock)
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("CONCURRENT_JOBS", "58")
    return states


def test_what_is_free_is_given_a_few_places_each_second(states: StepFunctions) -> None:
    states.execution("a", 1000)
    share_jobs.handler({}, None)
    assert states.limits == [("a", most) for most in range(5, 60, 3)]


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


def test_no_more_executions_are_looked_at_than_the_quotas_allow(states: StepFunctions) -> None:
    for number in range(27):
        states.execution(f"e{number:02}", None if number else 1000)
    share_jobs.handler({}, None)
    assert len([call for call in states.calls if call.startswith("list")]) == share_jobs.EXECUTIONS_LOOKED_AT


def test_executions_that_wait_get_their_turns_in_their_order_and_cost_no_call(states: StepFunctions) -> None:
    names = [f"e{number:03}" for number in range(500)]
    for name in names:
        states.execution(name, None)
        stand_in_line(name, f"token of {name}", 1000)
    share_jobs.handler({}, None)
    assert states.begun == [(name, f"token of {name}") for name in names[:TURNS]]
    assert states.calls == []
    turns = read_turns()
    assert (list(turns.holders), turns.waiting) == (names[:TURNS], 500 - TURNS)
    for name in names[:TURNS]:
        states.map_runs[name] = {"unfinished": 1000, "most": FIRST_SHARE, "running": FIRST_SHARE}
    share_jobs.handler({}, None)
    oldest_first = [states.most[name] for name in names[:TURNS]]
    assert min(oldest_first[:SHARING_EXECUTIONS]) >= max(oldest_first[SHARING_EXECUTIONS:]) == FIRST_SHARE
    assert sum(oldest_first) == 59


def test_the_end_of_a_map_is_the_next_one_s_turn(states: StepFunctions) -> None:
    for number in range(TURNS + 2):
        states.execution(f"e{number:02}", 1000 if number < TURNS else None)
        if number >= TURNS:
            stand_in_line(f"e{number:02}", "token", 1000)
    share_jobs.handler({}, None)
    assert states.begun == []
    states.ended.add("e03")
    share_jobs.handler({}, None)
    assert states.begun == [(f"e{TURNS:02}", "token")]
    del states.executions["e05"]  # it has failed
    share_jobs.handler({}, None)
    assert f"e{TURNS + 1:02}" in read_turns().holders


def test_an_admitted_execution_is_answered_again_until_its_token_is_forgotten(
    states: StepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.execution("a", None)
    stand_in_line("a", "token", 5)
    with monkeypatch.context() as crash:
        crash.delattr(share_jobs, "forget_token")
        with pytest.raises(NameError):
            share_jobs.handler({}, None)
    for _ in range(2):
        share_jobs.handler({}, None)
    assert states.begun == [("a", "token")] * 2


def test_maps_that_are_redriven_all_at_once_get_no_more_than_the_jobs(states: StepFunctions) -> None:
    for number in range(25):
        states.execution(f"e{number:02}", 1000, most=59, running=1)
    share_jobs.handler({}, None)
    assert sum(states.most.values()) == 59
    assert [states.most[f"e{number:02}"] for number in range(SHARING_EXECUTIONS, 25)] == [FIRST_SHARE] * 15
    assert {states.most[f"e{number:02}"] for number in range(SHARING_EXECUTIONS)} == {2, 3}
    states.execution("new", None)
    stand_in_line("new", "token", 1000)
    share_jobs.handler({}, None)
    assert states.begun == [], "it waits until they have ended"


def test_of_more_maps_than_may_be_looked_at_all_are_looked_at_in_time_and_the_sharing_ones_always(
    states: StepFunctions,
) -> None:
    for number in range(60):
        states.execution(f"e{number:02}", 1000, most=1)
    seen = Counter[str]()
    for _ in range(40):
        share_jobs.handler({}, None)
        seen.update(call.removeprefix("describe ") for call in states.calls if call.startswith("describe"))
        assert len([call for call in states.calls if call.startswith("describe")]) == share_jobs.EXECUTIONS_LOOKED_AT
        states.calls.clear()
    assert len(seen) == 60


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
    assert states.most == {"a": 2 + 46 * PLACES_PER_SECOND}
    share_jobs.handler({}, None)
    assert states.most == {"a": 2 + 92 * PLACES_PER_SECOND}


def test_without_executions_nothing_is_done(states: StepFunctions) -> None:
    share_jobs.handler(json.loads('{"detail-type": "Scheduled Event"}'), None)
    assert (states.calls, states.limits) == ([], [])
