"""Searches a range of a bucket's keys."""

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.searching.dividing import Range
from lambdas.searching.files import FoundVersion, Part
from lambdas.searching.listing import Entry, Page, read_page
from lambdas.searching.reading import Search
from lambdas.shared.parallel import mapped


def search_range(
    s3: Any, search: Search, within: Range, begin: Mapping[str, str] | None, is_short: Callable[[], bool]
) -> Part:
    """Search from `begin` on (None: from the range's beginning) until its end, or until the time `is_short`.

    At least one key is finished, or one page that needs no reading.
    """
    found: list[FoundVersion] = []
    looked_at = 0
    marker: Mapping[str, str] = begin if begin is not None else {"key": within["after"]} if within["after"] else {}
    while True:
        page = read_page(s3, within["bucket"], marker)
        inside = [entry for entry in page.entries if is_inside(within, entry.version.key)]
        named = {entry for entry in inside if search.is_in_key(entry.version)}
        unknown = [entry for entry in inside if entry not in named and search.needs_reading(entry)]
        in_content, last = _read(search, unknown, is_short)
        done = inside if last is None else [entry for entry in inside if entry.version.key <= last]
        looked_at += len(done)
        found += [_found(entry) for entry in done if entry in named or entry in in_content]
        following = {"key": last} if last is not None else _following(within, page)
        if following is None or last is not None or is_short():
            return {"looked_at": looked_at, "versions": found, "items": [], "next": following}
        marker = following


def is_inside(within: Range, key: str) -> bool:
    until = within["until"]
    return key > within["after"] and (until is None or key <= until)


def _read(search: Search, entries: list[Entry], is_short: Callable[[], bool]) -> tuple[set[Entry], str | None]:
    """The entries whose content names a patient; the last finished key if the time got short before the end."""
    named, last = set[Entry](), None
    for entry, is_named in mapped(lambda entry: (entry, search.is_in_content(entry.version)), entries):
        # All versions of a key belong to one step.
        if last is not None and entry.version.key != last and is_short():
            return named, last
        last = entry.version.key
        if is_named:
            named.add(entry)
    return named, None


def _following(within: Range, page: Page) -> dict[str, str] | None:
    """Where the next page begins, None if the range ends before."""
    if page.following is None or not is_inside(within, page.following["key"]):
        return None
    return page.following


def _found(entry: Entry) -> FoundVersion:
    version = entry.version
    return {
        "bucket": version.bucket,
        "key": version.key,
        "version_id": version.version_id,
        "is_latest": version.is_latest,
        "is_marker": version.is_marker,
    }
