"""What must be true when a history has come to rest. Money is counted by words, people by name, outcomes as sets."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby

from lambdas.shared.identity import media_id
from tests.simulation.aws import CLINICAL, MEDIA
from tests.simulation.buckets import Version
from tests.simulation.jobs import CORRUPT, Transcription, heard
from tests.simulation.privacy import consent, forgotten, members, namings, newcomers
from tests.simulation.rest import (
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
    World,
    covers,
    id_of,
    ids,
    lines_of,
    read,
    records_key,
)


def violations(world: World) -> list[Violation]:
    done = [name for name, item in world.executions.items() if item.status == "SUCCEEDED"]
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
        members,
        consent,
        forgotten,
        namings,
    )
    return [violation for check in checks for violation in check(rest)]


def anew(world: World, key: str) -> int:
    """How often the recording may be paid: once, and once more by each execution that was asked to reprocess it."""
    return 1 + sum(bool(item.request.get("reprocess")) and covers(item, key) for item in world.executions.values())


def paid(rest: Rest) -> Iterator[Violation]:
    looked_at = Counter(rest.world.comprehend_medical.words())
    twice: dict[str, int] = defaultdict(int)
    misread = Counter(job.key for job in misreading(rest.world))
    for word, times in looked_at.items():
        name = word.replace("~", "-").split("-")[0]
        key = f"media/p-{name}/{name}.wav"
        allowed = anew(rest.world, key) + misread[key]
        if times > allowed:
            twice[name] += len(word) * (times - allowed)
    jobs = ", ".join(
        f"{job_id} over {sorted(job.documents)}" for job_id, job in rest.world.comprehend_medical.jobs.items()
    )
    for name, characters in twice.items():
        yield Violation(PAID, f"{characters} characters of {name} were looked at again; the jobs: {jobs}")


def misreading(world: World) -> list[Transcription]:
    """The jobs that have read another version than the one they were started for, where versions are taken back.

    A URI names no version. If the later one isn't there any more when the transcript is used, nothing tells of it.
    """
    jobs = world.transcribe.jobs.values()
    return [job for job in jobs if not reads_its_own(job) and f"{MEDIA}/{job.key}" in world.buckets.taken_back]


def reads_its_own(job: Transcription) -> bool:
    return media_id(MEDIA, job.key, {"VersionId": job.version_id}) in job.wanted["OutputKey"]


def transcribed(rest: Rest) -> Iterator[Violation]:
    started: Counter[tuple[str, str, str]] = Counter()
    for job in rest.world.transcribe.jobs.values():
        # One that was started for the version before this one is inevitable: it names none.
        if job.status != "FAILED" and reads_its_own(job):
            started[identity(job)] += 1
    for (key, version_id, settings), times in started.items():
        if times > anew(rest.world, key):
            yield Violation(TRANSCRIBED, f"{times} jobs for {key} {version_id} with {settings}")


def identity(job: Transcription) -> tuple[str, str, str]:
    """The recording's version and what was asked about it."""
    return job.key, job.version_id, str(job.wanted["Type"])


def generated(rest: Rest) -> Iterator[Violation]:
    """Once, and once more by each execution that was asked to reprocess."""
    seeds = Counter(job.people for job in rest.world.clean_rooms_ml.jobs.values() if job.paid)
    allowed = 1 + sum(bool(item.request.get("reprocess")) for item in rest.world.executions.values())
    for people, times in seeds.items():
        if times > allowed:
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
        found = {line["media_id"] for line in lines_of(world.buckets.current(CLINICAL, records_key(key)))}
        if identifier not in found and not told:
            yield Violation(LOST, f"{key} {version.version_id} has no records and was rejected by nobody")
        if found - {identifier} and version.body != CORRUPT and version.body.strip():
            yield Violation(OLD, f"{key} is {version.version_id} by now, and has records of another version")


def other_words(rest: Rest) -> Iterator[Violation]:
    """Records tell what was said in the very version that they name, at any time."""
    misread = {job.key for job in misreading(rest.world)}
    for key in {*rest.world.buckets.keys(MEDIA)} - misread:
        said = {id_of(key, version): words(version.body) for version in rest.world.buckets.versions(MEDIA, key)}
        for version in rest.world.buckets.versions(CLINICAL, records_key(key)):
            for line in lines_of(version):
                if line["text"] not in said.get(line["media_id"], {line["text"]}):
                    yield Violation(OTHER_WORDS, f"records of {key} had {line['text']!r}, which isn't said in it")


def words(body: bytes) -> set[str]:
    return {word for kind in ("DICTATION", "CONVERSATION") for word in heard(body, kind).split()}


def counts(rest: Rest) -> Iterator[Violation]:
    """Each recording that was received is in one of the sets; unless somebody was taken out of them later.

    Each document is collected once.
    """
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
        if summary["entities"]["documents"] != summary["documents"]["count"]:
            yield Violation(COUNTS, f"{name}: the documents of {summary['entities']} aren't {summary['documents']}")


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
    when records of that version that were made otherwise stood meanwhile."""
    found: dict[str, int] = defaultdict(lambda: 1)
    for key in [*world.buckets.keys(MEDIA), *world.buckets.without_versions(MEDIA)]:
        for version in [*world.buckets.versions(MEDIA, key), *world.buckets.taken_back.get(f"{MEDIA}/{key}", ())]:
            for transcript_id, times in Counter(how for how, _ in groupby(recorded(world, key, version))).items():
                found[transcript_id] = max(times, world.buckets.turns[MEDIA, key, version.version_id])
    return found


def recorded(world: World, key: str, version: Version) -> Iterator[str]:
    """Of each records of that version, the transcript that they are complete for, or else the execution whose they are.

    Incomplete ones without a line don't say of which version they are.
    """
    for there in world.buckets.versions(CLINICAL, records_key(key)):
        transcript_id = there.metadata.get("transcript-id", "")
        of = {transcript_id.rpartition("-")[0]} if transcript_id else {line["media_id"] for line in lines_of(there)}
        if not of or id_of(key, version) in of:
            yield transcript_id or there.metadata["execution"]


def elsewhere(rest: Rest) -> Iterator[Violation]:
    """Who follows the names comes to an execution that knows the recording, if it is still there."""
    buckets = rest.world.buckets
    there = [(key, buckets.current(MEDIA, key)) for key in buckets.keys(MEDIA)]
    current = {id_of(key, version) for key, version in there if version}
    for name, summary in rest.summaries.items():
        for item in summary["elsewhere"]:
            if item["media_id"] not in current:
                continue
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
