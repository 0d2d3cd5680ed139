"""Runs of the protocol in a scenario, and what was wrong after each."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import NamedTuple

from tests.models.ledger import Ledger
from tests.models.parts import Scenario
from tests.models.scheduler import Departures, Pick, explore, wander
from tests.models.world import World


class Failure(NamedTuple):
    """The run with these departures came to this."""

    departures: Departures
    problems: list[str]


def failures(
    scenario: Scenario, departures: int, seeds: range, without: Collection[str] = ()
) -> Iterator[Failure | None]:
    """For every run with at most so many departures, then for a random one for each seed: None if nothing was wrong."""

    def run(pick: Pick) -> list[str]:
        world = World(scenario, pick)
        return world.run(Ledger(world, without))

    for played, problems in chain(explore(run, departures), wander(run, seeds)):
        yield Failure(played, problems) if problems else None
