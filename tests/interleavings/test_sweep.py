"""A sample of `make interleavings`, of every scenario: always the same few schedules of its thousands."""

import pytest

from tests.interleavings.scenarios import SCENARIOS, Scenario
from tests.interleavings.sharing import Sharing
from tests.interleavings.sweep import BY_NAME, by_chance, repeat, sweep
from tests.interleavings.world import new_world


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_promise_is_kept(scenario: Scenario) -> None:
    found = sweep(scenario, preemptions=1, most=6, seeds=5)
    assert not found.violating, "\n\n".join(map(str, found.shortest.values()))


@pytest.mark.parametrize("name", ["overlap", "audiences", "forget"])
def test_a_schedule_is_repeated_by_what_was_printed_of_it(name: str) -> None:
    sharing = Sharing()
    for seed in range(4):
        ran = by_chance(BY_NAME[name], seed, sharing)
        again = repeat(ran.repeat)
        assert (again.world.scheduler.tick, again.violations) == (ran.world.scheduler.tick, ran.violations)
        assert str(again.world.decisions) == str(ran.world.decisions)


def test_a_call_that_no_fake_answers_is_named() -> None:
    with new_world() as world, pytest.raises(NotImplementedError, match="no fake of SendMessage of sqs"):
        world.answer("sqs", "SendMessage", {"QueueUrl": "queue"})
