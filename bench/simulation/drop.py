"""Benchmarks 6, 7 and 8: thousands of recordings dropped at once, through the whole definition, with all quotas.

python -m bench.simulation.drop [RECORDINGS]
"""

import gc
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import patch

# Importing the functions creates clients, which are never called.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from bench.peers.state_machines import execution_per_recording, one_map
from bench.simulation.assumptions import (
    CALL_SECONDS,
    ENTITY_DETECTION_DOCUMENTS_PER_SECOND,
    ENTITY_DETECTION_JOBS,
    ENTITY_DETECTION_OVERHEAD_SECONDS,
    ENTITY_DETECTION_SIGMA,
    EVENT_BYTES,
    QUOTAS,
    REQUEST_SECONDS,
    SECONDS_PER_BATCH_STEP,
    TRANSCRIPTION_JOBS,
    Workload,
    describe,
    recordings,
)
from bench.simulation.clock import Clock, Steps
from bench.simulation.definition import TIMEOUT, MapRun, Tally, Task, TaskError, World, check, execute
from bench.simulation.services import Jobs, Rate, Usage
from bench.table import Row, as_table
from infra.cdk_json import read_context
from infra.definition import read_definition
from infra.environment import Environment
from infra.ingest import _CONCURRENT_BATCHES
from lambdas import share_jobs
from lambdas.ingest import PLANNED_PER_SECOND, chunks
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.planning.turns import Turns, Waiting, has_room, settled
from lambdas.shared import jobs
from lambdas.shared.ledger import MOST_KEYS
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.uris import uri_of

DEFINITION = read_definition()
ENVIRONMENT = Environment.from_context("prod", read_context())
SHARE_EVERY_SECONDS = 60  # infra/job_sharing.py
# The limit of an invocation's payload (Lambda quotas).
MOST_BYTES_PER_INVOCATION = 6_000_000


@dataclass
class Drop:
    """The results of a drop; times in seconds from the drop."""

    recordings: list[Workload]
    clock: Clock = field(default_factory=Clock)
    tally: Tally = field(default_factory=Tally)
    transcribed: set[int] = field(default_factory=set)
    failed_executions: int = 0
    timed_out_executions: int = 0
    ended_executions: int = 0
    executions: int = 0
    # The processes that start executions.
    sources: int = 0
    transcription_end: float = 0.0
    entity_detection_end: float = 0.0
    # When the last event was taken from the queue.
    queue_end: float = 0.0
    attempts: int = 0
    longest_history: int = 0
    entity_detection_jobs: int = 0
    most: dict[str, float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return not self.sources and self.ended_executions == self.executions

    @property
    def failed(self) -> int:
        return len(self.recordings) - len(self.transcribed)

    @property
    def limit(self) -> float:
        """The shortest time in which any design could transcribe all recordings."""
        times = [item.job_seconds for item in self.recordings]
        return max(sum(times) / TRANSCRIPTION_JOBS, max(times))


class Services:
    """The models of the services and of the functions that call them; a definition finds them in `world`."""

    def __init__(self, drop: Drop, concurrent_jobs: int) -> None:
        self.drop, self.clock, self.concurrent_jobs = drop, drop.clock, concurrent_jobs
        self.usage = Usage(drop.clock)
        self.begun = drop.clock.now
        self.random = random.Random(7)
        self.items: dict[str, list[Any]] = {}
        # The running executions by name, the oldest first, as ListExecutions tells of them.
        self.executions: dict[str, dict[str, Any]] = {}
        self.turns = Turns()
        self.waiting: dict[str, Waiting] = {}
        self.mapped: set[str] = set()
        self.transcription = Jobs(
            self.clock,
            self.usage,
            "StartMedicalTranscriptionJob /s",
            "GetMedicalTranscriptionJob /s",
            QUOTAS,
            TRANSCRIPTION_JOBS,
            "LimitExceededException",
        )
        self.entity_detection = Jobs(
            self.clock,
            self.usage,
            "StartEntitiesDetectionV2Job /s",
            "DescribeEntitiesDetectionV2Job /s",
            QUOTAS,
            ENTITY_DETECTION_JOBS,
            "TooManyRequestsException",
        )
        tasks: dict[str, Task] = {
            f"${{{name}Arn}}": self.observed(task)
            for name, task in {
                "PlanBatch": self.plan,
                "WaitForTurn": self.wait_for_turn,
                "StartTranscription": self.start_transcription,
                "PollTranscription": self.poll_transcription,
                "PrepareDocuments": self.prepare,
                "StartEntityDetection": self.start_entity_detection,
                "PollEntityDetection": self.poll_entity_detection,
                "CollectEntities": self.collect,
                # As in the delivered environment: without a configured audience model seeds are only counted.
                "PrepareCohorts": self.prepare_cohorts,
                "SelectSeeds": self.select_seeds,
                "SummarizeBatch": self.summarize,
            }.items()
        }
        self.world = World(self.clock, self.random, tasks, self.items, lambda: self.usage.call("state transitions /s"))

    def observed(self, task: Task) -> Task:
        """A Task is a function, which counts as running until its model returns."""

        def invoke(event: Any) -> Steps:
            self.usage.begin("functions at a time")
            try:
                return (yield from task(event))
            finally:
                self.usage.end("functions at a time")

        return invoke

    def wait_for_turn(self, event: Mapping[str, Any]) -> Steps:
        """Like WaitForTurn: note the token, and answer it at once if nobody waits and there is room."""
        self.usage.call("DynamoDB reads /s")
        self.usage.call("DynamoDB writes /s", 3)
        yield CALL_SECONDS
        name, recordings, holders = event["execution_name"], event["recordings"], self.turns.holders
        admitted = name in holders or (
            not self.waiting and has_room(holders.values(), recordings, self.concurrent_jobs)
        )
        if admitted:
            self.turns = self.turns._replace(holders={**holders, name: recordings})
            self.world.answer(event["task_token"])
        else:
            self.waiting[name] = Waiting(event["task_token"], recordings)

    def sharing(self) -> Steps:
        """Give turns and divide the jobs once a minute, with the code of ShareJobs."""
        while not self.drop.is_over:
            begun = self.clock.now
            for _ in range(0, len(self.executions), share_jobs.EXECUTIONS_PER_PAGE):
                self.usage.draw("ListExecutions bucket")
                yield CALL_SECONDS
            for at in range(0, len(self.executions), MOST_KEYS):
                self.usage.call("DynamoDB reads /s", min(MOST_KEYS, len(self.executions) - at))
                yield REQUEST_SECONDS
            names = share_jobs.to_look_at(self.executions, self.turns, self.waiting)
            map_runs, by_name = self.look_at(names)
            self.give_turns({run.arn: run.unfinished for run in map_runs})
            others = len(self.turns.holders) - len(map_runs)
            changes = share_jobs.changes(map_runs, others, self.concurrent_jobs)
            yield from self.divide(changes, by_name, begun)
            yield max(0.0, SHARE_EVERY_SECONDS - (self.clock.now - begun))

    def look_at(self, names: Iterable[str]) -> tuple[list[share_jobs.MapRun], dict[str, MapRun]]:
        """The running Maps of these executions, as ShareJobs and as the interpreter have them."""
        by_name = {run.execution["Name"]: run for run in self.world.map_runs}
        found = []
        for name in names:
            key = share_jobs.key_of(self.executions[name])
            if key not in share_jobs._known:
                self.usage.draw("ListMapRuns bucket")
                if name not in by_name and name not in self.mapped:
                    continue
                share_jobs._known[key] = name
            self.usage.draw("DescribeMapRun bucket")
            if run := by_name.get(name):
                found.append(share_jobs.MapRun(name, run.most, run.running, run.unfinished))
            else:
                share_jobs._known[key] = None
        return found, {run.arn: by_name[run.arn] for run in found}

    def give_turns(self, found: Mapping[str, int]) -> None:
        executions, holders = self.executions, self.turns.holders
        gone = [name for name in holders if name not in executions or share_jobs.has_ended(executions[name])]
        line = ((name, self.waiting[name].recordings) for name in executions if name in self.waiting)
        without = {name: unfinished for name, unfinished in found.items() if name not in holders}
        self.turns = self.turns._replace(holders=settled(holders, gone, without, line, self.concurrent_jobs))
        for name in self.turns.holders:
            if waiting := self.waiting.pop(name, None):
                self.world.answer(waiting.token)

    def divide(self, changes: Iterable[share_jobs.Change], by_name: Mapping[str, MapRun], begun: float) -> Steps:
        for change in changes:
            if self.clock.now - begun > share_jobs.MAXIMUM_SECONDS:
                break
            self.usage.draw("UpdateMapRun bucket")
            run = by_name[change.map_run.arn]
            run.most = change.most
            run.fill()
            yield float(change.seconds)

    def plan(self, event: Mapping[str, Any]) -> Steps:
        """Like PlanBatch: read each recording and its records, write the plan's items and the patients', claim them.

        Items are read before the first and the last of the three writes, and once more after them. Longest first.
        """
        numbers = [int(uri.rsplit("/", 1)[1].split(".")[0]) for uri in event["request"]["media"]]
        for requests, at_a_time, in_a_call in (
            ("DynamoDB reads", 1, MOST_KEYS),
            ("S3 reads of media/", PARALLEL_REQUESTS, 1),
            ("S3 reads of records/", PARALLEL_REQUESTS, 1),
            ("DynamoDB writes", PARALLEL_REQUESTS, 1),
            ("DynamoDB writes of the members table", PARALLEL_REQUESTS, 1),
            ("DynamoDB reads", 1, MOST_KEYS),
            ("DynamoDB writes", PARALLEL_REQUESTS, 1),
            ("DynamoDB reads", 1, MOST_KEYS),
        ):
            for at in range(0, len(numbers), at_a_time * in_a_call):
                self.usage.call(f"{requests} /s", len(numbers[at : at + at_a_time * in_a_call]))
                yield REQUEST_SECONDS
        numbers.sort(key=lambda number: self.drop.recordings[number].guessed_audio_seconds, reverse=True)
        name = event["execution_name"]
        self.items[name] = [{"number": number} for number in numbers]
        batch = {
            "batch_id": name,
            "reprocess_id": "",
            "bucket": "",
            "recordings_key": name,
            "max_concurrency": FIRST_SHARE,
            "pending": len(numbers),
        }
        operations = ("StartMedicalTranscriptionJob", "StartEntitiesDetectionV2Job", "StartAudienceGenerationJob")
        return {"batch": batch, "parameters": {operation: {} for operation in operations}}

    def start_transcription(self, event: Mapping[str, Any]) -> Steps:
        yield CALL_SECONDS
        number = event["recording"]["number"]
        item = self.drop.recordings[number]
        self.transcription.start(str(number), item.job_seconds)
        return jobs.started(str(number), jobs.expected_transcription_seconds(item.audio_seconds), 0)

    def poll_transcription(self, event: Mapping[str, Any]) -> Steps:
        yield CALL_SECONDS
        job = event["job"]
        if jobs.is_early(job):
            self.usage.call("S3 lists of transcripts/ /s")
            if self.transcription.ends[job["id"]] > self.clock.now:
                return jobs.still_running(job, 0, 8 * 3600)
        if not self.transcription.has_ended(job["id"]):
            return jobs.still_running(job, 0, 8 * 3600)
        self.drop.transcribed.add(int(job["id"]))
        self.drop.transcription_end = self.clock.now - self.begun
        return jobs.completed(job)

    def prepare(self, event: Mapping[str, Any]) -> Steps:
        name = event["batch"]["batch_id"]
        self.mapped.add(name)
        recordings = self.items.pop(name)
        count = len(recordings)
        yield CALL_SECONDS + count * SECONDS_PER_BATCH_STEP
        documented_key = f"{name}-documented"
        self.items[documented_key] = [{"media_id": item["number"]} for item in recordings]
        return {"count": count, "documented_key": documented_key}

    def start_entity_detection(self, event: Mapping[str, Any]) -> Steps:
        yield CALL_SECONDS
        count = event["documents"]["count"]
        overhead = ENTITY_DETECTION_OVERHEAD_SECONDS * self.random.lognormvariate(0, ENTITY_DETECTION_SIGMA)
        self.usage.call("ListEntitiesDetectionV2Jobs /s")
        job_id = event["batch_id"]
        self.entity_detection.start(job_id, overhead + count / ENTITY_DETECTION_DOCUMENTS_PER_SECOND)
        # The expectation of lambdas/comprehend_medical.py.
        return jobs.started(job_id, 300 + count // 5, 0)

    def poll_entity_detection(self, event: Mapping[str, Any]) -> Steps:
        yield CALL_SECONDS
        job = event["job"]
        if not self.entity_detection.has_ended(job["id"]):
            return jobs.still_running(job, 0, 24 * 3600)
        self.drop.entity_detection_end = self.clock.now - self.begun
        return jobs.completed(job)

    def collect(self, event: Mapping[str, Any]) -> Steps:
        yield CALL_SECONDS + len(event["media_ids"]) * SECONDS_PER_BATCH_STEP
        return {}

    def prepare_cohorts(self, _: Any) -> Steps:
        """The cohorts' rules haven't changed, so nothing is rebuilt."""
        self.usage.call("DynamoDB reads /s")
        yield CALL_SECONDS
        return {"status": "READY"}

    def select_seeds(self, _: Any) -> Steps:
        self.usage.call("DynamoDB reads /s", 2)
        yield CALL_SECONDS
        return {"cohorts": []}

    def summarize(self, _: Any) -> Steps:
        yield CALL_SECONDS
        return {}

    def finish(self) -> Drop:
        """Run to the end, and return the drop with its counts."""
        collects = gc.isenabled()
        # Millions of objects live long and few form cycles, so that the collector would take a third of the time.
        gc.disable()
        try:
            with patch.object(jobs, "time", self.clock), patch.object(share_jobs, "_known", {}):
                self.clock.run()
        finally:
            if collects:
                gc.enable()
        self.drop.attempts = self.transcription.attempts
        self.drop.entity_detection_jobs = self.entity_detection.started
        self.drop.longest_history = self.world.longest_history[0]
        self.drop.most = {name: self.usage.most[name] / quota for name, quota in QUOTAS.items()}
        return self.drop


def pipeline(
    count: int,
    definition: Mapping[str, Any] = DEFINITION,
    environment: Environment = ENVIRONMENT,
    services_of: Callable[[Drop, int], Services] = Services,
    backfill: int = 0,
) -> Drop:
    """The recordings as events in the queue, from which the ingest function starts executions of the definition.

    Batches are as full as possible; infra/ingest.py sets the number of invocations at a time. With `backfill`, no
    event comes: so many executions are started at first, one after another at the pace of ingest, and the next one
    each time that one has ended.
    """
    check(definition)
    drop = Drop(recordings(count, 3))
    services = services_of(drop, environment.transcription.concurrent_jobs)
    world = services.world
    starts = Rate(drop.clock, QUOTAS["StartExecution /s"])
    most = min(environment.batch_size, MOST_BYTES_PER_INVOCATION // EVENT_BYTES, 10_000)
    batches = (range(at, min(at + most, count)) for at in range(0, count, most))

    def begin(part: list[str]) -> Steps:
        """Start an execution; returns its steps."""
        yield CALL_SECONDS
        while not starts.take():
            yield 1.0
        services.usage.call("StartExecution /s")
        name = f"drop-{drop.executions}"
        drop.executions += 1
        services.executions[name] = {"executionArn": name}
        return one({"media": part}, {"Execution": {"Name": name, "Id": name, "RedriveCount": 0}})

    def ingest() -> Steps:
        for batch in batches:
            for part in chunks(sorted(uri(number) for number in batch)):
                drop.clock.begin((yield from begin(part)))
                drop.queue_end = drop.clock.now - services.begun
                yield len(part) / PLANNED_PER_SECOND
        drop.sources -= 1

    def fill_back() -> Steps:
        for batch in batches:
            yield from (yield from begin(sorted(uri(number) for number in batch)))
        drop.sources -= 1

    def one(given: Any, context: Mapping[str, Any]) -> Steps:
        try:
            yield from execute(definition, given, context, world, drop.tally)
        except TaskError as error:
            drop.failed_executions += 1
            drop.timed_out_executions += error.name == TIMEOUT
        drop.ended_executions += 1
        name = context["Execution"]["Name"]
        del services.executions[name]
        services.waiting.pop(name, None)
        services.items.pop(name, None)

    drop.sources = backfill or _CONCURRENT_BATCHES
    for number in range(drop.sources):
        if backfill:
            drop.clock.begin(fill_back(), after=number * most / PLANNED_PER_SECOND)
        else:
            drop.clock.begin(ingest())
    drop.clock.begin(services.sharing())
    return services.finish()


def uri(number: int) -> str:
    return uri_of("clinical-media-prod-media-123456789012", f"media/p-{number:06}/{number}.wav")


def peer(count: int, *, as_one_map: bool) -> Drop:
    """The same recordings with the samples' designs: an execution for each, or one Map over all."""
    drop = Drop(recordings(count, 3))
    services = Services(drop, TRANSCRIPTION_JOBS)
    world = services.world
    names = "${StartTranscriptionArn}", "${PollTranscriptionArn}"
    definition = one_map(*names, TRANSCRIPTION_JOBS) if as_one_map else execution_per_recording(*names)
    items = [{"recording": {"number": number}} for number in range(count)]
    services.items["recordings"] = items
    context = {"Execution": {"Name": "", "Id": "", "RedriveCount": 0}}

    def one(given: Any) -> Steps:
        try:
            yield from execute(definition, given, context, world, drop.tally)
        except TaskError:
            drop.failed_executions += 1

    for number, given in enumerate([{}] if as_one_map else items):
        drop.clock.begin(one(given), after=number / QUOTAS["StartExecution /s"])
    return services.finish()


class Measures(NamedTuple):
    failed: int
    attempts: float
    makespan: float
    entity_detection: float
    worst_quota: str
    worst: float


def measures(drop: Drop) -> Measures:
    worst = max(drop.most, key=lambda name: drop.most[name])
    stage = drop.entity_detection_end / (drop.transcription_end + ENTITY_DETECTION_OVERHEAD_SECONDS)
    return Measures(
        drop.failed,
        drop.attempts / len(drop.recordings),
        drop.transcription_end / drop.limit,
        stage,
        worst,
        drop.most[worst],
    )


def rows() -> Iterator[Row]:
    for count in (10_000, 100_000):
        ours = pipeline(count)
        yield from rows_of(count, ours, measures(ours), peer(count, as_one_map=False), peer(count, as_one_map=True))


def rows_of(count: int, drop: Drop, ours: Measures, each: Drop, together: Drop) -> Iterator[Row]:
    by_itself, one = measures(each), measures(together)
    among = f" of the {len(drop.transcribed):,} that did not fail" if ours.failed else ""
    what = f"{count:,} recordings dropped at once"
    yield Row("6", f"{what}: failed", f"{ours.failed:,}", f"{by_itself.failed:,}", "", "0", "0", ours.failed == 0)
    yield Row(
        "6",
        f"{what}: start attempts per job",
        f"{ours.attempts:.2f}",
        f"{by_itself.attempts:.2f}",
        f"{ours.attempts / by_itself.attempts:.2f}",
        "1",
        "<= 1.05",
        ours.attempts <= 1.05,
    )
    yield Row(
        "6",
        f"{what}: makespan / (work / {TRANSCRIPTION_JOBS} jobs); peer: one Map, fixed loop",
        f"{ours.makespan:.3f}{among}",
        f"{one.makespan:.3f}",
        f"{ours.makespan / one.makespan:.2f}",
        "1",
        "<= 1.06",
        ours.failed == 0 and ours.makespan <= 1.06,
    )
    yield Row(
        "7",
        f"{what}: end of entity detection / (end of transcription + one job's overhead)",
        f"{ours.entity_detection:.3f}{among}",
        "",
        "",
        "1",
        "<= 1.05",
        ours.failed == 0 and ours.entity_detection <= 1.05,
    )
    per_100_000 = drop.entity_detection_jobs * 100_000 / count
    yield Row(
        "7",
        f"{what}: entity detection jobs per 100,000; peer: one per recording",
        f"{per_100_000:.0f}{among}",
        "100,000",
        f"{per_100_000 / 100_000:.4f}",
        "10",
        "<= 800",
        ours.failed == 0 and per_100_000 <= 800,
    )
    yield Row(
        "8",
        f"{what}: worst second of any quota ({ours.worst_quota})",
        f"{ours.worst:.0%}",
        f"{by_itself.worst:.0%}",
        f"{ours.worst / by_itself.worst:.2f}",
        "",
        "<= 50 %",
        ours.worst <= 0.5,
    )


def main() -> None:
    print(describe())
    print(as_table(rows()))


if __name__ == "__main__":
    main()
