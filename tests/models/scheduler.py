"""Schedules: which process goes next, and what goes wrong, decided at random or in every way within a bound.

A model asks `pick(options)` wherever the world could go on in several ways. Option 0 is what happens if nothing
interferes; each other one is a departure. Whoever finds a failing run can play it again from its departures.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

# Decision number and option, for every decision that wasn't option 0.
Departures = tuple[tuple[int, int], ...]
# The one method of a schedule that models know: which of so many options is taken.
Pick = Callable[[int], int]


class Replay:
    """Option 0 everywhere but at the `departures`; remembers how many options there were."""

    def __init__(self, departures: Departures = ()) -> None:
        self._departures = dict(departures)
        self.sizes: list[int] = []

    def pick(self, options: int) -> int:
        number = len(self.sizes)
        self.sizes.append(options)
        return self._departures.get(number, 0)


class Chance:
    """Departs with probability `restlessness`, reproducibly by `seed`; remembers where it departed."""

    def __init__(self, seed: int, restlessness: float = 0.25) -> None:
        self._random, self._restlessness = random.Random(seed), restlessness
        self._made = 0
        self.departures: Departures = ()

    def pick(self, options: int) -> int:
        number, self._made = self._made, self._made + 1
        if options == 1 or self._random.random() > self._restlessness:
            return 0
        option = self._random.randrange(1, options)
        self.departures += ((number, option),)
        return option


def explore(run: Callable[[Pick], Any], most: int, departures: Departures = ()) -> Iterator[tuple[Departures, Any]]:
    """Every run with at most `most` departures, each once, with what it came to."""
    replay = Replay(departures)
    yield departures, run(replay.pick)
    if len(departures) < most:
        first = departures[-1][0] + 1 if departures else 0
        for number in range(first, len(replay.sizes)):
            for option in range(1, replay.sizes[number]):
                yield from explore(run, most, (*departures, (number, option)))


def wander(run: Callable[[Pick], Any], seeds: range) -> Iterator[tuple[Departures, Any]]:
    """One random run for each seed; every third is calmer, since failures that take few steps hide in noise."""
    for seed in seeds:
        chance = Chance(seed, 0.08 if seed % 3 == 0 else 0.3)
        outcome = run(chance.pick)
        yield chance.departures, outcome
