from typing import Any

import pytest

from lambdas import wait_for_turn
from lambdas.planning.turns import read_turns, read_waiting
from lambdas.wait_for_turn import WaitForTurnEvent


@pytest.fixture
def begun(s3: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The executions that went on, with their tokens."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(wait_for_turn, "answer", lambda *begun: found.append(begun))
    return found


def event(name: str, recordings: int = 1000) -> WaitForTurnEvent:
    return {"task_token": f"token of {name}", "execution_name": name, "recordings": recordings}


def test_an_execution_begins_at_once_while_there_is_room(begun: list[tuple[str, str]]) -> None:
    # CONCURRENT_JOBS is 7, and each has two places at first.
    for name in ("a", "b", "c", "d"):
        wait_for_turn.handler(event(name), None)
    assert begun == [(name, f"token of {name}") for name in ("a", "b", "c")]
    assert read_waiting(["d"]) == {"d": ("token of d", 1000)}
    assert read_turns().waiting == 1


def test_the_token_is_noted_before_anything_else_can_fail(
    begun: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> bool:
        raise RuntimeError("killed")

    monkeypatch.setattr(wait_for_turn, "take", killed)
    with pytest.raises(RuntimeError):
        wait_for_turn.handler(event("a"), None)
    assert read_waiting(["a"]).keys() == {"a"}


def test_an_execution_that_asks_again_and_has_its_turn_goes_on_with_its_new_token(
    begun: list[tuple[str, str]],
) -> None:
    wait_for_turn.handler(event("a"), None)
    wait_for_turn.handler(event("a") | {"task_token": "new"}, None)
    assert begun == [("a", "token of a"), ("a", "new")]
    assert read_turns().holders == {"a": 1000}


def test_a_token_that_is_answered_at_once_stays_noted_for_share_jobs(begun: list[tuple[str, str]]) -> None:
    wait_for_turn.handler(event("a"), None)
    assert begun == [("a", "token of a")]
    assert read_waiting(["a"])["a"].token == "token of a"
