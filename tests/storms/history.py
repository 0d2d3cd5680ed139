"""One history: from its seed, or with some deeds and faults left out, to what is wrong with it at the end."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from bench.simulation.definition import MOST_EVENTS
from tests.simulation.aws import MEDIA
from tests.simulation.invariants import violations
from tests.simulation.rest import LOST, RED, Violation, covers
from tests.storms.calm import settle
from tests.storms.faults import chance
from tests.storms.people import People
from tests.storms.story import Deed, story
from tests.storms.watch import TOO_LARGE
from tests.storms.world import World, new_world


class History(NamedTuple):
    """`faults` are those that struck; `log` says what happened, a line each.

    `presses` counts the buttons that people pressed, `presses_in_calm` those after the last fault.
    """

    seed: int
    deeds: list[Deed]
    faults: list[str]
    presses: int
    presses_in_calm: int
    violations: list[Violation]
    log: str


def play(seed: int, deeds: list[Deed] | None = None, without: Collection[str] = ()) -> History:
    deeds = story(seed) if deeds is None else deeds
    with new_world(seed, without) as world:
        people = People(world)
        try:
            for deed in deeds:
                people.will(deed)
            last = max((deed.at for deed in deeds if not deed.when), default=0.0)
            world.run(until=world.clock.now + last + chance(seed, "calm").uniform(1.0, 3600.0))
            found = [Violation(RED, what) for what in settle(world, people)] or violations(world)
            found += [*world.watch.found, *unseen(world), *overlong(world)]
        except TimeoutError as error:
            found = [Violation(RED, str(error))]
        return History(seed, deeds, world.faults.struck, people.presses, people.presses_in_calm, found, str(world))


def unseen(world: World) -> Iterator[Violation]:
    """Each current version was in some execution, since S3 sends an event about each."""
    for key in world.buckets.keys(MEDIA):
        version = world.buckets.current(MEDIA, key)
        if version and not any(covers(item, key) for item in world.executions.values()):
            yield Violation(LOST, f"{key} {version.version_id} was in no execution")


def overlong(world: World) -> Iterator[Violation]:
    if world.state_machine.longest_history[0] > MOST_EVENTS:
        yield Violation(TOO_LARGE, f"a history has {world.state_machine.longest_history[0]} events")
