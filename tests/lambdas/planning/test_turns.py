import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.planning import turns
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.planning.turns import (
    MOST_TURNS,
    TURNS,
    answer,
    forget_token,
    has_room,
    read_turns,
    read_waiting,
    settle,
    settled,
    stand_in_line,
    take,
)

JOBS = 250


class StepFunctions:
    exceptions = turns.stepfunctions.exceptions

    def __init__(self) -> None:
        self.answered: list[str] = []
        self.refusals: dict[str, str] = {}

    def send_task_success(self, *, taskToken: str, output: str) -> None:
        assert json.loads(output) == {}
        self.answered.append(taskToken)
        if code := self.refusals.get(taskToken):
            error: Any = {"Error": {"Code": code, "Message": ""}}
            raise getattr(self.exceptions, code, ClientError)(error, "SendTaskSuccess")


@pytest.fixture(autouse=True)
def states(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    states = StepFunctions()
    monkeypatch.setattr(turns, "stepfunctions", states)
    yield states


@given(st.lists(st.integers(1, 2000), max_size=400), st.integers(1, 1000))
def test_first_shares_never_exceed_the_jobs_however_many_ask(asking: list[int], jobs: int) -> None:
    holders = settled({}, (), {}, [(str(number), recordings) for number, recordings in enumerate(asking)], jobs)
    used = sum(min(recordings, FIRST_SHARE) for recordings in holders.values())
    assert len(holders) <= 1 or used <= jobs
    assert len(holders) <= MOST_TURNS
    assert bool(holders) == bool(asking), "somebody always has a turn"
    assert list(holders) == [str(number) for number in range(len(holders))], "in their order"


def test_large_executions_get_as_many_turns_as_have_a_useful_share() -> None:
    assert has_room([1000] * (TURNS - 1), 1000, JOBS)
    assert not has_room([1000] * TURNS, 1000, JOBS)


def test_small_executions_get_more_turns_as_long_as_all_their_recordings_can_be_in_work() -> None:
    assert has_room([1] * 100, 1, JOBS)
    assert has_room([5] * 49, 5, JOBS)
    assert not has_room([5] * 51, 5, JOBS)
    assert not has_room([1] * 100, 1000, JOBS)


def test_with_one_job_one_execution_has_its_turn() -> None:
    assert has_room([], 1000, 1)
    assert not has_room([1], 1, 1)


def test_those_who_are_gone_make_room_and_those_who_transcribe_without_a_turn_have_one() -> None:
    full = {f"e{number}": 1000 for number in range(TURNS)}
    line = [("later", 1000), ("last", 1000)]
    assert settled(full, ["e0"], {}, line, JOBS) == {**{n: 1000 for n in full if n != "e0"}, "later": 1000}
    assert settled(full, ["e0"], {"redriven": 7}, line, JOBS).keys() == (full.keys() - {"e0"}) | {"redriven"}


def test_nobody_overtakes_the_first_in_line_for_whom_there_is_no_room() -> None:
    full = {f"e{number}": 1 for number in range(TURNS)}
    assert "small" not in settled(full, (), {}, [("large", 1000), ("small", 1)], JOBS)


def test_executions_take_their_turns_at_once_while_there_is_room_and_then_wait() -> None:
    assert [take(f"e{number}", 1000, JOBS) for number in range(TURNS + 1)] == [True] * TURNS + [False]
    assert read_turns().waiting == 1
    assert take("e0", 1000, JOBS), "it has its turn already"


def test_who_comes_while_others_wait_waits_behind_them() -> None:
    for number in range(TURNS + 1):
        take(f"e{number}", 1000, JOBS)
    seen = read_turns()
    settle(seen, ["e0"], {}, [], JOBS)  # as if the one that waits had not been seen yet
    assert take("new", 1, JOBS)
    seen = read_turns()
    settle(seen, ["e1"], {}, [("waiting", 1000), ("behind", 1000)], JOBS)
    assert not take("small", 1, JOBS)


def test_a_turn_that_was_taken_while_others_were_given_is_kept() -> None:
    before = read_turns()
    assert take("e0", 3, JOBS)
    assert settle(before, [], {}, [("e1", 4)], JOBS) == {"e0": 3, "e1": 4}
    assert read_turns().holders == {"e0": 3, "e1": 4}


def test_a_look_that_changes_nothing_writes_nothing() -> None:
    take("e0", 3, JOBS)
    seen = read_turns()
    settle(seen, [], {}, [], JOBS)
    assert read_turns().sequence == seen.sequence


def test_a_token_waits_until_it_is_answered(states: StepFunctions) -> None:
    stand_in_line("e", "token", 5)
    assert read_waiting(["e", "other"]) == {"e": ("token", 5)}
    answer("e", "token")
    assert states.answered == ["token"]
    forget_token("e", "token")
    assert read_waiting(["e"]) == {}


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_no_longer_valid_stops_nothing(states: StepFunctions, code: str) -> None:
    states.refusals["old"] = code
    answer("e", "old")


def test_a_token_is_forgotten_and_a_newer_one_is_not() -> None:
    stand_in_line("e", "old", 5)
    stand_in_line("e", "new", 5)
    forget_token("e", "old")
    assert read_waiting(["e"])["e"].token == "new"
    forget_token("e", "new")
    assert read_waiting(["e"]) == {}


def test_any_other_refusal_of_an_answer_is_raised(states: StepFunctions) -> None:
    states.refusals["token"] = "AccessDeniedException"
    with pytest.raises(ClientError):
        answer("e", "token")
