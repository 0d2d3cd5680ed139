"""What is decided in a schedule, and how a schedule is written down so that it can be repeated.

A decision is named by the tick at which it is made, which doesn't depend on what is a place to switch. Nearly all are
0, "go on": a schedule is the others, as in `17s=1 42s=2`.
"""

import random
from collections.abc import Collection
from typing import NamedTuple

SWITCH, FATE, FAULT, BUTTON = "s", "j", "f", "b"


class Decision(NamedTuple):
    name: str
    kind: str
    options: int
    chosen: int


class Decisions:
    """Those that `given` names, and 0 for all others."""

    def __init__(self, given: dict[str, int] | None = None) -> None:
        self._given = given or {}
        self.trace: list[Decision] = []
        self._names: set[str] = set()

    def decide(self, tick: int, kind: str, options: int) -> int:
        if options < 2:
            return 0
        name = f"{tick}{kind}"
        while name in self._names:
            name += "+"
        self._names.add(name)
        chosen = self._choose(name, kind, options)
        self.trace.append(Decision(name, kind, options, chosen))
        return chosen

    def _choose(self, name: str, kind: str, options: int) -> int:
        return min(self._given.get(name, 0), options - 1)

    def __str__(self) -> str:
        return " ".join(f"{name}={chosen}" for name, _, _, chosen in self.trace if chosen)


class Drawn(Decisions):
    """By chance: mostly "go on", how often not is another chance."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        factor = self.random.choice((0.3, 1.0, 3.0))
        self._chances = {SWITCH: 0.12 * factor, FATE: 0.1, FAULT: 0.02 * factor, BUTTON: 0.5}

    def _choose(self, name: str, kind: str, options: int) -> int:
        if self.random.random() >= self._chances[kind]:
            return 0
        return self.random.randrange(1, options)


def read_schedule(text: str) -> dict[str, int]:
    """The decisions in what `str` of some gave."""
    return {name: int(chosen) for name, _, chosen in (item.partition("=") for item in text.split())}


def following(trace: list[Decision], kinds: Collection[str]) -> dict[str, int] | None:
    """The next schedule after this one, of all that differ in decisions of these kinds; None after the last."""
    for number in range(len(trace) - 1, -1, -1):
        last = trace[number]
        if last.kind in kinds and last.chosen + 1 < last.options:
            kept = {decision.name: decision.chosen for decision in trace[:number] if decision.chosen}
            return kept | {last.name: last.chosen + 1}
    return None
