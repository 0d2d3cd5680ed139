"""The money of a day, shared by executions that plan at the same time, are stopped, redriven and killed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from lambdas.planning import ceilings
from lambdas.shared import spending_items
from lambdas.shared.identity import digest
from lambdas.shared.ledger import Change, write_together
from lambdas.shared.spending_items import spending_key
from tests.interleavings.circumstances import CALL_FAULTS, Options
from tests.interleavings.decisions import Drawn
from tests.interleavings.scenarios import key, media, redrive, start, stop
from tests.interleavings.settling import broken_promises
from tests.interleavings.sharing import Sharing
from tests.interleavings.sweep import UNLIMITED
from tests.interleavings.world import World, new_world
from tests.simulation.rest import Violation, read
from tests.simulation.tables import CONFLICT, UNPROCESSED, Write

SEEDS = range(60)
# Two recordings take six, the minimum of both services; so of two executions that want two each, one waits.
CEILING_CENTS = 9


class Days:
    """Midnight comes after some looks at the clock, so an execution that waits goes on at last."""

    def __init__(self) -> None:
        self._looks = 0

    def today(self) -> str:
        self._looks += 1
        return f"day {self._looks // 6}"


class Played(NamedTuple):
    """The most cents that a day had at any time, whether somebody waited, and what is wrong at the end."""

    most_cents: int
    waited: bool
    unreserved: list[str]
    violations: list[Violation]


def play(seed: int, sharing: Sharing, plant: Callable[[World], None] = lambda world: None) -> Played:
    drawn, options = Drawn(seed), Options()
    for kind in (*CALL_FAULTS, CONFLICT, UNPROCESSED):
        options.faults[kind] = int(drawn.random.random() < 0.3)
    with new_world(drawn, sharing, options) as world:
        world.patch.setenv("DAY_CEILING_USD", f"{CEILING_CENTS / 100}")
        world.patch.setattr(ceilings, "today", Days().today)
        plant(world)
        sums = watched(world)
        for name in "abcd":
            world.upload(key(name))
        moves = [
            [start(world, "E1", media("a", "b")), stop(world, "E1"), redrive(world, "E1")],
            [start(world, "E2", media("b", "c"))],
            [start(world, "E3", media("a", "d"))],
        ]
        world.plan(moves, UNLIMITED)
        world.run()
        violations = broken_promises(world)
        waited = any("DayCeilingReached" in line for line in world.log)
        return Played(max(sums), waited, list(unreserved(world)), violations)


def watched(world: World) -> list[int]:
    """The cents of a day after each write, the others' numbers included."""
    sums, commit = [0], world.tables._commit

    def summed(write: Write) -> None:
        commit(write)
        if write.place.startswith(spending_key("")):
            numbers = {name: int(value["N"]) for name, value in write.after.items() if name != "pk"}
            sums.append(sum(numbers.values()) - numbers["sequence"])

    world.patch.setattr(world.tables, "_commit", summed)
    return sums


def unreserved(world: World) -> Sequence[str]:
    """The executions that planned recordings to transcribe, and have no number in the day of their plan."""
    found = []
    for name, execution in world.executions.items():
        if execution.status == "SUCCEEDED":
            costs = read(world, f"batches/{name}/plan.json")["costs"]
            item = world.tables.items.get(spending_key(costs["reserved_on"] or ""), {})
            if costs["estimate"]["total"] and digest(name) not in item:
                found.append(name)
    return found


def test_no_schedule_spends_more_than_a_day_has_and_all_batches_are_done_at_last() -> None:
    sharing = Sharing()
    played = [play(seed, sharing) for seed in SEEDS]
    assert max(each.most_cents for each in played) <= CEILING_CENTS
    assert not [violation for each in played for violation in each.violations]
    assert not [name for each in played for name in each.unreserved]
    assert sum(each.waited for each in played) > len(SEEDS) / 4


def careless(world: World) -> None:
    """The reservation is written whatever the item has become since it was read."""

    def write_all(changes: Sequence[Change]) -> bool:
        return write_together([change._replace(expected={}) if len(change.put) == 2 else change for change in changes])

    world.patch.setattr(spending_items, "write_together", write_all)


def test_without_the_condition_on_the_sequence_a_day_is_overspent() -> None:
    sharing = Sharing()
    assert max(play(seed, sharing, careless).most_cents for seed in SEEDS) > CEILING_CENTS


@pytest.mark.parametrize("seed", [0, 1])
def test_a_schedule_is_played_again_by_its_seed(seed: int) -> None:
    assert play(seed, Sharing()) == play(seed, Sharing())
