"""Searches everything for patients, and removes what the searches find."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from lambdas.searching.categories import is_plan
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, pieces
from lambdas.shared.layout import MEDIA, RECORDS
from operations.deployed import Deployed
from operations.forgetting import ledger, removal, survey
from operations.forgetting.at_work import CLOCKS_DIFFER
from operations.forgetting.known import read_known
from operations.forgetting.searching import Found, delete_ended_searches, search
from operations.forgetting.survey import Object

# Called with the step, and the number of objects since the last call.
Report = Callable[[str, int], None]
# A search may find what only it finds, and then what that leads to. More rounds mean that somebody writes meanwhile.
_MOST_SEARCHES = 4


class Removed(NamedTuple):
    """The objects that were deleted and rewritten, and the number of the ledger's deleted items."""

    deleted: list[Object]
    rewritten: list[Object]
    items: int = 0


def search_and_remove(deployed: Deployed, traces: Traces, report: Report, done: list[Removed]) -> Found:
    """Remove what searches find, and return what the last one found; `done` gets what was removed."""

    def searching(number: int) -> None:
        report("Searching everything", number)

    delete_ended_searches(deployed)
    # The access logs name everybody, and only a search finds where. They are read once: the second search leaves out
    # what this one has read.
    since: str | None = (datetime.now(UTC) - CLOCKS_DIFFER).isoformat()
    found = search(deployed, traces, "logs", searching)
    done.append(_remove_found(deployed, traces, found, report))
    for _ in range(_MOST_SEARCHES):
        found = _read_again(deployed, traces, search(deployed, traces, "stored", searching, logs_since=since))
        versions = [survey.object_of(deployed, version) for version in found.versions]
        sources = [one.version for one in versions if _tells_ids(one)]
        learned = read_known(deployed, traces.user_ids, searching, sources).traces if sources else traces
        if learned.ids - traces.ids:
            # Plans that no item named: what their ids lead to is removed before them. The access logs were searched
            # for fewer ids.
            traces = Traces(traces.user_ids, traces.ids | learned.ids, learned.others, traces.names | learned.names)
            since = None
            found = _read_again(deployed, traces, search(deployed, traces, "stored", searching))
        removed = _remove_found(deployed, traces, found, report)
        if removed == _NOTHING:
            return found
        done.append(removed)
    return found


def _read_again(deployed: Deployed, traces: Traces, found: Found) -> Found:
    """What was found, without objects outside `media/` in the media bucket that name nobody.

    The search has no right to read them, so it finds all of them.
    """
    s3 = deployed.client("s3")

    def names_them(version: Version) -> bool:
        if version.bucket != deployed.media or version.is_marker or version.key.startswith(MEDIA):
            return True
        return traces.anywhere(version.key.encode()) or traces.anywhere_in(pieces(s3, version), words=True)

    return found._replace(versions=[version for version in found.versions if names_them(version)])


_NOTHING = Removed([], [], 0)


def _tells_ids(found: Object) -> bool:
    """Whether the object tells ids of its patients' recordings."""
    return not found.version.is_marker and (is_plan(found.version.key) or found.version.key.startswith(RECORDS))


def _remove_found(deployed: Deployed, traces: Traces, found: Found, report: Report) -> Removed:
    """Remove what the application itself writes about patients; anything else is left, for a person to look at."""

    def removing(number: int) -> None:
        report("Removing", number)

    items = [item for item in found.items if ledger.is_about(deployed, item, traces)]
    ledger.delete_items(deployed, items)
    sorted_out = survey.sort(
        deployed.client("s3"), traces, (survey.object_of(deployed, version) for version in found.versions), removing
    )
    pointers = removal.seed_pointers(deployed, sorted_out)
    removal.remove_whole(deployed, [*sorted_out.whole, *pointers], removing)
    deleted, rewritten = removal.remove_parts(deployed, traces, sorted_out.parts, removing)
    return Removed([*sorted_out.whole, *pointers, *deleted], rewritten, len(items))
