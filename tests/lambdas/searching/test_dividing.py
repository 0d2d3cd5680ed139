from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.searching.dividing import (
    ITEMS_PER_SEGMENT,
    MOST_RANGES,
    MOST_SEGMENTS,
    PIECES,
    Range,
    divide_buckets,
    divide_tables,
    ranges,
)
from lambdas.searching.objects import is_inside
from lambdas.shared.identity import digest

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


class Listing:
    """S3 with these keys, one version of each, which counts requests."""

    def __init__(self, **buckets: list[str]) -> None:
        self.keys = {bucket: sorted(keys, key=str.encode) for bucket, keys in buckets.items()}
        self.requests = 0

    def list_object_versions(
        self, Bucket: str, Prefix: str = "", Delimiter: str = "", KeyMarker: str = "", VersionIdMarker: str = ""
    ) -> dict[str, Any]:
        self.requests += 1
        names: dict[str, bool] = {}
        for key in self.keys[Bucket]:
            if key.startswith(Prefix):
                end = key.find(Delimiter, len(Prefix)) if Delimiter else -1
                name = key if end < 0 else key[: end + 1]
                if name > KeyMarker:
                    names[name] = end >= 0
        page = list(names)[:1000]
        return {
            "Versions": [
                {"Key": name, "VersionId": "v", "IsLatest": True, "LastModified": datetime.now(UTC)}
                for name in page
                if not names[name]
            ],
            "CommonPrefixes": [{"Prefix": name} for name in page if names[name]],
            "IsTruncated": len(names) > len(page),
            **({"NextKeyMarker": page[-1]} if len(names) > len(page) else {}),
        }


def sizes(found: list[Range], keys: list[str]) -> list[int]:
    return [sum(is_inside(one, key) for key in keys) for one in found]


@given(st.lists(KEYS, max_size=20), st.lists(KEYS, max_size=50))
def test_every_key_is_in_exactly_one_range_in_the_order_of_s3(cuts: list[str], keys: list[str]) -> None:
    found = ranges("bucket", sorted(set(cuts), key=str.encode))
    for key in keys:
        (within,) = [one for one in found if is_inside(one, key)]
        assert within["after"].encode() < key.encode()
        assert within["until"] is None or key.encode() <= within["until"].encode()


FULL = {
    "patients": [f"media/p-{number:05}/visit.wav" for number in range(5_000)],
    "records": [f"records/{digest(str(number))}.jsonl" for number in range(5_000)],
    "batches": [f"batches/drop-{number:03}/{file}" for number in range(300) for file in "abcdefgh"],
    "logs": [
        f"media/{(datetime.now(UTC) - timedelta(hours=number)):%Y-%m-%d-%H-%M-%S}-{number:016X}"
        for number in range(3_000)
    ],
}
STRANGE = [
    "a",
    "media",
    "media/",
    "media0",
    "records/",
    "records/zz",
    "records/FF",
    "records/\u00e9/x",
    "\U0001f600",
    "~",
]


@pytest.mark.parametrize("kind", FULL)
def test_a_full_bucket_is_cut_into_ranges_of_about_one_size_that_have_every_key_once(kind: str) -> None:
    keys = [*FULL[kind], *STRANGE]
    s3 = Listing(bucket=keys)
    found = divide_buckets(s3, ["bucket"])
    counts = sizes(found, keys)
    assert sum(counts) == len(keys)
    assert PIECES / 2 < len(found) < 2 * PIECES
    assert max(counts) < 4 * len(keys) / PIECES
    for key in ("records/0", "written later", "media/p-99999/x", "batches/new/a", "logs/"):
        assert sum(is_inside(one, key) for one in found) == 1
    assert s3.requests < 30


def test_a_small_bucket_is_one_range() -> None:
    s3 = Listing(small=["a/1", "b/2"], empty=[])
    assert divide_buckets(s3, ["small", "empty"]) == [
        {"bucket": "small", "after": "", "until": None},
        {"bucket": "empty", "after": "", "until": None},
    ]
    assert s3.requests == 2


def test_keys_of_an_unknown_form_are_one_range() -> None:
    keys = [f"other/{number:05} of them" for number in range(1_500)]
    assert divide_buckets(Listing(bucket=keys), ["bucket"]) == [
        {"bucket": "bucket", "after": "", "until": "other/"},
        {"bucket": "bucket", "after": "other/", "until": None},
    ]


def test_there_are_never_more_ranges_than_a_map_takes() -> None:
    folders = [f"folder-{number}" for number in range(40)]
    keys = [f"{folder}/{digest(str(number))}" for folder in folders for number in range(1_001)]
    s3 = Listing(one=keys, two=[f"{number}/x" for number in range(3_000)])
    found = divide_buckets(s3, ["one", "two"])
    assert MOST_RANGES / 2 < len(found) <= MOST_RANGES
    assert sum(sizes([one for one in found if one["bucket"] == "one"], keys)) == len(keys)
    assert MOST_RANGES + 2 * MOST_SEGMENTS < 1000


class Tables:
    def __init__(self, **items: int) -> None:
        self.items = items

    def describe_table(self, TableName: str) -> Any:
        return {"Table": {"ItemCount": self.items[TableName]}}


def test_a_table_has_segments_by_the_number_of_its_items() -> None:
    found = divide_tables(Tables(small=0, large=3 * ITEMS_PER_SEGMENT, huge=10**9), ["small", "large", "huge"])
    assert [(one["table"], one["segments"]) for one in found if one["segment"] == 0] == [
        ("small", 1),
        ("large", 4),
        ("huge", MOST_SEGMENTS),
    ]
    assert [one["segment"] for one in found] == [0, *range(4), *range(MOST_SEGMENTS)]
