from hypothesis import given
from hypothesis import strategies as st

from lambdas.planning.job_shares import places, shares


def test_executions_share_equally() -> None:
    assert shares([1000, 1000, 1000], 252) == [84, 84, 84]


def test_who_needs_less_than_its_part_leaves_the_rest_to_the_others() -> None:
    assert shares([1000, 5, 300], 250) == [123, 5, 122]


def test_a_single_execution_gets_all_that_it_needs_and_no_more() -> None:
    assert shares([1000], 250) == [250]
    assert shares([40], 250) == [40]
    assert shares([], 250) == []


def test_nobody_is_left_without_a_place() -> None:
    assert shares([9, 9, 9], 0) == [1, 1, 1]
    assert shares([0], 250) == [1]


@given(st.lists(st.integers(1, 3000), max_size=10), st.integers(10, 1000))
def test_no_more_is_given_than_there_is_and_none_is_left_that_someone_needs(
    unfinished: list[int], available: int
) -> None:
    given_out = shares(unfinished, available)
    assert sum(given_out) == min(available, sum(unfinished))
    assert all(share <= need for share, need in zip(given_out, unfinished, strict=True))


def test_places_make_up_for_the_time_until_a_poll_notices_an_end() -> None:
    assert [places(jobs) for jobs in (1, 8, 100, 250)] == [1, 8, 102, 257]
