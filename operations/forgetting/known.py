"""Finds a patient's ids, and the executions and user ids that the removal has to know, in plans, records and keys."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lambdas.searching.traces import Traces
from lambdas.shared.identity import digest
from lambdas.shared.layout import BATCHES, MEDIA, RECORDS
from lambdas.shared.parallel import mapped
from lambdas.shared.uris import parse_uri
from lambdas.shared.user_ids import canonical, spellings
from operations.deployed import Deployed
from operations.forgetting import layout
from operations.forgetting.versions import Version, list_versions, read

# Called with the number of objects since the last call.
Tick = Callable[[int], None]


class Known(NamedTuple):
    """What is known from plans, records and the media bucket.

    Attributes:
        other_recordings: the media ids of other patients.
        executions: the executions that had the patient's recordings.
        mixed_records: the keys of records with lines of the patient, even among another patient's.
        unplanned: the patient's media ids that are in no plan; their event may still be on its way.
        others: all other user ids.
    """

    traces: Traces
    other_recordings: set[bytes]
    executions: frozenset[str]
    mixed_records: frozenset[str]
    unplanned: frozenset[str]
    others: frozenset[str]


@dataclass
class _Seen:
    """The contents of one plan or records object: the patient's ids, and the spellings of their user id (`names`)."""

    version: Version
    names: set[str]
    ids: set[str]
    media_ids: set[str]
    others: set[str]
    other_recordings: set[bytes]


def read_known(deployed: Deployed, user_id: str, tick: Tick) -> Known:
    """Read all plans and records, and list the patient's recordings.

    Raises:
        botocore.exceptions.ClientError: a permission is missing.
    """
    s3 = deployed.client("s3")
    ids: set[str] = set()
    uploaded: set[str] = set()
    names, others, other_recordings = set[str](), set[str](), set[bytes]()
    # A listing of the patient's prefix alone would name it in S3's access logs, which arrive hours later.
    for version in list_versions(s3, deployed.media, MEDIA):
        tick(1)
        name = version.key.split("/")[1]
        if (owner := canonical(name)) != user_id:
            others.add(owner)
            continue
        names.add(name)
        ids.add(digest(deployed.media, version.key))
        identifier = digest(deployed.media, version.key, version.version_id)
        ids.add(identifier)
        if not version.is_marker:
            uploaded.add(identifier)

    executions, mixed, planned = set[str](), set[str](), set[str]()
    listed = (
        version
        for prefix in (BATCHES, RECORDS)
        for version in list_versions(s3, deployed.clinical, prefix)
        if not version.is_marker and (prefix == RECORDS or layout.is_plan(version.key))
    )
    for seen in mapped(lambda version: _read_ids(s3, version, user_id), listed):
        tick(1)
        others |= seen.others
        other_recordings |= seen.other_recordings
        if not seen.names:
            continue
        names |= seen.names
        ids |= seen.ids
        if execution := layout.execution_of(seen.version.key):
            executions.add(execution)
            planned |= seen.media_ids
        else:
            mixed.add(seen.version.key)
    unplanned = frozenset(uploaded - planned)
    longer = [other for other in others if any(user_id in name for name in spellings(other))]
    traces = Traces(user_id, ids, longer, names)
    return Known(traces, other_recordings, frozenset(executions), frozenset(mixed), unplanned, frozenset(others))


def _read_ids(s3: Any, version: Version, user_id: str) -> _Seen:
    seen = _Seen(version, set(), set(), set(), set(), set())
    content = read(s3, version)
    if content is None:
        return seen
    for entry in _entries(version.key, content.body):
        name = entry.get("user_id")
        if not isinstance(name, str):
            continue
        if (owner := canonical(name)) == user_id:
            seen.names.add(name)
            if "media_id" in entry:
                seen.media_ids.add(entry["media_id"])
            seen.ids.update(entry[name] for name in ("media_id", "object_id") if name in entry)
            if uri := entry.get("uri") or entry.get("media_uri"):
                seen.ids.add(digest(*parse_uri(uri)))
        else:
            seen.others.add(owner)
            if "media_id" in entry:
                seen.other_recordings.add(str(entry["media_id"]).encode())
    return seen


def _entries(key: str, body: bytes) -> Iterator[dict[str, Any]]:
    """The entries of a plan, or the lines of records; none if the content can't be read."""
    try:
        if layout.is_plan(key):
            plan = json.loads(body)
            for name in ("recordings", "elsewhere", "rejected"):
                yield from (entry for entry in plan.get(name, ()) if isinstance(entry, dict))
        else:
            lines = (json.loads(line) for line in body.splitlines() if line.strip())
            yield from (line for line in lines if isinstance(line, dict))
    except (ValueError, AttributeError):
        return
