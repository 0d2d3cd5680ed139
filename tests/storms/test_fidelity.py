"""The simulation of tests/storms and the local AWS come to the same outcome."""

from collections.abc import Callable, Iterator

import pytest

from tests.storms.fidelity.differences import differences
from tests.storms.fidelity.local_aws import OnLocalAws
from tests.storms.fidelity.local_world import LocalWorld, local_world
from tests.storms.fidelity.outcome import Outcome
from tests.storms.fidelity.scenarios import SCENARIOS
from tests.storms.fidelity.simulated import simulated
from tests.storms.fidelity.steps import Steps


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """In the simulation. All of it before the local AWS runs, whose clients the simulation would answer, too."""
    found = {}
    for name, play in SCENARIOS.items():
        with simulated() as steps:
            play(steps)
            found[name] = steps.outcome()
    return found


@pytest.fixture(scope="module")
def world(outcomes: dict[str, Outcome]) -> Iterator[LocalWorld]:
    with local_world() as world:
        yield world


@pytest.mark.parametrize("play", SCENARIOS.values(), ids=lambda play: play.__name__)
def test_both_worlds_come_to_the_same_outcome(
    world: LocalWorld, outcomes: dict[str, Outcome], play: Callable[[Steps], None]
) -> None:
    steps = OnLocalAws(world)
    play(steps)
    assert list(differences(outcomes[play.__name__]._asdict(), steps.outcome()._asdict())) == []
