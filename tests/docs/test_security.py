"""docs/security.md says of every function what its role may do, and names tests that exist."""

import re
from pathlib import Path

from tests.docs.pages import missing_tests, sections
from tests.docs.permissions import PAGE as PATH
from tests.docs.permissions import synthesize, table

PAGE = PATH.name


def test_the_table_of_permissions_is_what_the_template_grants(tmp_path: Path) -> None:
    assert table(synthesize(tmp_path)) in PATH.read_text(), "write it anew: python -m tests.docs.permissions"


def test_every_test_that_is_named_exists() -> None:
    assert missing_tests(PAGE) == []


def test_every_threat_names_its_evidence() -> None:
    tests = {row[0] for row in sections(PAGE)["The tests"]}
    shown = [re.findall(r"\bT\d+\b", row[2]) for row in sections(PAGE)["Threats, and what stops them"]]
    assert all(shown)
    assert {test for tests_of_row in shown for test in tests_of_row} == tests
