"""What must be true when a schedule has come to rest. Money is counted by words, people by name, outcomes as sets."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby

from lambdas.shared.identity import digest, media_id
from tests.interleavings.aws import CLINICAL, MEDIA
from tests.interleavings.jobs import CORRUPT, Transcription, heard
from tests.interleavings.privacy import consent, forgotten, newcomers
from tests.interleavings.rest import (
    COUNTS,
    ELSEWHERE,
    GENERATED,
    LOST,
    OLD,
    OTHER_WORDS,
    OUTCOMES,
    PAID,
    TRANSCRIBED,
    Rest,
    Violation,
    covers,
    id_of,
    ids,
    read,
    records,
)
from tests.interleavings.world import World


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
        # One that was started for the version before this one is inevitable: it names none.
        if (
            job.status != "FAILED"
            and media_id(MEDIA, job.key, {"VersionId": job.version_id}) in job.wanted["OutputKey"]
        ):
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
    allowed = turns(rest.world)
    for transcript_id, names in by.items():
        if len(names) > allowed[transcript_id]:
            yield Violation(OUTCOMES, f"{transcript_id} was transcribed by each of {sorted(names)}")


def turns(world: World) -> Mapping[str, int]:
    """How often each transcript may be told of: once more, at no price, when its version is the current one again, or
    when records made under other settings stood meanwhile."""
    found: dict[str, int] = defaultdict(lambda: 1)
    for key in world.buckets.keys(MEDIA):
        of_version = {
            id_of(key, version): world.buckets.turns[MEDIA, key, version.version_id]
            for version in world.buckets.versions(MEDIA, key)
        }
        stood = Counter(transcript_id for transcript_id, _ in groupby(filter(None, recorded(world, key))))
        for transcript_id, times in stood.items():
            found[transcript_id] = max(times, of_version.get(transcript_id.rpartition("-")[0], 1))
    return found


def recorded(world: World, key: str) -> list[str]:
    """The transcripts that each version of an object's records is complete for."""
    versions = world.buckets.versions(CLINICAL, f"records/{digest(MEDIA, key)}.jsonl")
    return [version.metadata.get("transcript-id", "") for version in versions]


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
