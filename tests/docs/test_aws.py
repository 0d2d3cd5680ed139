"""docs/aws.md has a row for each point of a verification, and each test that it names is there."""

import re
from pathlib import Path

from operations.verify import preflight
from operations.verify.verification import POINTS
from tests.docs.pages import missing_tests, sections

PAGE = sections("aws.md")
ONLY_DOCUMENTS = "by documents only"


def points_in(text: str) -> set[str]:
    return set(re.findall(r"`([a-z-]+)`", text))


def test_every_point_of_a_verification_is_on_the_page_and_no_other() -> None:
    seen = {
        point for heading in ("Open", "Confirmed") for row in PAGE[heading] for point in points_in(row[_of(heading)])
    }
    (ours,) = re.findall(r"Every other point of verify \((.*?)\)", Path("docs/aws.md").read_text(), re.DOTALL)
    of_account = [row[0].strip("`") for row in PAGE["The account"]]
    assert of_account == [check.point for check in preflight.CHECKS]
    assert seen | points_in(ours) | set(of_account) == set(POINTS)
    assert not points_in(ours) & (seen | set(of_account))


def _of(heading: str) -> int:
    return {"Open": 4, "Confirmed": 2}[heading]


def test_what_is_open_is_seen_by_a_point_or_said_to_be_seen_by_none() -> None:
    for row in PAGE["Open"]:
        assert points_in(row[4]) or row[4] == ONLY_DOCUMENTS, row
        assert re.findall(r"T\d+", row[5]), row


def test_the_counts_are_those_of_the_tables() -> None:
    counted = {re.sub(r"\[(.*)\].*", r"\1", row[0]): row[1:] for row in PAGE[""]}
    unseen = {
        heading: sum(not points_in(row[_of(heading)]) for row in PAGE[heading]) for heading in ("Open", "Confirmed")
    }
    for heading, number in unseen.items():
        total = len(PAGE[heading])
        assert counted[heading.lower()] == [str(total), str(total - number), str(number)], heading
    assert counted["the account's own"][:2] == [str(len(preflight.CHECKS))] * 2


def test_every_test_that_is_named_is_there_and_in_the_list() -> None:
    assert missing_tests("aws.md") == []
    named = {test for row in PAGE["Open"] for test in re.findall(r"T\d+", row[5])}
    assert named == {row[0] for row in PAGE["The tests"]}
