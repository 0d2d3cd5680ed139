"""Virtual time: processes are generators that yield the seconds that they sleep, or the gate that they wait at."""

import heapq
from collections.abc import Callable, Generator
from itertools import count
from typing import Any


class Gate:
    """Processes wait at a gate until it opens; it stays open."""

    def __init__(self) -> None:
        self.is_open = False
        self.waiting: list[Process] = []


Steps = Generator["float | Gate", None, Any]


class Process:
    """A running generator; `ended` is called with its result, unless it was stopped before."""

    def __init__(self, steps: Steps, ended: Callable[[Any], None] | None) -> None:
        self.steps: Steps | None = steps
        self.ended = ended

    def stop(self) -> None:
        """Never resume the generator."""
        self.steps = None


class Clock:
    """Runs processes in the order of their times; at the same time, in the order in which they were begun.

    `now` is in seconds since the epoch, like `time.time()`.
    """

    def __init__(self) -> None:
        self.now = 1_000_000_000.0
        self._agenda: list[tuple[float, int, Process]] = []
        self._tick = count()

    def time(self) -> float:
        return self.now

    def begin(self, steps: Steps, ended: Callable[[Any], None] | None = None, after: float = 0.0) -> Process:
        process = Process(steps, ended)
        self._put(process, after)
        return process

    def open(self, gate: Gate) -> None:
        gate.is_open = True
        for process in gate.waiting:
            self._put(process, 0.0)
        gate.waiting.clear()

    def run(self) -> None:
        """Run until no process is left."""
        while self._agenda:
            self.now, _, process = heapq.heappop(self._agenda)
            if process.steps is None:
                continue
            try:
                step = next(process.steps)
            except StopIteration as end:
                process.steps = None
                if process.ended:
                    process.ended(end.value)
                continue
            if isinstance(step, Gate):
                if step.is_open:
                    self._put(process, 0.0)
                else:
                    step.waiting.append(process)
            else:
                self._put(process, step)

    def _put(self, process: Process, after: float) -> None:
        heapq.heappush(self._agenda, (self.now + after, next(self._tick), process))
