"""Runs of a protocol in a scenario, and what was wrong after each."""

from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import NamedTuple

from tests.models import scenarios
from tests.models.ledger import Ledger
from tests.models.parts import Scenario, Steps
from tests.models.scheduler import Departures, Pick, explore, wander
from tests.models.world import World

Protocol = Callable[[World, Collection[str]], Steps]


class Failure(NamedTuple):
    """The run with these departures came to this."""

    departures: Departures
    problems: list[str]


def scenarios_of(protocol: Protocol) -> tuple[Scenario, ...]:
    shared = (*scenarios.OF_PAYMENT, *scenarios.OF_VERSIONS)
    return (*shared, *scenarios.OF_MEMBERSHIP) if protocol is Ledger else shared


def failures(
    protocol: Protocol, scenario: Scenario, departures: int, seeds: range, without: Collection[str] = ()
) -> Iterator[Failure | None]:
    """For every run with at most so many departures, then for a random one for each seed: None if nothing was wrong."""

    def run(pick: Pick) -> list[str]:
        world = World(scenario, pick)
        return world.run(protocol(world, without))

    for played, problems in chain(explore(run, departures), wander(run, seeds)):
        yield Failure(played, problems) if problems else None
