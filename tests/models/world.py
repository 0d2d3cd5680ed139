"""The world around the protocol: recordings, executions, Comprehend Medical, the records in S3, and what interferes.

A step of an execution is a generator that yields each of its calls to a shared thing as a function. Between any two of
them anything may happen: another step goes on, a recording is replaced, a job ends, the step's Lambda dies (a lost
answer is a death after the call), the execution is stopped while its Lambda runs on, it is redriven, the SDK sends a
call twice because the first answer was lost.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from tests.models.parts import (
    Execution,
    Invocation,
    Job,
    Records,
    Refused,
    Scenario,
    Steps,
    TakenOver,
    Version,
    next_step,
)
from tests.models.scheduler import Pick

# How often a Lambda dies or is stopped in a run at the most, and more redrives than that makes necessary.
MOST_DEATHS = 6
ENOUGH_REDRIVES = 12
# A run that goes on for longer never ends.
MOST_MOVES = 3000
# The execution that comes when all is over, and that nothing disturbs.
LAST = "last"


class World:
    """Everything that is shared, and the loop that lets it go on as `pick` decides."""

    def __init__(self, scenario: Scenario, pick: Pick) -> None:
        self.pick = pick
        self.media = dict(scenario.first)
        self.versions = {version.name: version for version in scenario.first.values()}
        self.versions |= {event[-1].name: event[-1] for event in scenario.events if event[0] in ("upload", "drop")}
        self.jobs: dict[str, Job] = {}
        self.records: dict[str, Records] = {}
        self.executions: dict[str, Execution] = {}
        self.told: dict[str, list[str]] = {}
        self._events = list(scenario.events)
        self._invocations: list[Invocation] = []
        self._current: Invocation | None = None
        self._calls = 0
        self._deaths = 0
        self._moves = 0
        self._robbed: set[str] = set()
        self._uploads = Counter(version.name for version in scenario.first.values())

    # What steps call.

    def describe(self, execution: str) -> str:
        return self.executions[execution].status

    def goes_on(self, execution: str) -> None:
        """It has told whoever would take its recordings over that it works on them."""
        one = self.executions[execution]
        one.at_work = one.status == "RUNNING"

    def taken_from(self, execution: str) -> None:
        if self.executions[execution].at_work:
            self._robbed.add(execution)

    def find_job(self, base: str) -> tuple[str, Job | None]:
        """The name of the attempt that counts, and the job of that name: the first that hasn't failed."""
        attempt = 1
        while (name := f"{base}-{attempt}") in self.jobs and self.jobs[name].status == "failed":
            attempt += 1
        job = self.jobs.get(name)
        return name, job and Job(list(job.documents), job.status, list(job.outputs))

    def start_job(self, name: str, documents: list[str]) -> str:
        """The request token is made of the name: the same start is the same job."""
        self.jobs.setdefault(name, Job(list(documents)))
        return name

    def head_records(self, name: str) -> Records | None:
        there = self.records.get(name)
        return there and replace(there)

    def put_records(self, name: str, seen: Records | None, version: str, complete: bool, by: str) -> None:
        there = self.records.get(name)
        if (there and there.etag) != (seen and seen.etag):
            raise Refused
        self._calls += 1
        self.records[name] = Records(self._calls, version, complete, by)

    # The loop.

    def run(self, steps: Steps) -> list[str]:
        """Until nothing is left to do; then a last execution over everything. What is wrong by then, in words."""
        self._steps = steps
        early: list[str] = []
        if self._go_until_still():
            # The last execution would mend it.
            early = steps.problems(at_the_end=False)
            self.pick = lambda options: 0
            self._start(LAST, tuple(self.media))
        if not self._go_until_still():
            return ["it never ends"]
        return [*early, *self._problems(), *steps.problems(at_the_end=True)]

    def _go_until_still(self) -> bool:
        """Whether there is nothing left to do before the patience is."""
        while options := self._options():
            self._moves += 1
            if self._moves > MOST_MOVES:
                return False
            options[self.pick(len(options))]()
            self._settle()
        return True

    def _options(self) -> list[Callable[[], None]]:
        """What may happen now; first what happens if nothing interferes."""
        current = self._current if self._current in self._invocations else None
        runnable = ([current] if current else []) + [one for one in self._invocations if one is not current]
        options: list[Callable[[], None]] = [lambda one=one: self._go_on(one) for one in runnable]  # type: ignore[misc]
        late = [self._next_event] if self._events else []
        if self._events and self._events[0] != ("settle",):
            options.append(late.pop())
        running = [job for job in self.jobs.values() if job.status == "running"]
        options += [lambda job=job: self._end(job, "completed") for job in running]  # type: ignore[misc]
        options += [
            lambda one=one: self._redrive(one)  # type: ignore[misc]
            for one in self.executions.values()
            if one.status in ("FAILED", "ABORTED") and one.redrives < ENOUGH_REDRIVES
        ]
        options += late
        if not options:
            return []
        for job in running:
            options.append(lambda job=job: self._end(job, "failed"))  # type: ignore[misc]
            options.append(lambda job=job: self._end(job, "partial"))  # type: ignore[misc]
        if current:
            options.append(lambda: self._go_on(current, twice=True))
            if self._deaths < MOST_DEATHS:
                options.append(lambda: self._die(current))
                if self._owner(current):
                    options.append(lambda: self._stop(current))
        return options

    def _go_on(self, invocation: Invocation, twice: bool = False) -> None:
        self._current = invocation
        invocation.go_on(twice)

    def _next_event(self) -> None:
        kind, *details = self._events.pop(0)
        if kind == "settle":
            self._next_event()
        elif kind == "start":
            self._start(*details)
        elif kind == "upload":
            self._upload(*details)
        elif kind == "drop":
            execution, name, version = details
            self._upload(name, version)
            self._start(execution, (name,))
        else:
            self._current = Invocation(kind, self._steps.rebuild())
            self._invocations.append(self._current)

    def _upload(self, name: str, version: Version) -> None:
        self.media[name] = version
        self._uploads[version.name] += 1

    def _start(self, name: str, objects: tuple[str, ...]) -> None:
        self.executions[name] = Execution(name, objects)
        self._invoke(self.executions[name])

    def _invoke(self, execution: Execution) -> None:
        if execution.step == "wait":
            return
        method = getattr(self._steps, execution.step)
        argument = execution.objects if execution.step == "plan" else execution.state
        execution.invocation = Invocation(execution.step, method(execution.name, argument))
        self._invocations.append(execution.invocation)
        self._current = execution.invocation

    def _end(self, job: Job, status: str) -> None:
        """Of a partial success the last document has no output, and isn't charged."""
        job.status = status
        job.outputs = {"completed": job.documents, "partial": job.documents[:-1], "failed": []}[status]

    def _redrive(self, execution: Execution) -> None:
        execution.status = "RUNNING"
        execution.redrives += 1
        self._invoke(execution)

    def _die(self, invocation: Invocation) -> None:
        self._deaths += 1
        self._invocations.remove(invocation)
        if owner := self._owner(invocation):
            owner.status, owner.invocation, owner.at_work = "FAILED", None, False
        elif invocation.what == "rebuild":
            self._events.insert(0, ("rebuild",))

    def _stop(self, invocation: Invocation) -> None:
        owner = self._owner(invocation)
        assert owner
        self._deaths += 1
        owner.status, owner.invocation, owner.at_work = "ABORTED", None, False

    def _owner(self, invocation: Invocation) -> Execution | None:
        return next((one for one in self.executions.values() if one.invocation is invocation), None)

    def _settle(self) -> None:
        """Let executions go on whose Lambda has answered or whose jobs have ended."""
        for invocation in [one for one in self._invocations if one.over]:
            self._invocations.remove(invocation)
            if owner := self._owner(invocation):
                owner.invocation = None
                if isinstance(invocation.answer, TakenOver):
                    owner.step = "prepare"
                else:
                    owner.state = {**owner.state, **invocation.answer}
                    owner.step = next_step(owner.step, owner.state)
                self._go_to(owner)
        for execution in self.executions.values():
            if execution.status == "RUNNING" and execution.step == "wait":
                statuses = {self.jobs[name].status for name in execution.state["watched"]}
                if "running" not in statuses:
                    execution.step = "start" if "failed" in statuses else "collect"
                    self._invoke(execution)

    def _go_to(self, execution: Execution) -> None:
        if execution.step == "end":
            execution.status, execution.at_work = "SUCCEEDED", False
            for version, outcome in execution.state["outcomes"].items():
                if outcome == "transcribed":
                    self.told.setdefault(version, []).append(execution.name)
        else:
            self._invoke(execution)

    def _problems(self) -> list[str]:
        problems = [f"{one.name} never ends" for one in self.executions.values() if one.status != "SUCCEEDED"]
        problems += [f"recordings were taken from {name} while it worked" for name in sorted(self._robbed)]
        charged = Counter(document for job in self.jobs.values() for document in job.outputs)
        problems += [f"{document} is paid {times} times" for document, times in charged.items() if times > 1]
        for name, version in self.media.items():
            if version.documents:
                there = self.records.get(name)
                if not (there and there.version == version.name and there.complete):
                    problems.append(f"{version.name} is lost: {there}")
                # What became current again may have been committed by a Lambda whose execution had given it up by then.
                if self._uploads[version.name] == 1 and version.name not in self.told:
                    problems.append(f"{version.name} is told by nobody")
        # A version that was made current again is transcribed again, at no price.
        problems += [
            f"{name} is told by {tellers}" for name, tellers in self.told.items() if len(tellers) > self._uploads[name]
        ]
        for one in self.executions.values():
            if one.status == "SUCCEEDED" and len(one.state["outcomes"]) != len(one.objects):
                problems.append(f"{one.name} tells {one.state['outcomes']} of {one.objects}")
        return problems
