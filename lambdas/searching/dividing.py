"""Divides a search into ranges of keys and segments of tables, which are searched side by side.

A bucket's ranges are the intervals between keys in the order of the listing, so that every key is in exactly one range,
whatever it is and whenever it is written. The listings here only make the ranges about equally long.

Sources: S3 API reference, ListObjectVersions; DynamoDB developer guide, "Parallel scan", and API reference,
DescribeTable (ItemCount is updated every six hours).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import ceil
from typing import Any, TypedDict

from lambdas.searching.listing import Page, read_page

# A Map over numbers in its state: at most a thousand fit easily. Tables come on top, with up to 32 segments each.
MOST_RANGES = 800
MOST_SEGMENTS = 32
ITEMS_PER_SEGMENT = 50_000
# A large folder is cut into so many ranges.
PIECES = 64
# At most so many folders of a bucket are cut, and so many pages of their sub-folders are listed (1,000 each).
_MOST_FOLDERS, _MOST_PAGES = 64, 1000

_HEXADECIMAL = re.compile(r"[0-9a-f]{8}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?=-)")


class Range(TypedDict):
    """The keys behind `after` up to and including `until`; None for `until`: to the end of the bucket."""

    bucket: str
    after: str
    until: str | None


class Segment(TypedDict):
    """One of the `segments` of a table."""

    table: str
    segment: int
    segments: int


def divide_buckets(s3: Any, buckets: Iterable[str]) -> list[Range]:
    """Ranges that have every key of the buckets exactly once."""
    cuts = {bucket: _cuts(s3, bucket) for bucket in buckets}
    step = ceil(sum(map(len, cuts.values())) / (MOST_RANGES - len(cuts))) or 1
    return [found for bucket, keys in cuts.items() for found in ranges(bucket, keys[::step])]


def divide_tables(dynamodb: Any, tables: Iterable[str]) -> list[Segment]:
    found: list[Segment] = []
    for table in tables:
        items = dynamodb.describe_table(TableName=table)["Table"].get("ItemCount", 0)
        segments = min(1 + items // ITEMS_PER_SEGMENT, MOST_SEGMENTS)
        found += [{"table": table, "segment": number, "segments": segments} for number in range(segments)]
    return found


def ranges(bucket: str, cuts: Sequence[str]) -> list[Range]:
    """The ranges between the cuts, which are in the order of the listing."""
    return [
        {"bucket": bucket, "after": after, "until": until}
        for after, until in zip(["", *cuts], [*cuts, None], strict=True)
    ]


def _cuts(s3: Any, bucket: str) -> list[str]:
    """Keys between which the bucket's ranges are, in order."""
    if read_page(s3, bucket, {}).following is None:
        return []
    folders = _folders(s3, bucket, "")
    found = set(_spaced(folders, MOST_RANGES))
    for folder in _spaced(folders, _MOST_FOLDERS):
        if read_page(s3, bucket, {}, prefix=folder).following is not None:
            found.update(_cuts_in(s3, bucket, folder))
    return sorted(found)


def _cuts_in(s3: Any, bucket: str, folder: str) -> list[str]:
    """Keys between which a large folder is cut: at sub-folders, or by the form of its keys, whichever are more."""
    first = read_page(s3, bucket, {}, prefix=folder, delimiter="/")
    if len(first.folders) > len(first.entries):
        return _spaced(_folders(s3, bucket, folder), PIECES)
    return [folder + name for name in _cuts_by_form([entry.version.key[len(folder) :] for entry in first.entries])]


def _cuts_by_form(names: Sequence[str]) -> list[str]:
    """For names of which most have a form that is known: hexadecimal digits, or dates as in access logs."""
    if sum(_HEXADECIMAL.match(name) is not None for name in names) > len(names) / 2:
        return [f"{256 * number // PIECES:02x}" for number in range(1, PIECES)]
    dates = [found[0] for found in map(_DATE.match, names) if found]
    if len(dates) > len(names) / 2:
        return _spaced([each.isoformat() for each in _days(dates[0])], PIECES)
    return []


def _folders(s3: Any, bucket: str, prefix: str) -> list[str]:
    return [folder for page in islice(_pages(s3, bucket, prefix), _MOST_PAGES) for folder in page.folders]


def _pages(s3: Any, bucket: str, prefix: str) -> Iterator[Page]:
    begin: Mapping[str, str] | None = {}
    while begin is not None:
        page = read_page(s3, bucket, begin, prefix=prefix, delimiter="/")
        yield page
        begin = page.following


def _days(first: str) -> list[date]:
    """The days from the first one until today; none if it isn't a date."""
    try:
        begin = date.fromisoformat(first)
    except ValueError:
        return []
    return [begin + timedelta(days) for days in range((datetime.now(UTC).date() - begin).days + 1)]


def _spaced(names: Sequence[str], most: int) -> list[str]:
    """At most `most` of the names, at equal distances."""
    return list(names[:: ceil(len(names) / most) or 1])
