"""Lambda in virtual time: how a function ends, and what it still does then."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.simulation.clock import Steps
from bench.simulation.definition import TaskError
from lambdas.shared.storage import s3
from tests.simulation.aws import CLINICAL
from tests.storms.faults import (
    HUNG,
    HUNG_AFTER,
    KILLED,
    KILLED_AFTER,
    LOST,
    REFUSED,
    REPEATED,
    UNANSWERED,
    UNDELIVERED,
    Fault,
)
from tests.storms.functions import GONE, NO_ANSWER, TIMED_OUT, ConnectionLost, Invocation
from tests.storms.world import World, new_world

SECONDS = 300.0
KEY = "batches/E1/plan.json"


@pytest.fixture
def world() -> Iterator[World]:
    with new_world(1) as world:
        world.calm()
        yield world


def invoked(world: World, work: Callable[[], Any], kind: str = "", call: int = 1) -> Invocation:
    """The function after its end."""
    fault = Fault(kind, "E1 Step 1", call) if kind else None
    invocation = Invocation(world, "E1 Step 1", work, SECONDS, fault)
    world.run()
    return invocation


def put() -> str:
    s3.put_object(Bucket=CLINICAL, Key=KEY, Body=b"1")
    return "done"


def written(world: World) -> int:
    return len(world.buckets.versions(CLINICAL, KEY))


@pytest.mark.parametrize(
    ("kind", "failure", "times"),
    [
        ("", "", 1),
        (KILLED, GONE, 0),
        (KILLED_AFTER, GONE, 1),
        (HUNG, TIMED_OUT, 0),
        (HUNG_AFTER, TIMED_OUT, 1),
        (REFUSED, "ClientError", 0),
        (LOST, "ConnectionLost", 1),
        (REPEATED, "", 2),
        (UNDELIVERED, NO_ANSWER, 0),
        (UNANSWERED, NO_ANSWER, 1),
    ],
)
def test_a_fault_ends_the_function_before_or_after_its_call(world: World, kind: str, failure: str, times: int) -> None:
    invocation = invoked(world, put, kind)
    assert (invocation.failure, written(world), invocation.ended.is_open) == (failure, times, True)


@pytest.mark.parametrize("kind", [KILLED, KILLED_AFTER, HUNG, HUNG_AFTER])
def test_a_function_that_is_gone_makes_no_call_any_more_not_even_finally(world: World, kind: str) -> None:
    reached = []

    def work() -> None:
        try:
            put()
        finally:
            reached.append("finally")
            s3.delete_object(Bucket=CLINICAL, Key=KEY)

    invocation = invoked(world, work, kind)
    assert (reached, invocation.ended.is_open) == (["finally"], True)
    assert not any(version.is_marker for version in world.buckets.versions(CLINICAL, KEY))


def test_a_function_that_hangs_ends_when_its_time_is_over(world: World) -> None:
    before = world.clock.now
    invoked(world, put, HUNG)
    assert world.clock.now - before == pytest.approx(SECONDS)


def test_a_function_whose_calls_take_too_long_ends_in_the_middle_of_them(world: World) -> None:
    def work() -> None:
        while True:
            put()

    invocation = invoked(world, work)
    assert invocation.failure == TIMED_OUT
    assert written(world) > 1


def test_others_are_at_work_during_a_call(world: World) -> None:
    order = []

    def work(name: str) -> Callable[[], None]:
        def calls() -> None:
            for number in range(3):
                order.append(f"{name}{number}")
                put()

        return calls

    for name in "ab":
        Invocation(world, f"E1 {name}", work(name), SECONDS, None)
    world.run()
    assert {name[0] for name in order[:3]} == {name[0] for name in order[3:]} == {"a", "b"}


def test_a_fault_of_a_later_call_lets_the_earlier_ones_be(world: World) -> None:
    def work() -> None:
        put()
        put()

    assert invoked(world, work, KILLED, call=2).failure == GONE
    assert written(world) == 1


def test_a_lost_answer_is_no_answer_of_the_service(world: World) -> None:
    caught: list[Exception] = []

    def work() -> None:
        try:
            put()
        except (ClientError, ConnectionLost) as error:
            caught.append(error)

    invoked(world, work, LOST)
    assert [type(error) for error in caught] == [ConnectionLost]


def test_a_step_gets_the_answer_of_its_function_as_json_or_its_error(world: World) -> None:
    found: list[Any] = []

    def ask(event: Any) -> Steps:
        try:
            found.append((yield from world.functions.call("PlanBatch", "E1", event)))
        except TaskError as error:
            found.append(error.name)

    def plan(event: Any, context: Any) -> Any:
        if event["wrong"]:
            raise ValueError
        return {"left": context.get_remaining_time_in_millis(), "given": tuple(event["given"])}

    world.patch.setattr("lambdas.plan_batch.handler", plan)
    world.clock.begin(ask({"wrong": False, "given": [1]}))
    world.clock.begin(ask({"wrong": True}))
    world.run()
    assert sorted(found, key=str) == ["ValueError", {"left": 900_000, "given": [1]}]
