"""A sample of `make storm`: always the same histories."""

import pytest

from tests.storms.calm import MOST_PRESSES
from tests.storms.history import play

SEEDS, AT_A_TIME = 2000, 100


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_whatever_happens_nothing_is_lost_paid_twice_or_leaked(first: int) -> None:
    histories = [play(seed) for seed in range(first, first + AT_A_TIME)]
    assert {history.seed: history.violations for history in histories if history.violations} == {}
    assert max(history.presses_in_calm for history in histories) <= MOST_PRESSES
    assert sum(len(history.faults) for history in histories) > AT_A_TIME
