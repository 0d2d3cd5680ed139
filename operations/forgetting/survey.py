"""Looking for a patient before anything is changed: their ids, and every object that is theirs or names them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lambdas.shared.identity import digest
from lambdas.shared.layout import BATCHES, MEDIA, RECORDS
from lambdas.shared.uris import parse_uri
from lambdas.shared.user_ids import canonical, spellings
from operations.deployed import Deployed
from operations.forgetting import layout
from operations.forgetting.traces import Traces
from operations.forgetting.versions import Content, Version, list_versions, read
from operations.parallel import mapped

# Called with the number of objects that were looked at since the last time.
Tick = Callable[[int], None]


class Known(NamedTuple):
    """What plans, records and the media bucket tell.

    `other_recordings` are the media ids of other patients, as bytes; `executions` those that the patient's recordings
    were in; `mixed_records` the keys of records that hold lines of theirs, whoever's object they are of; `unplanned`
    the media ids that no plan knows, so that their event may still be on its way; `others` the user ids of everybody
    else.
    """

    traces: Traces
    other_recordings: set[bytes]
    executions: frozenset[str]
    mixed_records: frozenset[str]
    unplanned: frozenset[str]
    others: frozenset[str]


class Object(NamedTuple):
    version: Version
    place: layout.Place


class Findings(NamedTuple):
    """`whole` objects are the patient's and go, `parts` name them among others."""

    whole: list[Object]
    parts: list[Object]


@dataclass
class _Seen:
    """What one plan or one object's records tell: of the patient their `names`, as they are spelt, and their ids."""

    version: Version
    names: set[str]
    ids: set[str]
    media_ids: set[str]
    others: set[str]
    other_recordings: set[bytes]


def in_turn(found: Object) -> tuple[int, bool]:
    """The order in which objects go."""
    return layout.rank(found.place.kind, found.version.key)


def learn(deployed: Deployed, user_id: str, tick: Tick) -> Known:
    """Read all plans and records, and list the patient's recordings.

    Raises:
        botocore.exceptions.ClientError: a right is missing.
    """
    s3 = deployed.client("s3")
    ids: set[str] = set()
    uploaded: set[str] = set()
    names, others, other_recordings = set[str](), set[str](), set[bytes]()
    # Not below the patient's prefix alone: S3's access logs would name the prefix, hours after this was done.
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
    for seen in mapped(lambda version: _look(s3, version, user_id), listed):
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


def access_logs(deployed: Deployed, known: Known, tick: Tick) -> list[Object]:
    """The access logs that name the patient. Each is read, and each request of ours may write another."""
    s3 = deployed.client("s3")

    def delivered() -> Iterator[Object]:
        for bucket in deployed.buckets:
            # Those have data of their own, and their logs are elsewhere.
            if bucket in (deployed.media, deployed.clinical, deployed.audience):
                continue
            for version in list_versions(s3, bucket):
                place = layout.place_of(deployed, bucket, version.key)
                if place.content == "access log" and not version.is_marker:
                    tick(1)
                    yield Object(version, place)

    return [found for found in mapped(lambda item: _named_in(s3, item, known), delivered()) if found is not None]


def survey(deployed: Deployed, known: Known, tick: Tick) -> Findings:
    """List everything and read what may name several patients, but for access logs; nothing is changed."""
    s3 = deployed.client("s3")
    whole: list[Object] = []

    def to_be_read() -> Iterator[Object]:
        for bucket in deployed.buckets:
            for version in list_versions(s3, bucket):
                tick(1)
                place = layout.place_of(deployed, bucket, version.key)
                if known.traces.owns(version.key):
                    whole.append(Object(version, place))
                elif not version.is_marker and _may_name_several(place, version.key, known):
                    yield Object(version, place)

    parts = [found for found in mapped(lambda item: _named_in(s3, item, known), to_be_read()) if found is not None]
    return Findings(whole, parts)


def names_them(traces: Traces, place: layout.Place, content: Content) -> bool:
    """Whether an object of a known kind names the patient in its content.

    Raises:
        ValueError: it can't be read as that kind.
    """
    if place.content in ("document", "job"):
        return traces.in_json(json.loads(content.body))
    if place.content == "lines":
        return any(traces.in_line(json.loads(line)) for line in content.body.splitlines() if line.strip())
    if place.content == "page":
        return traces.in_page(content.body)
    if place.content == "access log":
        return traces.certain(content.body)
    return traces.anywhere(content.body)


def _may_name_several(place: layout.Place, key: str, known: Known) -> bool:
    if place.kind == "records":
        return key in known.mixed_records
    several = ("document", "job", "lines", "page", "query result")
    return place.content in several


def _named_in(s3: Any, found: Object, known: Known) -> Object | None:
    content = read(s3, found.version)
    try:
        return found if content and names_them(known.traces, found.place, content) else None
    except ValueError:
        return None  # not what it should be: the proof looks at its bytes


def _look(s3: Any, version: Version, user_id: str) -> _Seen:
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
    """What a plan says of each recording, or the lines of records; nothing if it can't be read."""
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
