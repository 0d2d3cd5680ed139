"""What each button pays for twice, wherever the first execution was left: the table of docs/reruns.md."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count

import pytest

from tests.interleavings.scenarios import key, media
from tests.interleavings.settling import settle
from tests.interleavings.sharing import Call
from tests.interleavings.world import World, new_world

# Of the calls of a step each third is tried: with all of them it takes half a minute, and finds nothing more.
EVERY = 3
STEPS = [
    "PlanBatch",
    "StartTranscription",
    "PollTranscription",
    "PrepareDocuments",
    "StartEntityDetection",
    "PollEntityDetection",
    "CollectEntities",
    "SelectSeeds",
    "SummarizeBatch",
]


def redrive(world: World) -> None:
    world.redrive("E1")


def again(world: World) -> None:
    world.start("E2", media("a", "b", "c"))


def with_more(world: World) -> None:
    world.upload(key("d"))
    world.start("E2", media("a", "b", "c", "d"))


def with_fewer(world: World) -> None:
    world.start("E2", media("a"))


def both(world: World) -> None:
    world.start("E2", media("a", "b"))
    world.redrive("E1")


def one_after_the_other(world: World) -> None:
    world.start("E2", media("a"))
    world.run()
    world.start("E3", media("b", "c"))
    world.run()
    world.redrive("E1")


BUTTONS: Mapping[str, Callable[[World], None]] = {
    "redrive": redrive,
    "new execution, the same recordings": again,
    "new execution, more recordings": with_more,
    "new execution, fewer recordings": with_fewer,
    "both": both,
    "one after the other": one_after_the_other,
}


def leave(world: World, step: str, number: int, *, stopped: bool) -> bool:
    """Let E1 fail at the so manyth call of that step, or stop it there; False if it makes fewer."""
    world.deploy(cohorts=0.5)
    for name in "abc":
        world.upload(key(name), sentences=2)
    world.start("E1", media("a", "b", "c"))
    calls = count(1)

    def is_it(call: Call) -> bool:
        return (call.actor, call.step) == ("E1", step) and next(calls) >= number

    if stopped:
        if world.scheduler.run(is_it) is None:
            return False
        world.stop("E1")
        return True
    world.breaks = is_it
    world.run()
    world.breaks = lambda call: False
    return world.executions["E1"].status == "FAILED"


def characters_paid_twice(world: World) -> int:
    return sum(len(word) * (times - 1) for word, times in Counter(world.comprehend_medical.words()).items())


@pytest.mark.parametrize("stopped", [False, True], ids=["failed", "stopped"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("button", BUTTONS)
def test_no_button_pays_for_a_character_twice(button: str, step: str, stopped: bool) -> None:
    for number in count(1, EVERY):
        with new_world() as world:
            if not leave(world, step, number, stopped=stopped):
                break
            BUTTONS[button](world)
            world.run()
            settle(world)
            assert characters_paid_twice(world) == 0, f"at call {number} of {step}: {world}"
    assert number > 1
