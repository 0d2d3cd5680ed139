"""What is there to be looked at when a history has come to rest, and how it is said what is wrong with it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from lambdas.shared.identity import digest, media_id
from tests.simulation.audiences import CleanRoomsML
from tests.simulation.aws import CLINICAL, MEDIA
from tests.simulation.buckets import Buckets, Version
from tests.simulation.jobs import CORRUPT, ComprehendMedical, Transcribe
from tests.simulation.tables import Tables

RED = "red for good"
PAID = "paid twice"
TRANSCRIBED = "transcribed twice"
GENERATED = "generated twice"
LOST = "lost"
OLD = "old records"
OTHER_WORDS = "other words"
COUNTS = "counts"
OUTCOMES = "two outcomes"
ELSEWHERE = "elsewhere"
NEWCOMERS = "audience per newcomer"
CONSENT = "consent"
FORGOTTEN = "forgotten"
MEMBERS = "members"
NAMINGS = "namings"


# The execution that starts when all is over, if there are cohorts: whom would it take?
LAST = "last"


class Execution(Protocol):
    @property
    def request(self) -> Mapping[str, Any]: ...

    @property
    def status(self) -> str: ...


class World(Protocol):
    """What has come to rest. `suppressed` and `departed` name people, `forgotten` those of whom that was proven."""

    buckets: Buckets
    tables: Tables
    transcribe: Transcribe
    comprehend_medical: ComprehendMedical
    clean_rooms_ml: CleanRoomsML
    suppressed: set[str]
    departed: set[str]
    forgotten: set[str]

    @property
    def executions(self) -> Mapping[str, Execution]: ...


class Violation(NamedTuple):
    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


class Rest(NamedTuple):
    """What is there to be looked at: the summaries and plans of the executions that succeeded."""

    world: World
    summaries: dict[str, Any]
    plans: dict[str, Any]


def read(world: World, key: str) -> Any:
    there = world.buckets.current(CLINICAL, key)
    assert there is not None, key
    return json.loads(there.body)


def covers(execution: Execution, key: str) -> bool:
    asked = execution.request
    return f"s3://{MEDIA}/{key}" in asked.get("media", ()) or ("prefix" in asked)


def unfinished(world: World) -> list[str]:
    """The recordings that were asked for, in which something is said, and whose current version has no records."""
    found = []
    for key in world.buckets.keys(MEDIA):
        version = world.buckets.current(MEDIA, key)
        if version is None or version.body == CORRUPT or not version.body.strip():
            continue
        if any(covers(item, key) for item in world.executions.values()):
            there = world.buckets.current(CLINICAL, records_key(key))
            if there is None or not there.metadata.get("transcript-id", "").startswith(id_of(key, version)):
                found.append(key)
    return found


def records_key(key: str) -> str:
    return f"records/{digest(MEDIA, key)}.jsonl"


def lines_of(there: Version | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in there.body.splitlines()] if there else []


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["media_id"] for item in items]


def id_of(key: str, version: Version) -> str:
    return media_id(MEDIA, key, {"VersionId": version.version_id})
