from collections.abc import Iterator

import pytest

from local.aws import clock


@pytest.fixture(autouse=True)
def _restore_scale() -> Iterator[None]:
    before = clock.scale()
    yield
    clock.set_scale(before)


def test_a_minute_lasts_as_many_real_seconds_as_the_scale_says() -> None:
    clock.set_scale(0.02)
    assert clock.scale() == 0.02
    assert clock.scaled(60) == pytest.approx(1.2)


def test_real_time_is_a_scale_of_one() -> None:
    clock.set_scale(1)
    assert clock.scaled(30) == 30


def test_a_moment_in_the_past_is_not_waited_for() -> None:
    clock.set_scale(1)
    assert clock.scaled(-5) == 0


@pytest.mark.parametrize("nonsense", [-0.1, float("nan"), float("inf")])
def test_a_scale_that_is_no_pace_is_refused(nonsense: float) -> None:
    clock.set_scale(0.5)
    with pytest.raises(ValueError, match="time scale"):
        clock.set_scale(nonsense)
    assert clock.scale() == 0.5


def test_no_wait_is_longer_than_the_longest() -> None:
    clock.set_scale(0.1, longest=1)
    assert clock.scaled(5) == 0.5
    assert clock.scaled(3600) == 1


def test_a_longest_wait_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="longest wait"):
        clock.set_scale(0.1, longest=-1)
