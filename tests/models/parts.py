"""What a world is made of: versions, scenarios, jobs, records, executions and the Lambdas that run their steps."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Call = Callable[[], Any]
Step = Generator[Call, Any, Any]
State = dict[str, Any]


class Refused(Exception):
    """A condition of a write wasn't met."""


class TakenOver(Exception):
    """Another execution may have taken recordings of this one; its claims must be looked at again."""


class Version(NamedTuple):
    """A version of an object. Its transcript has the same name; its documents are looked at for money."""

    name: str
    consent: bool = True
    documents: int = 1
    # The rules of a cohort that it meets.
    meets: frozenset[str] = frozenset({"old", "new"})

    def document_names(self) -> list[str]:
        return [f"{self.name}.{number}" for number in range(self.documents)]


class Scenario(NamedTuple):
    """`events` happen in this order: ("start", execution, objects), ("upload", object, version), ("rebuild",).

    ("drop", execution, object, version) is an upload and its execution. After ("settle",) the next event comes when
    nothing else is left to do, unless the schedule departs.
    """

    name: str
    first: dict[str, Version]
    events: tuple[tuple[Any, ...], ...]


@dataclass
class Job:
    """An entity detection job of the service. `outputs` are the documents that it has looked at, and charges."""

    documents: list[str]
    status: str = "running"
    outputs: list[str] = field(default_factory=list)


@dataclass
class Records:
    """An object's records in S3."""

    etag: int
    version: str
    complete: bool
    by: str


@dataclass
class Execution:
    """One execution of the state machine. `invocation` is the Lambda whose answer it waits for."""

    name: str
    objects: tuple[str, ...]
    status: str = "RUNNING"
    step: str = "plan"
    state: State = field(default_factory=dict)
    redrives: int = 0
    # Whether it has looked at its claims since it was last started.
    at_work: bool = False
    invocation: "Invocation | None" = None


class Invocation:
    """A Lambda's run of a step, about to make its next call. One that was stopped runs on with no one waiting."""

    def __init__(self, what: str, step: Step) -> None:
        self.what, self._step = what, step
        self.answer: Any = None
        self.over = False
        self._call: Call | None = None
        self._resume(lambda: next(step))

    def go_on(self, twice: bool = False) -> None:
        assert self._call
        try:
            result = self._call()
            if twice:
                result = self._call()
        except Refused as refused:
            error = refused
            self._resume(lambda: self._step.throw(error))
        else:
            self._resume(lambda: self._step.send(result))

    def _resume(self, how: Callable[[], Call]) -> None:
        try:
            self._call = how()
        except StopIteration as end:
            self.over, self.answer = True, end.value
        except TakenOver as taken:
            self.over, self.answer = True, taken


class Steps(Protocol):
    """The protocol under test: the steps of an execution."""

    def plan(self, me: str, objects: tuple[str, ...]) -> Step: ...
    def prepare(self, me: str, state: State) -> Step: ...
    def start(self, me: str, state: State) -> Step: ...
    def collect(self, me: str, state: State) -> Step: ...
    def rebuild(self) -> Step: ...
    def problems(self, at_the_end: bool) -> list[str]: ...


def next_step(step: str, state: State) -> str:
    if step == "plan":
        return "prepare"
    if step == "prepare":
        return "start" if state["jobs"] else "collect" if state["mine"] else "end"
    return {"start": "wait", "collect": "end"}[step]
