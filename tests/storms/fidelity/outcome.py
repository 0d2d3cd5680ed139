"""What has come of a scenario, in words that don't depend on the world in which it was played.

Left out is what the two worlds have of their own: times, and what follows from them, the price of speech; and what
services say about themselves (versions of models, the relevance of an audience). A recording of the simulation has no
sound, and its model has no population.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from lambdas.shared.identity import digest
from lambdas.shared.layout import AUDIENCE_OBJECTS, CLINICAL_OBJECTS, RECORDS, SEEDS, Stored

# Of a line of records: when it was said and uploaded, how sure the words are, and the model's own version.
OF_SOUND = {"uploaded_at", "start_seconds", "end_seconds", "confidence", "alternatives", "model_version"}
OF_SUMMARY = ("recordings", "rejected", "elsewhere", "documents", "entities", "suppression", "unreadable_records")
OF_AUDIENCE = ("cohort", "eligible", "seed_size", "seed_uri", "export_refused")
# What a transcription job's name has around the transcript's id: the environment and the attempt.
_JOB = re.compile(r"^clinical-media-[a-z]+-|-\d+$")
# The day of a reservation, and the first digit of the id of an object whose records have changed.
_DAY, _DIGIT = re.compile(r"(?<=^spending#)[\d-]+$"), re.compile(r"^changed#[0-9a-f]/")
_ID = re.compile(r"\b[0-9a-f]{32}\b")


class Red(NamedTuple):
    """An execution that has failed or was stopped, at the time when somebody looked at it.

    `state` is the red one; `error` the execution's, `task` and `cause` those of the Task that has failed, which may be
    in a Map. One that was stopped has neither.
    """

    execution: str
    status: str
    state: str
    error: str = ""
    task: str = ""
    cause: str = ""


class Job(NamedTuple):
    """`id` is what outputs and states call it; `about` is what it works on, and `status` its end."""

    id: str
    about: str
    status: str


class Seen(NamedTuple):
    """What there is to be seen in a world.

    `recordings` has the version ids of each key, in the order of their uploads; `objects` the bodies of the current
    versions by key, for the clinical and the audience bucket. `executions` are (name, input, status) and jobs are
    listed in the order in which they were started; `items` are the keys of the ledger's.
    """

    media_bucket: str
    clinical_bucket: str
    audience_bucket: str
    recordings: Mapping[str, list[str]]
    objects: Mapping[str, Mapping[str, bytes]]
    executions: list[tuple[str, Mapping[str, Any], str]]
    reds: list[Red]
    transcriptions: list[Job]
    detections: list[Job]
    generations: list[Job]
    items: list[str]


class Outcome(NamedTuple):
    executions: list[Any]
    reds: list[Red]
    # How often each version of a recording had which outcome, in all summaries.
    outcomes: Counter[str]
    summaries: list[Any]
    objects: dict[str, Counter[str]]
    records: dict[str, list[Any]]
    seeds: dict[str, list[str]]
    jobs: dict[str, list[Any]]
    items: Counter[str]


class Names:
    """Puts names that both worlds have in the place of ids, and of names that one of them has chosen."""

    def __init__(self, seen: Seen) -> None:
        # The buckets' names may begin with the environment's.
        self._names = {seen.media_bucket: "<media>", seen.clinical_bucket: "<clinical>"}
        self._names |= {seen.audience_bucket: "<audience>", "clinical-media-local-": "clinical-media-test-"}
        for key, versions in seen.recordings.items():
            name = key.rpartition("/")[2].partition(".")[0]
            self._names[digest(seen.media_bucket, key)] = f"<{name}>"
            for number, version in enumerate(versions, 1):
                self._names[digest(seen.media_bucket, key, version)] = f"<{name} v{number}>"
        for number, (execution, _, _) in enumerate(seen.executions, 1):
            self._names[execution] = f"<E{number}>"
        for number, job in enumerate(seen.generations, 1):
            self._names[job.id.replace("clinical-media-local-", "clinical-media-test-")] = f"<generation {number}>"
        self._numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(1))
        for job in seen.transcriptions:
            self._transcript(_JOB.sub("", job.about))
        for job in seen.detections:
            self._detection(job, [key for key in seen.objects["clinical"] if key.startswith(job.about)])

    def _transcript(self, transcript_id: str) -> None:
        version = self._names[transcript_id.partition("-")[0]]
        if transcript_id not in self._names:
            # Before the version's own id, which it begins with.
            self._names = {transcript_id: f"{version[:-1]} t{next(self._numbers[version])}>", **self._names}

    def _detection(self, job: Job, documents: list[str]) -> None:
        """A job by its documents, as far as they are there."""
        names = "+".join(sorted(self.plain(key.removeprefix(job.about)) for key in documents))
        self._names[job.about.strip("/").rpartition("/")[2]] = f"<base of {names}>"
        self._names[job.id] = f"<detection {next(self._numbers[names])} of {names}>"

    def plain(self, text: str) -> str:
        for identifier, name in self._names.items():
            text = text.replace(identifier, name)
        return text

    def key(self, key: str) -> str:
        """Ids that name nothing which was named otherwise, such as a child's, are alike."""
        return _ID.sub("<id>", self.plain(key))

    def document(self, value: Any) -> Any:
        return json.loads(self.plain(json.dumps(value)))


def outcome(seen: Seen) -> Outcome:
    names = Names(seen)
    clinical, audience = seen.objects["clinical"], seen.objects["audience"]
    summaries = [_summary(names, clinical, name) for name, _, _ in seen.executions]
    return Outcome(
        [names.document(execution[1:]) for execution in seen.executions],
        [red._replace(execution=names.plain(red.execution)) for red in seen.reds],
        Counter(_outcomes(names, clinical, [name for name, _, _ in seen.executions])),
        summaries,
        {
            "clinical": Counter(_categories(names, clinical, CLINICAL_OBJECTS)),
            "audience": Counter(_categories(names, audience, AUDIENCE_OBJECTS)),
        },
        {names.key(key): _lines(names, body) for key, body in clinical.items() if key.startswith(RECORDS)},
        {
            key: sorted(json.loads(line)["user_id"] for line in body.splitlines())
            for key, body in audience.items()
            if key.startswith(SEEDS) and key.endswith(".jsonl")
        },
        {
            "transcription": _jobs(names, seen.transcriptions),
            "entity detection": _jobs(names, seen.detections),
            "audience generation": _jobs(names, seen.generations),
        },
        Counter(_DAY.sub("<day>", _DIGIT.sub("changed#<digit>/", names.key(item))) for item in seen.items),
    )


def _jobs(names: Names, jobs: list[Job]) -> list[tuple[str, str]]:
    """Children of a Map start theirs in any order."""
    return sorted((names.plain(job.about), job.status) for job in jobs)


def _summary(names: Names, clinical: Mapping[str, bytes], execution: str) -> Any:
    body = clinical.get(f"batches/{execution}/summary.json")
    if body is None:
        return None
    summary = json.loads(body)
    detection = summary["entity_detection"]
    return names.document(
        {
            **{member: summary[member] for member in OF_SUMMARY},
            "entity_detection": detection and [detection["service_status"], detection["jobs"]],
            "audiences": [{member: item[member] for member in OF_AUDIENCE} for item in summary["audiences"]],
            "cohorts_without_audience": summary["cohorts_without_audience"],
            "usd": summary["cost_usd"]["comprehend_medical"],
        }
    )


def _outcomes(names: Names, clinical: Mapping[str, bytes], executions: list[str]) -> Iterator[str]:
    """The outcome of each recording of the executions' plans."""
    for execution in executions:
        if (body := clinical.get(f"batches/{execution}/summary.json")) is None:
            continue
        summary, plan = json.loads(body), json.loads(clinical[f"batches/{execution}/plan.json"])
        found = {item["media_id"]: "reused" if item["reused"] else "transcribed" for item in plan["recordings"]}
        found |= {item["media_id"]: f"rejected: {item['reason']}" for item in summary["rejected"]}
        found |= {item["media_id"]: f"elsewhere: {item['execution_name']}" for item in summary["elsewhere"]}
        yield from (names.plain(f"{media_id} {what}") for media_id, what in found.items())


def _categories(names: Names, objects: Mapping[str, bytes], rows: tuple[Stored, ...]) -> Iterator[str]:
    for key in objects:
        row = next(row for row in rows if key.startswith(row.prefix) and re.match(row.rest, key[len(row.prefix) :]))
        yield f"{row.kind}: {names.key(key)}"


def _lines(names: Names, body: bytes) -> list[Any]:
    """The lines of records, with what their recordings say."""
    lines = [json.loads(line) for line in body.splitlines()]
    return [names.document({name: value for name, value in line.items() if name not in OF_SOUND}) for line in lines]
