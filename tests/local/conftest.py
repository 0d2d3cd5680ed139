from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from local.aws.open_points import DEFAULT, play


@pytest.fixture
def playing() -> Iterator[Callable[..., None]]:
    """playing(point=variant, ...) plays these variants, and the defaults of all other points, until the test ends."""
    yield lambda **ways: play(replace(DEFAULT, **ways))
    play(DEFAULT)
