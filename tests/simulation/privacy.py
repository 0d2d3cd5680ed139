"""Who may be in an audience, and what may be left of somebody who was forgotten."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

from lambdas.select_seeds import REFRESH_AFTER_NEWCOMERS
from lambdas.shared.layout import RECORDS, object_id_of
from lambdas.shared.ledger_keys import INDEXES_KEY, object_key, patient_key, patient_sort_key
from lambdas.shared.uris import parse_uri
from tests.simulation.audiences import Generation
from tests.simulation.aws import AUDIENCE, CLINICAL, MEDIA, SUPPRESSION_KEY
from tests.simulation.rest import (
    CONSENT,
    FORGOTTEN,
    LAST,
    MEMBERS,
    NAMINGS,
    NEWCOMERS,
    Rest,
    Violation,
    World,
    lines_of,
    records_key,
)


def newcomers(rest: Rest) -> Iterator[Violation]:
    """Two audiences must not tell of one person, unless somebody had to go, also meanwhile."""
    jobs = [job for job in rest.world.clean_rooms_ml.jobs.values() if job.paid]
    jobs.sort(key=lambda job: _selected(rest.world, job))
    for first, second in permutations(range(len(jobs)), 2):
        before, after = jobs[first].people, jobs[second].people
        joined = after - before
        meanwhile = jobs[min(first, second) + 1 : max(first, second)]
        few = before < after and len(joined) < REFRESH_AFTER_NEWCOMERS
        if few and not joined & gone(rest.world) and not any(job.people - after for job in meanwhile):
            yield Violation(NEWCOMERS, f"seeds of {sorted(before)} and {sorted(after)}")


def _selected(world: World, job: Generation) -> datetime:
    """When its seed was written for the first time; long ago, if nothing is left of that."""
    versions = world.buckets.versions(*parse_uri(seed_uri(job.wanted)))
    return versions[0].modified if versions else datetime.min.replace(tzinfo=UTC)


def gone(world: World) -> set[str]:
    """Who had to go at some time: for want of consent, also of an earlier version, or by records without a finding."""
    found = people(world) - consenting(world)
    for key in [*world.buckets.keys(MEDIA), *world.buckets.without_versions(MEDIA)]:
        versions = [*world.buckets.versions(MEDIA, key), *world.buckets.taken_back.get(f"{MEDIA}/{key}", ())]
        records = world.buckets.versions(CLINICAL, records_key(key))
        if not all(version.metadata.get("audience-consent") for version in versions) or not all(
            version.body for version in records
        ):
            found.add(key.split("/")[1])
    return found


def people(world: World) -> set[str]:
    return {key.split("/")[1] for key in world.buckets.keys(MEDIA)} | world.departed


def consenting(world: World) -> set[str]:
    """The people who consent by the newest version of their recording, and are neither suppressed nor forgotten.

    To delete a recording withdraws no consent. Of one without any version nobody knows it any more.
    """
    found = {key.split("/")[1] for key in world.buckets.without_versions(MEDIA)}
    for key in world.buckets.keys(MEDIA):
        version = [version for version in world.buckets.versions(MEDIA, key) if not version.is_marker][-1]
        if version.metadata.get("audience-consent") == "true":
            found.add(key.split("/")[1])
    return found - world.departed - world.suppressed


def consent(rest: Rest) -> Iterator[Violation]:
    """The last execution takes nobody who doesn't consent by now."""
    if LAST not in rest.summaries:
        return
    uris = [item["seed_uri"] for item in rest.summaries[LAST]["audiences"]]
    jobs = [job for job in rest.world.clean_rooms_ml.jobs.values() if seed_uri(job.wanted) in uris]
    for job in jobs:
        if taken := job.people - consenting(rest.world):
            yield Violation(CONSENT, f"the last audience has {sorted(taken)}")


def members(rest: Rest) -> Iterator[Violation]:
    """Each complete index has those that reading all records would find.

    A version that didn't consent and left the records as they are has ended a membership for good; so an index may
    lack an object that isn't finished.
    """
    items = rest.world.tables.items
    for index in json.loads(items.get(INDEXES_KEY, {}).get("indexes", {"S": "[]"})["S"]):
        if index["state"] != "ready":
            continue
        begin = f"index#{index['name']}/"
        found = {place.removeprefix(begin) for place in items if place.startswith(begin)}
        wanted = {}
        for key in rest.world.buckets.keys(CLINICAL):
            item = items.get(object_key(object_id_of(key)), {})
            lines = lines_of(rest.world.buckets.current(CLINICAL, key)) if key.startswith(RECORDS) else []
            if item.get("consent") == {"BOOL": True} and any(meets(line, index) for line in lines):
                wanted[object_id_of(key)] = item
        if extra := found - wanted.keys():
            yield Violation(MEMBERS, f"{index['name']} has {sorted(extra)}, whose records say no")
        if lacking := {object_id for object_id, item in wanted.items() if "recorded" in item} - found:
            yield Violation(MEMBERS, f"{index['name']} lacks {sorted(lacking)}")


def meets(line: Mapping[str, Any], index: Mapping[str, Any]) -> bool:
    rules = index["rules"]
    return bool(
        line["audience_consent"] and line["category"] == rules["category"] and line["score"] >= rules["minimum_score"]
    )


def seed_uri(wanted: Mapping[str, Any]) -> str:
    return str(wanted["seedAudience"]["dataSource"]["s3Uri"])


def forgotten(rest: Rest) -> Iterator[Violation]:
    """Nothing of theirs is left after the last time that the command has said so."""
    for user_id in rest.world.forgotten:
        yield from (Violation(FORGOTTEN, f"{key} names {user_id}") for key in naming(rest.world, user_id))


def namings(rest: Rest) -> Iterator[Violation]:
    """Forgetting finds each execution that has planned a recording of somebody."""
    for execution, plan in rest.plans.items():
        for entry in [*plan["recordings"], *plan["elsewhere"], *plan["rejected"]]:
            place = f"{patient_key(entry['user_id'])}/{patient_sort_key(entry['media_id'], execution)}"
            if entry["user_id"] not in rest.world.departed and place not in rest.world.tables.items:
                yield Violation(NAMINGS, f"no item leads to {entry['user_id']} in {execution}")


def naming(world: World, user_id: str) -> list[str]:
    """The tables' items, and the versions in the clinical and the audience bucket, that name the person."""
    found = [place for place, item in world.tables.items.items() if {"S": user_id} in item.values()]
    named = re.compile(rf"(?<![\w-]){re.escape(user_id)}(?![\w-])".encode())
    for bucket in (CLINICAL, AUDIENCE):
        for key in world.buckets.keys(bucket):
            versions = world.buckets.versions(bucket, key) if key != SUPPRESSION_KEY else ()
            found += [f"{bucket}/{key} {version.version_id}" for version in versions if named.search(version.body)]
    return found
