from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from local.aws.open_points import DEFAULT, play


@pytest.fixture
def playing() -> Iterator[Callable[..., None]]:
    """playing(point=way, ...) plays these ways, and the default ones of all other points, until the end of the test."""
    yield lambda **ways: play(replace(DEFAULT, **ways))
    play(DEFAULT)
