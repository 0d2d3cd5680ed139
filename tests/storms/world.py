"""A history's world: AWS in memory and in virtual time, from one seed, in one thread."""

import math
import os
import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import greenlet  # type: ignore[import-untyped]
import pytest
import time_machine
from botocore import xform_name

from bench.simulation.clock import Clock, Steps
from infra.functions import BATCH, CALL
from lambdas import share_jobs
from lambdas.shared.identity import media_id
from tests.interleavings.executions import FUNCTIONS
from tests.simulation import aws
from tests.simulation.audiences import CleanRoomsML
from tests.simulation.aws import AUDIENCE, MEDIA, SUPPRESSION_KEY, Refused, functions
from tests.simulation.buckets import Buckets, Version
from tests.simulation.jobs import ComprehendMedical, Transcribe
from tests.simulation.tables import CONFLICT as TABLE_CONFLICT
from tests.simulation.tables import UNPROCESSED as TABLE_UNPROCESSED
from tests.simulation.tables import Tables
from tests.storms.executions import Execution, StateMachine
from tests.storms.faults import (
    CONFLICT,
    DENIED,
    HUNG,
    HUNG_AFTER,
    KILLED,
    KILLED_AFTER,
    LOST,
    REFUSED,
    REPEATED,
    UNPROCESSED,
    Faults,
    chance,
)
from tests.storms.functions import ConnectionLost, Invocation, Lambda
from tests.storms.queue import STEP as INGEST
from tests.storms.queue import Queue
from tests.storms.watch import CANARY, Watch

SHARE_JOBS = "ShareJobs"
SHARE_EVERY_SECONDS = 60.0
# 2026-01-01.
BEGIN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
# More turns of the clock than any history of ours takes: one that takes them goes round in circles.
MOST_TURNS = 60_000
WRITES = ("Put", "Start", "Delete", "Create", "Stop", "Update", "Transact", "Send")
# Longer than any function may take.
FOR_EVER = 1e9


class World:
    """`patch` changes what a deployment may change. `new_world` makes one."""

    def __init__(self, patch: pytest.MonkeyPatch, seed: int, without: Collection[str], go_on: Callable[[float], None]):
        self.seed, self.patch, self._go_on = seed, patch, go_on
        self._nanoseconds = int(BEGIN * 1e9)
        self.clock = Clock(BEGIN)
        self.faults = Faults(seed, without)
        self.current: Invocation | None = None
        self.log: list[str] = []
        self._labels: dict[str, str] = {}
        drawn = chance(seed, "services")
        self.buckets = Buckets(self._written, by_content=drawn.random() < 0.5, now=self._now)
        self.tables = Tables(self._goes_wrong)
        late = drawn.random() < 0.2
        self.transcribe = Transcribe(self.buckets, self._is_fated, late=late, started=self._ends("transcribe", 10, 60))
        self.comprehend_medical = ComprehendMedical(
            self.buckets, self._is_fated, started=self._ends("comprehend_medical", 100, 300)
        )
        self.clean_rooms_ml = CleanRoomsML(
            self.buckets, self._is_fated, started=self._ends("clean_rooms_ml", 300, 2000)
        )
        self.functions = Lambda(self, HANDLERS, SECONDS)
        self.state_machine = StateMachine(self, seed)
        self.queue = Queue(self)
        self._services: dict[str, Any] = {
            "s3": self.buckets,
            "dynamodb": self.tables,
            "stepfunctions": self.state_machine,
            "transcribe": self.transcribe,
            "comprehendmedical": self.comprehend_medical,
            "cleanroomsml": self.clean_rooms_ml,
        }
        self.denied: set[str] = set()  # services that nobody has a permission for
        self.suppressed: set[str] = set()
        self.departed: set[str] = set()
        self.forgotten: set[str] = set()
        self._shares_jobs = False
        self._struck: str | None = None
        self.concurrent_jobs = drawn.choice((2, 3, 4, 250))
        self.watch = Watch(self)
        self.has_cohorts = False
        self.deploy()

    @property
    def executions(self) -> dict[str, Execution]:
        return self.state_machine.executions

    # What happens on AWS

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        """A call of a client, in its time."""
        act = getattr(self._services.get(service), xform_name(operation), None)
        if act is None:
            raise NotImplementedError(f"tests/simulation has no fake of {operation} of {service}; write one")
        invocation = self.current
        if invocation is None:
            return act(**parameters)
        if invocation.is_dead:
            raise greenlet.GreenletExit
        invocation.calls += 1
        invocation.pause()
        if service in self.denied:
            raise Refused(code_of(service, operation, "AccessDeniedException"))
        fault = invocation.fault
        if fault and invocation.struck_at == invocation.calls:
            return self._struck_by(invocation, f"{service} {operation}", lambda: act(**parameters))
        return act(**parameters)

    def _struck_by(self, invocation: Invocation, call: str, act: Callable[[], Any]) -> Any:
        """The call that a fault strikes; another one is struck if this fault doesn't fit it."""
        fault = invocation.fault
        assert fault is not None
        kind, writes = fault.kind, call.partition(" ")[2].startswith(WRITES)
        fits = {
            REPEATED: writes,
            LOST: writes,
            CONFLICT: writes and call.startswith(("s3", "dynamodb")),
            UNPROCESSED: call == "dynamodb BatchGetItem",
        }
        if not fits.get(kind, True):
            invocation.struck_at += 1
            return act()
        self.faults.strikes(fault)
        self.note(f"** {fault}, {call}")
        if kind in (LOST, KILLED_AFTER, HUNG_AFTER):
            act()
        if kind in (KILLED, KILLED_AFTER):
            invocation.die()
        if kind in (HUNG, HUNG_AFTER):
            invocation.pause(FOR_EVER)
        if kind == LOST:
            raise ConnectionLost
        if kind == DENIED:
            raise Refused(code_of(service_of(call), call.partition(" ")[2], "AccessDeniedException"))
        if kind == REFUSED:
            raise Refused(code_of(service_of(call), call.partition(" ")[2], "ThrottlingException"))
        if kind == REPEATED:
            return self._repeat(invocation, call, act)
        if kind == CONFLICT and service_of(call) == "s3":
            raise Refused("ConditionalRequestConflict")
        self._struck = TABLE_CONFLICT if kind == CONFLICT else TABLE_UNPROCESSED
        try:
            return act()
        finally:
            self._struck = None

    def _repeat(self, invocation: Invocation, call: str, act: Callable[[], Any]) -> Any:
        """The answer is lost, so the SDK makes the same call again; others may be at work in between.

        It gives a transaction a token, by which the service knows one that it has carried out:
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        try:
            answered = act()
        except Refused:
            invocation.pause()
            return act()
        invocation.pause()
        return answered if call == "dynamodb TransactWriteItems" else act()

    def _goes_wrong(self, kind: str) -> bool:
        return kind == self._struck

    def _is_fated(self, kind: str) -> bool:
        return self.faults.befalls(kind, f"job {self.ending}")

    def _ends(self, service: str, least: float, most: float) -> Callable[[str], None]:
        """A job ends some time after it was started."""

        def started(job: str) -> None:
            drawn = chance(self.seed, f"duration of {job}")
            if service == "transcribe":
                self.watch.job_started()
            self.clock.begin(end(job), after=least * (most / least) ** drawn.random())

        def end(job: str) -> Steps:
            self.ending = job
            getattr(self, service).end(job)
            return
            yield 0.0

        return started

    def share_jobs_soon(self) -> None:
        """ShareJobs comes once a minute; here only in the minute after something that it looks at has changed."""
        if not self._shares_jobs:
            self._shares_jobs = True
            now = self.clock.now
            self.clock.begin(self._share_jobs(), after=SHARE_EVERY_SECONDS - (now - BEGIN) % SHARE_EVERY_SECONDS)

    def _share_jobs(self) -> Steps:
        self._shares_jobs = False
        if any(item.status == "RUNNING" for item in self.executions.values()):
            invocation = self.functions.begin(SHARE_JOBS, "schedule", {})
            yield invocation.ended
            if invocation.failure:
                self.share_jobs_soon()

    def _written(self, place: str) -> None:
        self.watch.written(place)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now, UTC)

    def at_this_moment(self) -> None:
        skew = self.current.skew if self.current else 0.0
        nanoseconds = int((self.clock.now + skew) * 1e9)
        if nanoseconds != self._nanoseconds:
            self._go_on((nanoseconds - self._nanoseconds) / 1e9)
            self._nanoseconds = nanoseconds

    # What people do

    def upload(self, key: str, *, consent: bool = False, body: bytes | None = None, sentences: int = 1) -> str:
        """A new version of a recording whose words are in no other, and S3's event about it; its URI."""
        name, version = self.put(key, consent=consent, body=body, sentences=sentences)
        self.queue.created(name, key, version.version_id, version.etag.strip('"'))
        return f"s3://{MEDIA}/{key}"

    def put(
        self, key: str, *, consent: bool = False, body: bytes | None = None, sentences: int = 1
    ) -> tuple[str, Version]:
        name = key.rpartition("/")[2].partition(".")[0]
        number = self.buckets.next_number(MEDIA, key)
        said = (f"{name}-{number}-{part}-{CANARY} {name}-{number}-{part}-end." for part in range(sentences))
        metadata = {"audience-consent": "true"} if consent else {}
        if consent:
            self.watch.consents_again(f"p-{name}")
        version = self.buckets.put(MEDIA, key, " ".join(said).encode() if body is None else body, metadata)
        self._labels[media_id(MEDIA, key, {"VersionId": version.version_id})] = f"<{name} {version.version_id}>"
        return name, version

    def suppress(self, user_id: str) -> None:
        self.suppressed.add(user_id)
        self.watch.gone(user_id)
        there = self.buckets.current(AUDIENCE, SUPPRESSION_KEY)
        self.buckets.put(AUDIENCE, SUPPRESSION_KEY, (there.body if there else b"") + user_id.encode() + b"\n", {})

    def start(self, name: str, request: dict[str, Any]) -> Execution:
        return self.state_machine.start(name, request)

    def deploy(self, *, cohorts: float = 0.0, **transcription: Any) -> None:
        """Another deployment has no sandbox of an earlier one."""
        self.has_cohorts = bool(cohorts)
        share_jobs._known.clear()
        self.patch.setenv("CONCURRENT_JOBS", str(self.concurrent_jobs))
        aws.deploy(self.patch, cohorts=cohorts, **transcription)

    def set_ceilings(self, batch: str | None = None, day: str | None = None, *, cut: bool = False) -> None:
        """In USD; without one, that of every deployment."""
        self.patch.setenv("BATCH_CEILING_USD", batch or aws.ENVIRONMENT["BATCH_CEILING_USD"])
        self.patch.setenv("DAY_CEILING_USD", day or aws.ENVIRONMENT["DAY_CEILING_USD"])
        self.patch.setenv("ABOVE_BATCH_CEILING", "cut" if cut else "stop")

    def run(self, until: float = math.inf) -> None:
        """Until nothing is left to do, or the time has come.

        Raises:
            TimeoutError: it goes round in circles.
        """
        if not self.clock.run(until, MOST_TURNS):
            raise TimeoutError("nothing comes to an end")

    def calm(self) -> None:
        self.faults.are_over = True
        self.denied.clear()

    def note(self, text: str) -> None:
        self.log.append(f"{self.clock.now - BEGIN:9.1f} {text}")

    def __str__(self) -> str:
        text = "\n".join(self.log)
        for identifier, label in self._labels.items():
            text = text.replace(identifier, label)
        return text


# S3's own codes, and what is left of them in an answer without a body, as that to HeadObject is:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
OF_S3 = {"AccessDeniedException": ("AccessDenied", "403"), "ThrottlingException": ("SlowDown", "503")}


def code_of(service: str, operation: str, code: str) -> str:
    return OF_S3[code][operation.startswith("Head")] if service == "s3" else code


def service_of(call: str) -> str:
    return call.partition(" ")[0]


def _function(path: str) -> Callable[[Any, Any], Any]:
    """The function as it is at the time of the call, which a test may have changed."""
    module, _, name = path.rpartition(".")
    found = import_module(module)
    return lambda event, context: getattr(found, name)(event, context)


HANDLERS = {name: _function(path) for name, path in FUNCTIONS.items()}
HANDLERS |= {INGEST: _function("lambdas.ingest.handler"), SHARE_JOBS: _function("lambdas.share_jobs.handler")}
# CDK's own answer takes as long as a function.
_TIMEOUTS = {name: float(size.timeout.to_seconds()) for name, size in (("call", CALL), ("batch", BATCH))}
_BATCH_STEPS = {"PlanBatch", "PrepareDocuments", "CollectEntities", "IndexRecords", "SelectSeeds", "SummarizeBatch"}
SECONDS = {name: _TIMEOUTS["batch" if name in _BATCH_STEPS else "call"] for name in HANDLERS}


@contextmanager
def new_world(seed: int, without: Collection[str] = ()) -> Iterator[World]:
    """A world in which the functions see its time and its chance only."""
    chances = random.Random(seed)
    with (
        functions(lambda service, operation, parameters: world.answer(service, operation, parameters)) as patch,
        time_machine.travel(BEGIN, tick=False) as traveller,
    ):
        world = World(patch, seed, without, traveller.shift)
        patch.setattr(os, "urandom", chances.randbytes)
        patch.setattr(time, "monotonic", lambda: world.clock.now)
        patch.setattr(time, "sleep", lambda seconds: sleep(world, seconds))
        random.seed(seed)
        yield world


def sleep(world: World, seconds: float) -> None:
    if world.current:
        world.current.pause(seconds)
