"""The files of a search: what is searched for, and what was found (`shared/layout.py` has their keys)."""

from typing import Literal, TypedDict

from lambdas.searching.traces import Traces

# What is read. "logs": the access logs. "stored": everything, except what is about one other recording by its key, of
# which only the key is read. "every byte": everything, except the sound of recordings.
Scope = Literal["logs", "stored", "every byte"]


class Request(TypedDict):
    """The patients' traces (`Traces`), and the scope.

    Access logs written before `logs_since`, an ISO 8601 time or None, aren't read: an earlier search has read them, and
    each that named a patient was replaced since.
    """

    user_ids: list[str]
    ids: list[str]
    others: list[str]
    names: list[str]
    scope: Scope
    logs_since: str | None


class FoundVersion(TypedDict):
    """A version of an object that names a patient by its key, its metadata or its content."""

    bucket: str
    key: str
    version_id: str
    is_latest: bool
    is_marker: bool


class FoundItem(TypedDict):
    """An item of one of the ledger's tables that names a patient; `key` has its key attributes."""

    table: str
    key: dict[str, str]


class Part(TypedDict):
    """What one step of a range found. `looked_at` is the number of versions and items; `next` is None at the end."""

    looked_at: int
    versions: list[FoundVersion]
    items: list[FoundItem]
    next: dict[str, str] | None


def request(traces: Traces, scope: Scope, logs_since: str | None = None) -> Request:
    return {
        "user_ids": sorted(traces.user_ids),
        "ids": sorted(traces.ids),
        "others": sorted(traces.others),
        "names": sorted(traces.names),
        "scope": scope,
        "logs_since": logs_since,
    }


def traces_of(wanted: Request) -> Traces:
    return Traces(wanted["user_ids"], wanted["ids"], wanted["others"], wanted["names"])
