"""One history: from its seed, or with some deeds and faults left out, to what is wrong with it at the end."""

from collections.abc import Collection
from typing import NamedTuple

from tests.simulation.invariants import violations
from tests.simulation.rest import LOST, RED, Violation
from tests.storms.calm import settle, start_again
from tests.storms.people import People
from tests.storms.story import Deed, story
from tests.storms.world import new_world


class History(NamedTuple):
    """`faults` are those that struck; `log` says what happened, a line each."""

    seed: int
    deeds: list[Deed]
    faults: list[str]
    presses: int
    violations: list[Violation]
    log: str


def play(seed: int, deeds: list[Deed] | None = None, without: Collection[str] = ()) -> History:
    deeds = story(seed) if deeds is None else deeds
    with new_world(seed, without) as world:
        people = People(world)
        try:
            for deed in deeds:
                people.will(deed)
            world.run(until=world.clock.now + 1 + max((deed.at for deed in deeds), default=0))
            found = [Violation(RED, what) for what in settle(world, people)] or violations(world)
            if not found:
                found = [Violation(LOST, what) for what in start_again(world)] or violations(world)
        except TimeoutError as error:
            found = [Violation(RED, str(error))]
        return History(seed, deeds, world.faults.struck, people.presses, found, str(world))
