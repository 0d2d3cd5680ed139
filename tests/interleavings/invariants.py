"""What must be true when a schedule has come to rest. Money is counted by words, people by name, outcomes as sets."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lambdas.select_seeds import REFRESH_AFTER_NEWCOMERS
from lambdas.shared.identity import digest, media_id
from tests.interleavings.aws import CLINICAL, MEDIA
from tests.interleavings.buckets import Version
from tests.interleavings.executions import Execution
from tests.interleavings.jobs import CORRUPT, Transcription, heard
from tests.interleavings.settling import LAST, SUPPRESSED
from tests.interleavings.world import World

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
KINDS = (
    RED,
    PAID,
    TRANSCRIBED,
    GENERATED,
    LOST,
    OLD,
    OTHER_WORDS,
    COUNTS,
    OUTCOMES,
    ELSEWHERE,
    NEWCOMERS,
    CONSENT,
    FORGOTTEN,
)


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


def violations(world: World) -> list[Violation]:
    done = [item.name for item in world.executions.values() if item.status == "SUCCEEDED"]
    rest = Rest(
        world,
        {name: read(world, f"batches/{name}/summary.json") for name in done},
        {name: read(world, f"batches/{name}/plan.json") for name in done},
    )
    checks = (
        paid,
        transcribed,
        generated,
        lost,
        other_words,
        counts,
        outcomes,
        elsewhere,
        newcomers,
        consent,
        forgotten,
    )
    return [violation for check in checks for violation in check(rest)]


def read(world: World, key: str) -> Any:
    there = world.buckets.current(CLINICAL, key)
    assert there is not None, key
    return json.loads(there.body)


def covers(execution: Execution, key: str) -> bool:
    asked = execution.request
    return f"s3://{MEDIA}/{key}" in asked.get("media", ()) or ("prefix" in asked)


def anew(world: World, key: str) -> int:
    """How often the recording may be paid: once, and once more by each execution that was asked to reprocess it."""
    return 1 + sum(bool(item.request.get("reprocess")) and covers(item, key) for item in world.executions.values())


def paid(rest: Rest) -> Iterator[Violation]:
    looked_at = Counter(rest.world.comprehend_medical.words())
    twice: dict[str, int] = defaultdict(int)
    for word, times in looked_at.items():
        name = word.replace("~", "-").split("-")[0]
        allowed = anew(rest.world, f"media/p-{name}/{name}.wav")
        if times > allowed:
            twice[name] += len(word) * (times - allowed)
    jobs = ", ".join(
        f"{job_id} over {sorted(job.documents)}" for job_id, job in rest.world.comprehend_medical.jobs.items()
    )
    for name, characters in twice.items():
        yield Violation(PAID, f"{characters} characters of {name} were looked at again; the jobs: {jobs}")


def transcribed(rest: Rest) -> Iterator[Violation]:
    started: Counter[tuple[str, str, str]] = Counter()
    for job in rest.world.transcribe.jobs.values():
        if job.status != "FAILED":
            started[identity(job)] += 1
    for (key, version_id, settings), times in started.items():
        if times > anew(rest.world, key):
            yield Violation(TRANSCRIBED, f"{times} jobs for {key} {version_id} with {settings}")


def identity(job: Transcription) -> tuple[str, str, str]:
    """The recording's version and what was asked about it."""
    return job.key, job.version_id, str(job.wanted["Type"])


def generated(rest: Rest) -> Iterator[Violation]:
    seeds = Counter(job.people for job in rest.world.clean_rooms_ml.jobs.values() if job.paid)
    for people, times in seeds.items():
        if times > 1:
            yield Violation(GENERATED, f"{times} generations from the seed {sorted(people)}")


def lost(rest: Rest) -> Iterator[Violation]:
    """Of each current recording that was asked for there are records, or a reason why not.

    One in which something is said has no records of another version; one that can't be used may leave them.
    """
    world = rest.world
    for key in world.buckets.keys(MEDIA):
        version = world.buckets.current(MEDIA, key)
        if version is None or not any(covers(item, key) for item in world.executions.values()):
            continue
        identifier = id_of(key, version)
        told = any(identifier in ids(summary["rejected"]) for summary in rest.summaries.values())
        found = {line["media_id"] for line in records(world, key)}
        if identifier not in found and not told:
            yield Violation(LOST, f"{key} {version.version_id} has no records and was rejected by nobody")
        if found - {identifier} and version.body != CORRUPT and version.body.strip():
            yield Violation(OLD, f"{key} is {version.version_id} by now, and has records of another version")


def other_words(rest: Rest) -> Iterator[Violation]:
    """Records tell what was said in the very version that they name."""
    for key in rest.world.buckets.keys(MEDIA):
        said = {id_of(key, version): words(version.body) for version in rest.world.buckets.versions(MEDIA, key)}
        for line in records(rest.world, key):
            if line["text"] not in said.get(line["media_id"], {line["text"]}):
                yield Violation(OTHER_WORDS, f"the records of {key} have {line['text']!r}, which isn't said in it")


def words(body: bytes) -> set[str]:
    return {word for kind in ("DICTATION", "CONVERSATION") for word in heard(body, kind).split()}


def records(world: World, key: str) -> list[dict[str, Any]]:
    there = world.buckets.current(CLINICAL, f"records/{digest(MEDIA, key)}.jsonl")
    return [json.loads(line) for line in there.body.splitlines()] if there else []


def counts(rest: Rest) -> Iterator[Violation]:
    """Each recording that was received is in one of the sets; unless somebody was taken out of them later."""
    for name, summary in rest.summaries.items() if not rest.world.departed else ():
        told, plan = summary["recordings"], rest.plans[name]
        rejected, left = ids(summary["rejected"]), ids(summary["elsewhere"])
        reused = {item["media_id"] for item in plan["recordings"] if item["reused"]}
        doubled = [item for item, times in Counter([*rejected, *left]).items() if times > 1]
        sizes = (len(rejected), len(left), len(reused))
        if doubled or sizes != (told["rejected"], told["elsewhere"], told["reused"]):
            yield Violation(COUNTS, f"{name} has {doubled} in two places; {told}")
        elif told["received"] != sum(told.values()) - told["received"]:
            yield Violation(COUNTS, f"{name}: {told}")


def outcomes(rest: Rest) -> Iterator[Violation]:
    """One execution has transcribed it, or was asked to do so again."""
    by: dict[str, set[str]] = defaultdict(set)
    again = {name for name, item in rest.world.executions.items() if item.request.get("reprocess")}
    for name, summary in rest.summaries.items():
        other = {*ids(summary["rejected"]), *ids(summary["elsewhere"])}
        for item in rest.plans[name]["recordings"]:
            if not item["reused"] and item["media_id"] not in other and name not in again:
                by[item["transcript_id"]].add(name)
    for transcript_id, names in by.items():
        if len(names) > 1:
            yield Violation(OUTCOMES, f"{transcript_id} was transcribed by each of {sorted(names)}")


def elsewhere(rest: Rest) -> Iterator[Violation]:
    """Who follows the names comes to an execution that knows the recording."""
    for name, summary in rest.summaries.items():
        for item in summary["elsewhere"]:
            seen, at = [name], item["execution_name"]
            while at in rest.summaries and at not in seen:
                seen.append(at)
                following = [x for x in rest.summaries[at]["elsewhere"] if x["media_id"] == item["media_id"]]
                if not following:
                    break
                at = following[0]["execution_name"]
            else:
                if at in seen:
                    yield Violation(ELSEWHERE, f"{item['media_id']} is nowhere: {' -> '.join([*seen, at])}")
                continue
            known = [*rest.plans[at]["recordings"], *rest.plans[at]["rejected"]]
            if item["media_id"] not in ids(known):
                yield Violation(ELSEWHERE, f"{item['media_id']} is not at {at}, as {seen[-2]} says")


def newcomers(rest: Rest) -> Iterator[Violation]:
    """Two audiences must not tell of one person, unless somebody had to go."""
    jobs = [job for name, job in rest.world.clean_rooms_ml.jobs.items() if job.paid]
    for first in jobs:
        for second in jobs:
            joined = second.people - first.people
            if first.people < second.people and len(joined) < REFRESH_AFTER_NEWCOMERS and not joined & gone(rest.world):
                what = f"seeds of {sorted(first.people)} and {sorted(second.people)}"
                yield Violation(NEWCOMERS, what)


def gone(world: World) -> set[str]:
    """Who may have been in a seed and must not be in the next one."""
    return {user_id for user_id in people(world) if user_id not in consenting(world)}


def people(world: World) -> set[str]:
    return {key.split("/")[1] for key in world.buckets.keys(MEDIA)} | world.departed


def consenting(world: World) -> set[str]:
    """The people who consent by the current version of their recording, and are neither suppressed nor forgotten."""
    found = set()
    for key in world.buckets.keys(MEDIA):
        version = world.buckets.current(MEDIA, key)
        if version and version.metadata.get("audience-consent") == "true":
            found.add(key.split("/")[1])
    return found - world.departed - {SUPPRESSED}


def consent(rest: Rest) -> Iterator[Violation]:
    """The last execution takes nobody who doesn't consent by now."""
    if LAST not in rest.summaries:
        return
    uris = [item["seed_uri"] for item in rest.summaries[LAST]["audiences"]]
    jobs = [job for job in rest.world.clean_rooms_ml.jobs.values() if seed_uri(job.wanted) in uris]
    for job in jobs:
        if taken := job.people - consenting(rest.world):
            yield Violation(CONSENT, f"the last audience has {sorted(taken)}")


def seed_uri(wanted: Mapping[str, Any]) -> str:
    return str(wanted["seedAudience"]["dataSource"]["s3Uri"])


def forgotten(rest: Rest) -> Iterator[Violation]:
    """Nothing of theirs is left after the last time that the command has said so."""
    for user_id in rest.world.forgotten:
        yield from (Violation(FORGOTTEN, f"{key} names {user_id}") for key in naming(rest.world, user_id))


def naming(world: World, user_id: str) -> list[str]:
    """The clinical bucket's objects that name the person."""
    found = []
    for key in world.buckets.keys(CLINICAL):
        version = world.buckets.current(CLINICAL, key)
        if version and user_id.encode() in version.body:
            found.append(key)
    return found


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["media_id"] for item in items]


def id_of(key: str, version: Version) -> str:
    return media_id(MEDIA, key, {"VersionId": version.version_id})
