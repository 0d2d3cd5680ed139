"""Finds the patients' ids and executions: in the keys of the media bucket, in the members table, and in plans.

PlanBatch enters each recording of a batch into the members table (`lambdas/planning/patients.py`), so only the plans of
the patients' own executions are read.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lambdas.searching import categories
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, list_versions, read
from lambdas.shared.identity import digest
from lambdas.shared.layout import MEDIA, RECORDS, plan_key
from lambdas.shared.parallel import mapped
from lambdas.shared.uris import parse_uri
from lambdas.shared.user_ids import canonical, spellings
from operations.deployed import Deployed
from operations.forgetting import ledger
from operations.forgetting.ledger import LedgerItem

# Called with the number of objects since the last call.
Tick = Callable[[int], None]


class Known(NamedTuple):
    """What is known of the patients.

    Attributes:
        recordings: all versions of their recordings.
        media_ids: the ids of those versions, and of versions that are gone.
        object_ids: the ids of their objects.
        transcript_ids: the ids of transcripts of their recordings.
        executions: the executions that had their recordings.
        namings: the items that say in which executions.
        seen: the patients with recordings, or with executions that had some.
        unplanned: the ids of versions that are in no plan; their event may still be on its way.
        others: the user ids of all other patients with recordings.
    """

    traces: Traces
    recordings: list[Version]
    media_ids: frozenset[str]
    object_ids: frozenset[str]
    transcript_ids: frozenset[str]
    executions: frozenset[str]
    namings: list[LedgerItem]
    seen: frozenset[str]
    unplanned: frozenset[str]
    others: frozenset[str]


@dataclass
class _Seen:
    """The ids of the patients as they are found, and the spellings of their user ids (`names`)."""

    names: set[str] = field(default_factory=set)
    media_ids: set[str] = field(default_factory=set)
    object_ids: set[str] = field(default_factory=set)
    transcript_ids: set[str] = field(default_factory=set)
    executions: set[str] = field(default_factory=set)
    planned: set[str] = field(default_factory=set)


def read_known(deployed: Deployed, user_ids: Iterable[str], tick: Tick, more: Iterable[Version] = ()) -> Known:
    """Find the patients with these canonical user ids; `more` are plans and records that name them.

    Raises:
        botocore.exceptions.ClientError: a permission is missing.
    """
    s3, wanted, seen = deployed.client("s3"), frozenset(user_ids), _Seen()
    folders, others = _folders(s3, deployed.media, wanted)
    recordings = [version for folder in folders for version in _below(s3, deployed.media, folder)]
    tick(len(recordings))
    uploaded: set[str] = set()
    for version in recordings:
        seen.names.add(version.key.split("/")[1])
        seen.object_ids.add(digest(deployed.media, version.key))
        identifier = digest(deployed.media, version.key, version.version_id)
        seen.media_ids.add(identifier)
        if not version.is_marker:
            uploaded.add(identifier)
    namings = ledger.namings(deployed, wanted)
    for naming in namings:
        seen.names.add(naming.user_id)
        seen.executions.add(naming.execution)
        seen.media_ids.add(naming.media_id)
        seen.object_ids.add(naming.object_id)
        seen.transcript_ids.add(naming.transcript_id)
    plans = (
        version
        for execution in sorted(seen.executions)
        for version in list_versions(s3, deployed.clinical, plan_key(execution))
        if not version.is_marker
    )
    for version, entries in mapped(lambda version: (version, _entries(s3, version, wanted)), [*plans, *more]):
        tick(1)
        execution = categories.execution_of(version.key)
        for entry in entries:
            _add(seen, entry, execution)
    longer = [other for other in others if any(user_id in name for name in spellings(other) for user_id in wanted)]
    ids = seen.media_ids | seen.object_ids
    return Known(
        Traces(wanted, ids, longer, seen.names),
        recordings,
        frozenset(seen.media_ids),
        frozenset(seen.object_ids),
        frozenset(seen.transcript_ids),
        frozenset(seen.executions),
        [naming.item for naming in namings],
        frozenset(map(canonical, seen.names)),
        frozenset(uploaded - seen.planned),
        frozenset(others),
    )


def _folders(s3: Any, bucket: str, wanted: frozenset[str]) -> tuple[list[str], set[str]]:
    """The patients' folders in the media bucket, and the user ids of all others; 1,000 folders per request."""
    found: list[str] = []
    others: set[str] = set()
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=MEDIA, Delimiter="/")
    for page in pages:
        for folder in page.get("CommonPrefixes", ()):
            if (owner := canonical(folder["Prefix"].split("/")[1])) in wanted:
                found.append(folder["Prefix"])
            else:
                others.add(owner)
    return found, others


def _below(s3: Any, bucket: str, folder: str) -> Iterator[Version]:
    """The versions below a patient's folder.

    A listing of the folder alone would name the patient in S3's access logs, which arrive hours later. So it begins
    before the folder, at a marker without the last letter of the user id.
    """
    for version in list_versions(s3, bucket, MEDIA, after=folder[:-2]):
        if version.key.startswith(folder):
            yield version
        elif version.key.encode() > folder.encode():
            return


def _entries(s3: Any, version: Version, wanted: frozenset[str]) -> list[dict[str, Any]]:
    """The entries about the patients in a plan or in records; none if the content can't be read."""
    content = read(s3, version)
    if content is None:
        return []
    try:
        if version.key.startswith(RECORDS):
            listed = [json.loads(line) for line in content.body.splitlines() if line.strip()]
        else:
            plan = json.loads(content.body)
            listed = [entry for name in ("recordings", "elsewhere", "rejected") for entry in plan.get(name, ())]
    except (ValueError, AttributeError):
        return []
    return [entry for entry in listed if isinstance(entry, dict) and canonical(str(entry.get("user_id"))) in wanted]


def _add(seen: _Seen, entry: dict[str, Any], execution: str | None) -> None:
    seen.names.add(entry["user_id"])
    if "media_id" in entry:
        seen.media_ids.add(entry["media_id"])
    if "object_id" in entry:
        seen.object_ids.add(entry["object_id"])
    if entry.get("transcript_id"):
        seen.transcript_ids.add(entry["transcript_id"])
    if uri := entry.get("uri") or entry.get("media_uri"):
        seen.object_ids.add(digest(*parse_uri(uri)))
    if execution:
        seen.executions.add(execution)
        seen.planned.update({entry["media_id"]} if "media_id" in entry else ())
