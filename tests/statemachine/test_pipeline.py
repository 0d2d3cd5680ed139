"""The definition by itself: every state can be reached and left, and what it asks for is what the stack gives."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.definition import FILE, read_definition
from lambdas.shared import errors

DEFINITION = read_definition()


def machines(machine: dict[str, Any] = DEFINITION, name: str = "pipeline") -> Iterator[tuple[str, dict[str, Any]]]:
    yield name, machine
    for state_name, state in machine["States"].items():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"], state_name)


def tasks() -> dict[str, dict[str, Any]]:
    return {
        name: state for _, machine in machines() for name, state in machine["States"].items() if state["Type"] == "Task"
    }


def successors(state: dict[str, Any]) -> set[str]:
    nexts = [state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", ()))]
    return {name for name in nexts if name}


@pytest.mark.parametrize(("name", "machine"), list(machines()), ids=[name for name, _ in machines()])
def test_every_next_state_exists_and_every_state_is_reached(name: str, machine: dict[str, Any]) -> None:
    reached: set[str] = set()
    frontier = {machine["StartAt"]}
    while frontier:
        reached |= frontier
        frontier = {later for state in frontier for later in successors(machine["States"][state])} - reached
    assert reached == set(machine["States"])


@pytest.mark.parametrize(("name", "machine"), list(machines()), ids=[name for name, _ in machines()])
def test_no_failure_ends_in_a_fail_state_that_a_redrive_would_only_repeat(name: str, machine: dict[str, Any]) -> None:
    assert not [state for state, body in machine["States"].items() if body["Type"] == "Fail"]
    # Caught is only what sends the flow back by itself.
    caught = {state: body["Catch"] for state, body in machine["States"].items() if "Catch" in body}
    back = [{"ErrorEquals": ["TakenOver"], "ResultPath": None, "Next": "PrepareDocuments"}]
    again = [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": "WaitForTurn"}]
    assert caught == ({"StartEntityDetection": back, "WaitForTurn": again} if name == "pipeline" else {})


def test_each_task_is_named_as_the_function_it_invokes() -> None:
    invoked = {name: state["Resource"] for name, state in tasks().items()}
    waiting = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    for name in [name for name, resource in invoked.items() if resource == waiting]:
        invoked[name] = tasks()[name]["Parameters"]["FunctionName"]
    assert invoked == {name: f"${{{name}Arn}}" for name in tasks()}


def test_nothing_is_substituted_but_the_functions() -> None:
    assert json.dumps(DEFINITION).count("${") == len(tasks())


def test_the_retry_policy_is_written_once() -> None:
    """Under the first Task, as States Language has no other place for it."""
    written = re.findall(r"Retry: *(.*)", FILE.read_text())
    assert written == ["&retries"] + ["*retries"] * (len(tasks()) - 1)


def test_what_will_not_pass_is_never_retried_and_the_rest_with_jitter_and_a_cap() -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert len(ours) == 8
    for state in tasks().values():
        permanent, quota, *passing = state["Retry"]
        assert ours - set(permanent["ErrorEquals"]) == {"DayCeilingReached"}
        assert "DayCeilingReached" in quota["ErrorEquals"]
        assert permanent["MaxAttempts"] == 0
        assert passing[-1]["ErrorEquals"] == ["States.TaskFailed"]
        for retrier in (quota, *passing):
            assert (retrier["JitterStrategy"], retrier["MaxDelaySeconds"] <= 300) == ("FULL", True)


def test_every_wait_follows_what_the_poll_says() -> None:
    waits = [state for _, machine in machines() for state in machine["States"].values() if state["Type"] == "Wait"]
    assert len(waits) == 5
    assert all(set(state) == {"Type", "SecondsPath", "Next"} for state in waits)
