import pytest

from operations.advice import _BY_ERROR
from tests.storms.calm import NEW, REDRIVE, REPROCESS, buttons


@pytest.mark.parametrize(
    ("error", "pressed"),
    [
        ("JobFailed", {REDRIVE}),
        ("ABORTED", {REDRIVE}),
        ("CostCeilingExceeded", {REDRIVE}),
        ("InvalidInput", {NEW}),
        ("IncompleteOutput", {REPROCESS}),
        ("States.Runtime", {NEW}),
        ("an error that no row names", {REDRIVE}),
    ],
)
def test_the_operator_of_a_storm_presses_what_the_page_says(error: str, pressed: set[str]) -> None:
    assert {*buttons(error)} == pressed


@pytest.mark.parametrize("error", sorted(_BY_ERROR))
def test_every_error_has_a_button(error: str) -> None:
    assert buttons(error)
