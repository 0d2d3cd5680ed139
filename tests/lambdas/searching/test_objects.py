import random
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.searching.categories import Buckets
from lambdas.searching.dividing import Range
from lambdas.searching.files import FoundVersion, Part, request
from lambdas.searching.objects import search_range
from lambdas.searching.reading import Places, Search
from lambdas.searching.traces import Traces
from tests.lambdas.conftest import ACCESS_LOGS, AUDIENCE, CLINICAL, MEDIA, OPERATIONS

PLACES = Places(Buckets(MEDIA, CLINICAL, AUDIENCE, OPERATIONS, ACCESS_LOGS), {})
WHOLE: Range = {"bucket": CLINICAL, "after": "", "until": None}
# The number of objects; every third names the patient, by its key or its content, in one of its two versions.
COUNT = 60


@pytest.fixture
def filled(s3: Any) -> Any:
    for number in range(COUNT):
        for version in range(2):
            body = b"p-1" if number % 3 == 0 and version == 0 else b"nobody"
            s3.put_object(Bucket=CLINICAL, Key=f"notes/{number:02}.txt", Body=body)
    return s3


def steps(s3: Any, within: Range, is_short: Callable[[], bool] = lambda: False) -> list[Part]:
    search = Search(s3, PLACES, request(Traces(["p-1"]), "stored"))
    parts = [search_range(s3, search, within, None, is_short)]
    while (begin := parts[-1]["next"]) is not None:
        parts.append(search_range(s3, search, within, begin, is_short))
    return parts


def found(parts: list[Part]) -> list[FoundVersion]:
    return [version for part in parts for version in part["versions"]]


def test_a_range_is_searched_up_to_its_last_key(filled: Any) -> None:
    (part,) = steps(filled, {"bucket": CLINICAL, "after": "notes/02.txt", "until": "notes/06.txt"})
    assert part["looked_at"] == 2 * 4
    assert [(one["key"], one["is_latest"], one["is_marker"]) for one in part["versions"]] == [
        ("notes/03.txt", False, False),
        ("notes/06.txt", False, False),
    ]


def test_a_range_without_keys_has_an_end(filled: Any) -> None:
    for after, until in (("notes/02.txt", "notes/02.txz"), ("z", None), ("", "a")):
        assert steps(filled, {"bucket": CLINICAL, "after": after, "until": until}) == [
            {"looked_at": 0, "versions": [], "items": [], "next": None}
        ]


def test_steps_that_end_at_once_finish_a_key_each_and_have_every_version_once(filled: Any) -> None:
    parts = steps(filled, WHOLE, lambda: True)
    assert len(parts) == COUNT
    assert [part["looked_at"] for part in parts] == [2] * COUNT
    assert found(parts) == found(steps(filled, WHOLE))
    assert len(found(parts)) == COUNT / 3


@pytest.mark.parametrize("seed", range(5))
def test_steps_that_end_at_any_moment_have_every_version_once(filled: Any, seed: int) -> None:
    moments = random.Random(seed)
    parts = steps(filled, WHOLE, lambda: moments.random() < 0.2)
    assert len(parts) > 1
    assert sum(part["looked_at"] for part in parts) == 2 * COUNT
    assert found(parts) == found(steps(filled, WHOLE))


def test_pages_that_need_no_reading_end_a_step_too(s3: Any) -> None:
    for number in range(1_500):
        s3.put_object(Bucket=MEDIA, Key=f"media/p-{number % 2 + 1}/{number:04}.wav", Body=b"")
    parts = steps(s3, {"bucket": MEDIA, "after": "", "until": None}, lambda: True)
    assert [part["looked_at"] for part in parts] == [1_000, 500]
    assert len(found(parts)) == 750


def test_an_error_of_one_object_ends_the_step(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> bool:
        raise RuntimeError("an outage")

    monkeypatch.setattr(Search, "is_in_content", broken)
    with pytest.raises(RuntimeError, match="an outage"):
        steps(filled, WHOLE)
