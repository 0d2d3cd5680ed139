"""One schedule's world: buckets, services, executions, what people do, and what goes wrong."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from botocore import xform_name

from lambdas.shared.identity import media_id
from lambdas.shared.ledger_keys import INDEXES_KEY
from tests.interleavings.circumstances import CALL_FAULTS, REPEATED, Failure, Options
from tests.interleavings.decisions import FATE, FAULT, Decisions
from tests.interleavings.executions import UNFINISHED, Execution, Killed, Outage, StepFunctions
from tests.interleavings.scheduler import Actor, Move, Scheduler
from tests.interleavings.sharing import Call, Sharing, touches_of
from tests.simulation import aws
from tests.simulation.audiences import CleanRoomsML
from tests.simulation.aws import AUDIENCE, MEDIA, SUPPRESSION_KEY, Refused, functions
from tests.simulation.buckets import Buckets
from tests.simulation.jobs import ComprehendMedical, Transcribe
from tests.simulation.tables import Tables

OPERATOR = "operator"
# The execution that fails first.
FIRST = "E1"


class World:
    """`patch` changes what a deployment may change. `new_world` makes one."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        decisions: Decisions | None = None,
        sharing: Sharing | None = None,
        options: Options | None = None,
    ) -> None:
        self.patch, self.decisions, self.options = patch, decisions or Decisions(), options or Options()
        self.sharing = sharing or Sharing()
        self.scheduler = Scheduler(self.decisions, self.note)
        self.buckets = Buckets(self._written, by_content=self.options.etags_by_content)
        self.tables = Tables(self._goes_wrong)
        self.executions: dict[str, Execution] = {}
        self.transcribe = Transcribe(self.buckets, self.is_fated, late=self.options.reads_late)
        self.comprehend_medical = ComprehendMedical(self.buckets, self.is_fated)
        self.clean_rooms_ml = CleanRoomsML(self.buckets, self.is_fated)
        self._services: dict[str, Any] = {
            "s3": self.buckets,
            "dynamodb": self.tables,
            "stepfunctions": StepFunctions(self.executions, self.start),
            "transcribe": self.transcribe,
            "comprehendmedical": self.comprehend_medical,
            "cleanroomsml": self.clean_rooms_ml,
        }
        self.deploy()
        self.log: list[str] = []
        self._labels: dict[str, str] = {}
        self.doomed: set[str] = set()  # kinds of jobs that fail, whatever chance says
        self.suppressed: set[str] = set()
        self.departed: set[str] = set()  # who is to be forgotten
        self.forgotten: set[str] = set()  # of whom that was proven
        self.failure: Failure | None = None
        self.breaks: Callable[[Call], bool] = lambda call: False
        self._made: Counter[str] = Counter()
        self.failures: list[tuple[Failure, str]] = []  # those that may make a difference, and in which step

    # What happens on AWS

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        """A call of a client, in its turn."""
        act = getattr(self._services.get(service), xform_name(operation), None)
        if act is None:
            raise NotImplementedError(f"tests/interleavings has no fake of {operation} of {service}; write one")
        actor = self.scheduler.current
        if actor is None:
            return act(**parameters)
        call = Call(self._identity(actor), actor.step, service, operation, touches_of(service, operation, parameters))
        shared = self.sharing.is_shared(call)
        self.scheduler.reach(call, shared=shared)
        self._made[call.actor] += 1
        if call.actor == FIRST:
            self._learn_failures(call, shared=shared, first=actor.calls == 0)
        actor.calls += 1
        for touch in call.touches:
            self.sharing.touch(call.actor, touch.place, writes=touch.writes, lists=call.lists)
        if shared or self.sharing.is_shared(call):
            self.note(str(call))
        return self._make(call, lambda: act(**parameters))

    def _learn_failures(self, call: Call, *, shared: bool, first: bool) -> None:
        """A step that fails is repeated from its beginning, so only what it has written makes a difference."""
        if first:
            self.failures.append((Failure(FIRST, self._made[FIRST], after=False), call.step))
        if shared and call.writes:
            self.failures.append((Failure(FIRST, self._made[FIRST], after=True), call.step))

    def _make(self, call: Call, act: Callable[[], Any]) -> Any:
        failure = self.failure
        if self.breaks(call) or (failure and failure[:2] == (call.actor, self._made[call.actor])):
            if failure and failure.after and call.writes:
                act()
            self.note(f"** {call} fails for good")
            raise Outage
        if call.actor in self.executions and (kind := self._fault(call)):
            self.note(f"** {call}: {kind}")
            if kind == REPEATED:
                return self._repeat(call, act)
            if "after" in kind:
                act()
            raise Outage if "outage" in kind else Killed
        return act()

    def _fault(self, call: Call) -> str:
        kinds = [kind for kind in CALL_FAULTS if self.options.faults[kind] > 0 and (call.writes or kind != REPEATED)]
        chosen = self.decisions.decide(self.scheduler.tick, FAULT, len(kinds) + 1) if kinds else 0
        if not chosen:
            return ""
        self.options.faults[kinds[chosen - 1]] -= 1
        return kinds[chosen - 1]

    def _repeat(self, call: Call, act: Callable[[], Any]) -> Any:
        """The answer is lost, so the SDK makes the same call again; others may be at work in between.

        It gives a transaction a token, by which the service knows one that it has carried out:
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        lost = None
        with suppress(Refused):
            lost = act()
        self.scheduler.reach(call, shared=True)
        return act() if lost is None or call.operation != "TransactWriteItems" else lost

    def _goes_wrong(self, kind: str) -> bool:
        """Whether something is wrong with the call of an execution that the table is about to answer."""
        actor = self.scheduler.current
        if actor is None or self._identity(actor) not in self.executions or self.options.faults[kind] < 1:
            return False
        if not self.decisions.decide(self.scheduler.tick, FAULT, 2):
            return False
        self.options.faults[kind] -= 1
        self.note(f"** {kind}")
        return True

    def is_fated(self, kind: str) -> bool:
        """Whether a job is to end so this time."""
        if kind in self.doomed:
            return True
        if self.options.faults[kind] < 1 or not self.decisions.decide(self.scheduler.tick, FATE, 2):
            return False
        self.options.faults[kind] -= 1
        self.note(f"** {kind} fails")
        return True

    def calm(self) -> None:
        """From now on nothing goes wrong, and nobody does anything unforeseen."""
        self.options.faults.clear()
        self.doomed.clear()
        self.failure, self.breaks = None, lambda call: False
        self.scheduler.preemptions = 0
        self.scheduler.moves.clear()
        self.sharing.end()

    def _identity(self, actor: Actor) -> str:
        execution = self.executions.get(actor.name)
        return f"zombie of {actor.name}" if execution and execution.is_zombie(actor) else actor.name

    def act(self, name: str, work: Callable[[], None]) -> Actor:
        return self.scheduler.begin(name, work)

    def wrote(self, actor: str, place: str) -> None:
        self.sharing.touch(actor, place, writes=True)

    def _written(self, place: str) -> None:
        """By whoever is at work: a service writes when it is asked about its job."""
        actor = self.scheduler.current
        self.wrote(self._identity(actor) if actor else OPERATOR, place)

    def wait_for_rebuild(self, is_over: Callable[[], bool]) -> None:
        """As the state WaitForCohorts does: until something has changed, as there is no clock."""

        def state() -> tuple[Any, ...]:
            return self.tables.items.get(INDEXES_KEY), *(item.status for item in self.executions.values())

        before = state()
        self.scheduler.wait(lambda: is_over() or state() != before)

    # What people do

    def upload(self, key: str, *, consent: bool = False, body: bytes | None = None, sentences: int = 1) -> str:
        """A new version of a recording whose words are in no other; its URI."""
        name = key.rpartition("/")[2].partition(".")[0]
        number = self.buckets.next_number(MEDIA, key)
        said = (f"{name}-{number}-{part}-{'x' * 20} {name}-{number}-{part}-end." for part in range(sentences))
        metadata = {"audience-consent": "true"} if consent else {}
        version = self.buckets.put(MEDIA, key, " ".join(said).encode() if body is None else body, metadata)
        self._labels[media_id(MEDIA, key, {"VersionId": version.version_id})] = f"<{name} {version.version_id}>"
        return f"s3://{MEDIA}/{key}"

    def suppress(self, user_id: str) -> None:
        self.suppressed.add(user_id)
        there = self.buckets.current(AUDIENCE, SUPPRESSION_KEY)
        self.buckets.put(AUDIENCE, SUPPRESSION_KEY, (there.body if there else b"") + user_id.encode() + b"\n", {})

    def start(self, name: str, request: Mapping[str, Any]) -> Execution:
        self.note(f"-- {name} starts")
        self.executions[name] = Execution(self, name, request)
        return self.executions[name]

    def red(self, *names: str) -> Execution | None:
        """The first of these executions that has failed or was stopped."""
        found = (self.executions[name] for name in names if name in self.executions)
        return next((execution for execution in found if execution.status in UNFINISHED), None)

    def redrive(self, *names: str) -> None:
        if execution := self.red(*names):
            self.note(f"-- {execution.name} is redriven")
            execution.redrive()

    def stop(self, name: str) -> None:
        self.executions[name].stop()

    def deploy(self, *, cohorts: float = 0.0, **transcription: Any) -> None:
        self.has_cohorts = bool(cohorts)
        aws.deploy(self.patch, cohorts=cohorts, **transcription)

    def plan(self, moves: Iterable[Iterable[Move]], preemptions: int) -> None:
        """From now on several are at work."""
        self.scheduler.moves[:] = [deque(sequence) for sequence in moves]
        self.scheduler.preemptions = preemptions
        self.sharing.begin()

    def run(self) -> None:
        self.scheduler.run()

    def note(self, text: str) -> None:
        for identifier, label in self._labels.items():
            text = text.replace(identifier, label)
        self.log.append(f"{self.scheduler.tick:5} {text}")

    def __str__(self) -> str:
        return "\n".join(self.log)


@contextmanager
def new_world(
    decisions: Decisions | None = None, sharing: Sharing | None = None, options: Options | None = None
) -> Iterator[World]:
    with functions(lambda service, operation, parameters: world.answer(service, operation, parameters)) as patch:
        world = World(patch, decisions, sharing, options)
        try:
            yield world
        finally:
            world.scheduler.end()
