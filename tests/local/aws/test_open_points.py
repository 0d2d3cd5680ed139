from collections.abc import Callable
from typing import Any

import pytest

from local.aws.open_points import DEFAULT, WAYS, OpenPoints, play, played


def test_every_point_has_more_than_one_way_and_is_played_its_first() -> None:
    for point, ways in WAYS.items():
        assert len(set(ways)) == len(ways) >= 2, point
        assert getattr(DEFAULT, point) == ways[0]


def test_every_point_says_what_is_open() -> None:
    for point in WAYS:
        assert f"`{point}`" in (OpenPoints.__doc__ or ""), point


@pytest.mark.parametrize("point", WAYS)
def test_a_way_that_a_point_has_not_is_refused_by_name(point: str) -> None:
    ways: Any = {point: "labeled"}
    with pytest.raises(
        ValueError, match=rf"{point} is 'labeled'; the variants of this open point are {WAYS[point][0]}, "
    ):
        OpenPoints(**ways)


def test_what_is_set_is_played_until_something_else_is(playing: Callable[..., None]) -> None:
    playing(map_children="labelled")
    assert played() == OpenPoints(map_children="labelled")
    play(DEFAULT)
    assert played().map_children == "state-machine"
