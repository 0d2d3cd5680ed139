"""What the definition does with the services' errors is what docs/api.md says."""

from typing import Any

import pytest

from tests.docs.pages import sections
from tests.statemachine.test_pipeline import tasks

ROWS = [row for heading, rows in sections("api.md").items() if heading.endswith("/Errors") for row in rows]
# Their functions handle them; whatever the state machine would do never happens.
HANDLED = ("adopted", "rejected", "started again", "`IncompleteOutput`")


def disposition(error: str, task: dict[str, Any]) -> str:
    """What becomes of an error that a task's function lets through, in the page's words."""
    retrier = next(item for item in task["Retry"] if {error, "States.TaskFailed"} & set(item["ErrorEquals"]))
    return {0: "fails", 2000: "retried for days", 6: "retried for minutes"}[retrier["MaxAttempts"]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}".replace("`", ""))
def test_an_error_of_a_service_meets_the_retrier_that_the_page_says(row: list[str]) -> None:
    error, said = row[1].strip("`"), row[2]
    if not said.startswith(HANDLED):
        assert {disposition(error, task) for task in tasks().values()} == {said.split(":")[0]}


def test_all_steps_treat_errors_alike() -> None:
    first, *others = tasks().values()
    assert all(task["Retry"] == first["Retry"] for task in others)
