"""Lambda: a function at work in a greenlet, each of whose calls takes time, and which may end in the middle of one."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import greenlet  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError

from bench.simulation.clock import Clock, Gate, Steps
from bench.simulation.definition import TaskError
from tests.storms.faults import UNANSWERED, UNDELIVERED, Fault, Faults, chance

# What Step Functions sees of a function that is gone, that has run out of time, and of a Lambda that doesn't answer.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
GONE, TIMED_OUT, NO_ANSWER = "Runtime.ExitError", "Sandbox.Timedout", "Lambda.ServiceException"
# Seconds of a call: most are quick, and some functions are slow as a whole, so that others overtake them.
PACES = (0.02, 0.2, 0.2, 4.0)
# How many seconds a function's clock is ahead: most are right.
SKEWS = (*(0.0,) * 8, -60.0, 60.0)


class ConnectionLost(BotoCoreError):
    """The SDK has given up."""

    fmt = "the connection is lost"


class World(Protocol):
    clock: Clock
    faults: Faults
    seed: int
    current: "Invocation | None"

    def note(self, text: str) -> None: ...

    @property
    def watch(self) -> "Watch": ...

    def at_this_moment(self) -> None:
        """Let the functions see the clock's time."""
        ...


class Watch(Protocol):
    def state(self, text: str) -> None: ...


class Invocation:
    """`ended` opens when the function is over for its caller; `failure` is the name of its error then."""

    def __init__(
        self, world: World, name: str, work: Callable[[], Any], seconds: float, fault: Fault | None = None
    ) -> None:
        self.name, self.fault, self.calls = name, fault, 0
        # The number of the call that the fault strikes, if it fits that one.
        self.struck_at = fault.call if fault else 0
        self.ended = Gate()
        self.failure, self.returned = "", ""
        self.began_at = world.clock.now
        self.is_dead = False
        self._world, self._work = world, work
        self._drawn = chance(world.seed, name)
        self._pace, self.skew = self._drawn.choice(PACES), self._drawn.choice(SKEWS)
        self._greenlet = greenlet.greenlet(self._run)
        self._ends_at = world.clock.now + seconds
        if self.fault and self.fault.kind == UNDELIVERED:
            self._fail(NO_ANSWER)
            self.ended.is_open = True
        else:
            self._go_on_after(0.0)

    def pause(self, seconds: float | None = None) -> None:
        """Let others be at work, for as long as a call takes. A function that runs out of time ends there."""
        seconds = self._drawn.random() * self._pace if seconds is None else seconds
        left = self._ends_at - self._world.clock.now
        if seconds >= left:
            self._world.clock.begin(self._time_out(), after=max(0.0, left))
        else:
            self._go_on_after(seconds)
        self._greenlet.parent.switch()

    def die(self, failure: str = GONE) -> None:
        """Nothing that it would still do is done."""
        self.is_dead, self.failure = True, failure
        raise greenlet.GreenletExit

    def end(self) -> None:
        """It is gone where it is; what it would do finally isn't done."""
        self.is_dead = True
        self._world.current = self
        try:
            self._greenlet.throw(greenlet.GreenletExit)
        finally:
            self._world.current = None

    def _time_out(self) -> Steps:
        self.failure = TIMED_OUT
        self.end()
        self._world.clock.open(self.ended)
        return
        yield 0.0

    def _go_on_after(self, seconds: float) -> None:
        self._world.clock.begin(self._go_on(), after=seconds)

    def _go_on(self) -> Steps:
        if not self.is_dead:
            world = self._world
            world.current = self
            world.at_this_moment()
            try:
                self._greenlet.switch()
            finally:
                world.current = None
            if self._greenlet.dead:
                if self.fault and self.fault.kind == UNANSWERED:
                    self._fail(NO_ANSWER)
                world.clock.open(self.ended)
        return
        yield 0.0

    def _fail(self, failure: str) -> None:
        if self.fault:
            self._world.faults.strikes(self.fault)
            self._world.note(f"** {self.fault}")
        self.is_dead, self.failure = True, failure

    def _run(self) -> None:
        try:
            self.returned = json.dumps(self._work())
            self._world.watch.state(self.returned)
        except (AttributeError, NameError, NotImplementedError):
            raise  # the harness's own, or a mutation's
        except Exception as error:
            self.failure = type(error).__name__
            self._world.watch.state(str(error))


class Lambda:
    """Invokes functions by the names of their steps; `seconds` are their timeouts."""

    def __init__(self, world: World, handlers: Mapping[str, Callable[[Any, Any], Any]], seconds: Mapping[str, float]):
        self._world, self._handlers, self._seconds = world, handlers, seconds
        self._numbers: Counter[str] = Counter()
        # Is called with the step of each function that begins.
        self.seen: Callable[[str], None] = lambda step: None

    def begin(self, step: str, who: str, event: Any) -> Invocation:
        handler, text = self._handlers[step], json.dumps(event)
        self.seen(step)
        seconds = self._seconds[step]
        name = self.named(step, who)
        fault = self._world.faults.of_function(name)
        return Invocation(self._world, name, lambda: handler(json.loads(text), Context(seconds)), seconds, fault)

    def named(self, step: str, who: str) -> str:
        what = f"{who} {step}"
        self._numbers[what] += 1
        return f"{what} {self._numbers[what]}"

    def call(self, step: str, who: str, event: Any) -> Steps:
        """The function's answer.

        Raises:
            TaskError: the function's error, or Lambda's.
        """
        invocation = self.begin(step, who, event)
        yield invocation.ended
        if invocation.failure:
            self._world.note(f"   {invocation.name} failed with {invocation.failure}")
            raise TaskError(invocation.failure)
        return json.loads(invocation.returned)


class Context:
    """Lambda's context of an invocation, which has time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)
