from itertools import chain

import pytest

from tests.interleavings.mutations import MUTATIONS, Mutation
from tests.interleavings.sharing import Sharing
from tests.interleavings.sweep import BY_NAME, all_schedules, by_chance, repeat
from tests.simulation.rest import Violation

MOST_SCHEDULES = 700
SEEDS = 30


def is_found(mutation: Mutation, violations: list[Violation]) -> bool:
    return any(violation.kind in mutation.kinds for violation in violations)


def schedules_until_found(mutation: Mutation) -> int | None:
    """How many it takes until one violates what the functions as they are don't violate in the same schedule."""
    scenario, sharing = BY_NAME[mutation.scenario], Sharing()
    drawn = (by_chance(scenario, seed, sharing) for seed in range(SEEDS))
    schedules = chain(drawn, all_schedules(scenario, sharing, 2, mutation.step))
    for number in range(1, MOST_SCHEDULES + 1):
        with pytest.MonkeyPatch.context() as patch:
            mutation.plant(patch)
            ran = next(schedules, None)
        if ran is None:
            return None
        if is_found(mutation, ran.violations) and not is_found(mutation, repeat(ran.repeat).violations):
            return number
    return None


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_fault_that_is_planted_is_found(mutation: Mutation) -> None:
    assert schedules_until_found(mutation) is not None
