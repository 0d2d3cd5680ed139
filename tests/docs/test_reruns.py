"""Every row of docs/reruns.md names a test that exists."""

from tests.docs.pages import missing_tests, sections

PAGE = sections("reruns.md")


def test_every_row_names_a_test_that_exists() -> None:
    assert missing_tests("reruns.md") == []
    legend = [row[0] for row in PAGE["The tests"]]
    rows = PAGE[""]
    assert {test for row in rows for test in row[-1].split(", ")} == set(legend)
