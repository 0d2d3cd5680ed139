"""Step Functions in virtual time: redrives, stops, tokens and names."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from bench.simulation.definition import EXCEEDED
from lambdas import transcribe_medical
from tests.interleavings.executions import FUNCTIONS
from tests.interleavings.scenarios import key, media
from tests.simulation.aws import CLINICAL, Refused
from tests.storms.executions import ABORTED, FAILED, RUNNING, SUCCEEDED, Execution
from tests.storms.world import HANDLERS, World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world(1) as world:
        world.calm()
        for name in "ab":
            world.put(key(name))
        yield world


def until(world: World, state: str, execution: Execution) -> None:
    while execution.step != state:
        assert execution.status == RUNNING
        world.run(until=world.clock.now + 1)


class JobFailed(Exception):
    """No retrier repeats it."""


def failing(world: World, step: str) -> list[Any]:
    """The function fails the first time that it is called; the list has the events that it gets."""
    module, _, name = FUNCTIONS[step].rpartition(".")
    original, events = getattr(import_module(module), name), list[Any]()

    def handler(event: Any, context: Any) -> Any:
        events.append(event)
        if len(events) == 1:
            raise JobFailed
        return original(event, context)

    world.patch.setattr(FUNCTIONS[step], handler)
    return events


def test_a_redrive_continues_at_the_state_that_failed_with_its_input(world: World) -> None:
    asked = failing(world, "PlanBatch")
    execution = world.start("E1", media("a"))
    world.run()
    assert (execution.status, execution.error, execution.failed) == (FAILED, "JobFailed", ("PlanBatch",))
    execution.redrive()
    world.run()
    assert execution.status == SUCCEEDED
    assert [event["redrive_count"] for event in asked] == [0, 1]
    assert asked[0]["request"] == asked[1]["request"]


def test_a_redrive_repeats_no_child_that_is_done(world: World) -> None:
    polls: list[tuple[str, int]] = []

    def poll(event: Any, context: Any) -> Any:
        """The job of p-a fails once that of p-b is done."""
        user_id, redrives = event["recording"]["user_id"], event["redrive_count"]
        answer = transcribe_medical.poll(event, context) if user_id == "p-b" or execution.redrives else event["job"]
        polls.append((user_id, redrives))
        if user_id == "p-b":
            done.append(answer["status"] == "COMPLETED")
        elif any(done) and not execution.redrives:
            raise JobFailed
        return answer

    done: list[bool] = []
    world.patch.setitem(HANDLERS, "PollTranscription", poll)
    execution = world.start("E1", media("a", "b"))
    world.run()
    assert (execution.error, execution.cause) == (EXCEEDED, "JobFailed")
    assert execution.failed == ("TranscribeMedia", "PollTranscription")
    before = len(polls)
    execution.redrive()
    world.run()
    assert execution.status == SUCCEEDED
    assert {user_id for user_id, _ in polls[before:]} == {"p-a"}
    assert len(world.transcribe.jobs) == 2


def test_a_stop_leaves_its_function_at_work_and_nobody_waits_for_what_it_returns(world: World) -> None:
    execution = world.start("E1", media("a"))
    world.run(until=world.clock.now + 0.001)
    assert execution.step == "PlanBatch"
    execution.stop()
    world.run()
    assert world.buckets.current(CLINICAL, "batches/E1/plan.json")
    assert (execution.status, execution.step) == (ABORTED, "PlanBatch")
    assert not world.transcribe.jobs


def test_a_stopped_execution_continues_with_a_redrive(world: World) -> None:
    execution = world.start("E1", media("a"))
    until(world, "TranscribeMedia", execution)
    execution.stop()
    world.run()
    execution.redrive()
    world.run()
    assert (execution.status, len(world.transcribe.jobs)) == (SUCCEEDED, 1)


def test_the_token_of_a_stopped_execution_is_refused(world: World) -> None:
    world.patch.setattr("lambdas.wait_for_turn.handler", lambda event, context: tokens.append(event["task_token"]))
    tokens: list[str] = []
    execution = world.start("E1", media("a"))
    until(world, "WaitForTurn", execution)
    world.run(until=world.clock.now + 60)
    execution.stop()
    with pytest.raises(Refused, match="TaskTimedOut"):
        world.state_machine.send_task_success(tokens[0], "{}")


def test_each_attempt_and_each_redrive_has_a_token_of_its_own(world: World) -> None:
    world.patch.setattr("lambdas.wait_for_turn.handler", lambda event, context: tokens.append(event["task_token"]))
    tokens: list[str] = []
    execution = world.start("E1", media("a"))
    until(world, "WaitForTurn", execution)
    world.run(until=world.clock.now + 2 * 3600 + 300)
    execution.stop()
    execution.redrive()
    world.run(until=world.clock.now + 60)
    assert len(tokens) == len({*tokens}) == 4
    world.state_machine.send_task_success(tokens[-1], "{}")
    with pytest.raises(Refused, match="TaskTimedOut"):
        world.state_machine.send_task_success(tokens[-1], "{}")
    world.run(until=world.clock.now + 1)
    assert execution.step == "TranscribeMedia"


def test_a_taken_name_is_refused_unless_it_runs_with_this_very_input(world: World) -> None:
    first = world.state_machine.start_execution("E1", json.dumps(media("a")))
    again = world.state_machine.start_execution("E1", json.dumps(media("a")))
    assert again == first
    with pytest.raises(Refused, match="ExecutionAlreadyExists"):
        world.state_machine.start_execution("E1", json.dumps(media("b")))
    world.run()
    with pytest.raises(Refused, match="ExecutionAlreadyExists"):
        world.state_machine.start_execution("E1", json.dumps(media("a")))
    assert [*world.executions] == ["E1"]


def test_an_execution_that_is_not_there_is_named_so(world: World) -> None:
    with pytest.raises(Refused, match="ExecutionDoesNotExist"):
        world.state_machine.describe_execution("arn:aws:states:us-east-1:123456789012:execution:pipeline:nobody")


def test_a_description_tells_of_the_end_and_of_redrives(world: World) -> None:
    execution = world.start("E1", media("a"))
    assert "stopDate" not in execution.described()
    execution.stop()
    assert {"stopDate"} <= execution.described().keys()
    execution.redrive()
    described = execution.described()
    assert "stopDate" not in described
    assert (described["status"], described["redriveCount"]) == (RUNNING, 1)


def test_the_concurrency_of_a_map_run_is_changed_while_it_runs(world: World) -> None:
    for name in "cd":
        world.put(key(name))
    execution = world.start("E1", media(*"abcd"))
    until(world, "TranscribeMedia", execution)
    world.run(until=world.clock.now + 0.001)
    (run,) = world.state_machine.list_map_runs(execution.arn)["mapRuns"]
    world.state_machine.update_map_run(run["mapRunArn"], 1)
    assert world.state_machine.describe_map_run(run["mapRunArn"])["maxConcurrency"] == 1
    world.run()
    assert execution.status == SUCCEEDED
    assert world.state_machine.describe_map_run(run["mapRunArn"])["status"] == "SUCCEEDED"
    with pytest.raises(Refused, match="ResourceNotFound"):
        world.state_machine.update_map_run(run["mapRunArn"], 2)
