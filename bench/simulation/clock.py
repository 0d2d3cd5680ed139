"""Virtual time: processes are generators that yield the seconds that they sleep, or what they wait for."""

import heapq
import math
from collections.abc import Callable, Generator
from itertools import count
from typing import Any, NamedTuple


class Gate:
    """Processes wait at a gate until it opens; it stays open."""

    def __init__(self) -> None:
        self.is_open = False
        self.waiting: list[tuple[Process, int]] = []


class Until(NamedTuple):
    """A gate, and the seconds after which a process goes on although it is closed."""

    gate: Gate
    seconds: float


Steps = Generator["float | Gate | Until", None, Any]


class Process:
    """A running generator; `ended` is called with its result, unless it was stopped before.

    `turn` counts its steps, so that only the first of two things that it waited for lets it go on.
    """

    __slots__ = ("ended", "steps", "turn")

    def __init__(self, steps: Steps, ended: Callable[[Any], None] | None) -> None:
        self.steps: Steps | None = steps
        self.ended = ended
        self.turn = 0

    def stop(self) -> None:
        """Never resume the generator."""
        self.steps = None


class Clock:
    """Runs processes in the order of their times; at the same time, in the order in which they were begun.

    `now` is in seconds since the epoch, like `time.time()`.
    """

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now
        self._agenda: list[tuple[float, int, Process, int]] = []
        self._tick = count()

    def time(self) -> float:
        return self.now

    def begin(self, steps: Steps, ended: Callable[[Any], None] | None = None, after: float = 0.0) -> Process:
        process = Process(steps, ended)
        self._put(process, after)
        return process

    def open(self, gate: Gate) -> None:
        gate.is_open = True
        for process, turn in gate.waiting:
            if process.turn == turn:
                self._put(process, 0.0)
        gate.waiting.clear()

    def run(self, until: float = math.inf, turns: float = math.inf) -> bool:
        """Run until no process is left, or the time has come; False after so many turns of processes."""
        agenda, pop = self._agenda, heapq.heappop
        while agenda and agenda[0][0] <= until:
            if turns <= 0:
                return False
            turns -= 1
            moment, _, process, turn = pop(agenda)
            if process.steps is None or process.turn != turn:
                continue
            self.now = moment
            process.turn += 1
            try:
                step = next(process.steps)
            except StopIteration as end:
                process.steps = None
                if process.ended:
                    process.ended(end.value)
                continue
            if type(step) is float or type(step) is int:
                self._put(process, step)
                continue
            gate, seconds = step if isinstance(step, Until) else (step, None)
            assert isinstance(gate, Gate)
            if gate.is_open:
                self._put(process, 0.0)
                continue
            gate.waiting.append((process, process.turn))
            if seconds is not None:
                self._put(process, seconds)
        if until < math.inf:
            self.now = max(self.now, until)
        return True

    def _put(self, process: Process, after: float) -> None:
        heapq.heappush(self._agenda, (self.now + after, next(self._tick), process, process.turn))
