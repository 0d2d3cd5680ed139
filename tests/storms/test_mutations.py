"""Faults that are planted and found at once; `make storm MUTATIONS=20000` looks for all of them."""

import pytest

from tests.storms.mutations import MUTATIONS, Mutation, find

MOST = 400


@pytest.mark.parametrize(
    "mutation", [item for item in MUTATIONS if item.is_frequent], ids=lambda mutation: mutation.name
)
def test_a_fault_that_is_planted_is_found(mutation: Mutation) -> None:
    assert find(mutation, MOST).seed is not None
