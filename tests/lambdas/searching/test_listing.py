from typing import Any

import pytest

from lambdas.searching.listing import Page, read_page
from tests.lambdas.conftest import CLINICAL


@pytest.fixture
def filled(s3: Any) -> Any:
    for key in ("a/1", "a/2", "a/2", "b/1", "c"):
        s3.put_object(Bucket=CLINICAL, Key=key, Body=b"x")
    s3.delete_object(Bucket=CLINICAL, Key="a/1")
    return s3


def listed(page: Page) -> list[tuple[str, bool, bool]]:
    return [(entry.version.key, entry.version.is_latest, entry.version.is_marker) for entry in page.entries]


def test_versions_and_delete_markers_are_in_the_order_of_their_keys(filled: Any) -> None:
    page = read_page(filled, CLINICAL, {})
    assert listed(page) == [
        ("a/1", False, False),
        ("a/1", True, True),
        ("a/2", True, False),
        ("a/2", False, False),
        ("b/1", True, False),
        ("c", True, False),
    ]
    assert page.following is None


@pytest.mark.parametrize(
    ("behind", "keys"),
    [("a/1", ["a/2", "a/2", "b/1", "c"]), ("a/11", ["a/2", "a/2", "b/1", "c"]), ("c", []), ("d", [])],
)
def test_a_page_behind_a_key_has_everything_behind_it_whether_the_key_exists_or_not(
    filled: Any, behind: str, keys: list[str]
) -> None:
    assert [entry.version.key for entry in read_page(filled, CLINICAL, {"key": behind}).entries] == keys


class Inclusive:
    """S3 as its reference literally describes it: a listing starts with the key of its marker."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def list_object_versions(self, KeyMarker: str, **asked: Any) -> Any:
        answer = self.s3.list_object_versions(**asked)
        for member in ("Versions", "DeleteMarkers"):
            answer[member] = [item for item in answer.get(member, ()) if item["Key"] >= KeyMarker]
        return answer


def test_a_page_behind_a_key_has_not_that_key_even_if_s3_begins_with_it(filled: Any) -> None:
    assert [entry.version.key for entry in read_page(Inclusive(filled), CLINICAL, {"key": "a/2"}).entries] == [
        "b/1",
        "c",
    ]


def test_folders_stand_for_what_is_in_them(filled: Any) -> None:
    page = read_page(filled, CLINICAL, {}, delimiter="/")
    assert (page.folders, [entry.version.key for entry in page.entries]) == (["a/", "b/"], ["c"])


def test_pages_together_have_every_version_once(s3: Any) -> None:
    for number in range(25):
        for _ in range(60):
            s3.put_object(Bucket=CLINICAL, Key=f"{number:02}", Body=b"")
    seen, begin = [], dict[str, str]()
    for _ in range(2):
        page = read_page(s3, CLINICAL, begin)
        seen += [(entry.version.key, entry.version.version_id) for entry in page.entries]
        begin = page.following or {}
    assert begin == {}
    assert len(set(seen)) == len(seen) == 1500
