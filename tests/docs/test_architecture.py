"""docs/architecture.md says of every call what its failure is about."""

import re

from infra.functions import FUNCTIONS, pascal_case
from tests.docs.pages import sections


def documented_calls() -> set[tuple[str, str]]:
    """Step and call of each row; a cell that is empty means what the one above it says."""
    (rows,) = [rows for heading, rows in sections("architecture.md").items() if heading.startswith("One recording's")]
    step, calls, found = "", set[str](), set[tuple[str, str]]()
    for row in rows:
        if row[0]:
            step, calls = row[0], set()
        calls = set(re.findall(r"`(\w+)`", row[1])) or calls
        found |= {(step, call) for call in calls}
    return found


def test_every_step_that_handles_recordings_has_its_rows() -> None:
    steps = {pascal_case(function) for function in FUNCTIONS} - {"ShareJobs"}
    assert {step for step, _ in documented_calls()} == steps | {"every step"}
