"""All schedules of a scenario, or some by chance; and one of them again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from tests.interleavings.circumstances import CALL_FAULTS, JOB_FAULTS, Failure, Options
from tests.interleavings.decisions import BUTTON, SWITCH, Decisions, Drawn, following, read_schedule
from tests.interleavings.scenarios import SCENARIOS, Scenario
from tests.interleavings.settling import broken_promises
from tests.interleavings.sharing import Sharing
from tests.interleavings.world import FIRST, World, new_world
from tests.simulation import tables
from tests.simulation.rest import RED, Violation

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# More than any schedule needs: chance, and whoever repeats a schedule, decide by themselves.
UNLIMITED = 1000
SEEDS = 40


class Case(NamedTuple):
    """What a schedule begins with. With the decisions made in it, written behind `str`, it can be repeated."""

    scenario: Scenario
    failure: Failure | None = None
    options: str = ""

    def __str__(self) -> str:
        failure = f"{self.failure.call}{' after' if self.failure.after else ''}" if self.failure else ""
        return f"{self.scenario.name}/{failure}/{self.options}"


class Ran(NamedTuple):
    case: Case
    world: World
    violations: list[Violation]

    @property
    def repeat(self) -> str:
        return f"{self.case}/{self.world.decisions}"


class Told(NamedTuple):
    """A schedule that violated something: what repeats it, what it violated, what happened."""

    repeat: str
    what: str
    log: str

    def __str__(self) -> str:
        return f"{self.what}\n{self.log}\n  again: make interleavings REPEAT={self.repeat!r}"


def run(case: Case, decisions: Decisions, sharing: Sharing, preemptions: int) -> Ran:
    """One schedule from its beginning to rest."""
    with new_world(decisions, sharing, Options.read(case.options)) as world:
        world.failure = case.failure
        try:
            case.scenario.begin(world)
            world.run()
            world.plan(case.scenario.moves(world), preemptions)
            world.run()
            found = broken_promises(world)
        except TimeoutError as error:
            found = [Violation(RED, str(error))]
    return Ran(case, world, found)


@dataclass
class Found:
    """Of many schedules: how many violated what, and the shortest of each kind."""

    schedules: int = 0
    violating: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    shortest: dict[str, Told] = field(default_factory=dict)

    def add(self, ran: Ran) -> None:
        self.schedules += 1
        self.violating += bool(ran.violations)
        log = str(ran.world)
        for kind in {violation.kind for violation in ran.violations}:
            self.kinds[kind] += 1
            if kind not in self.shortest or len(log) < len(self.shortest[kind].log):
                what = "\n".join(str(violation) for violation in ran.violations if violation.kind == kind)
                self.shortest[kind] = Told(ran.repeat, what, log)


def sweep(
    scenario: Scenario,
    preemptions: int,
    most: int | None = None,
    enough: Callable[[Found], bool] = lambda found: False,
    *,
    step: str | None = None,
    seeds: int = SEEDS,
) -> Found:
    """Some by chance, and then every schedule with so many preemptions; a failure of `FIRST` counts as one of them.

    At `most` so many of the latter, or until `enough` is found; failures in one `step` only, if that is given, and none
    if it is empty. Those by chance teach what is shared; it begins again when it has learnt of another place.
    """
    sharing, begun = Sharing(), time.process_time()
    lessons = Found()
    for seed in range(seeds):
        lessons.add(by_chance(scenario, seed, sharing))
    while True:
        found, known = deepcopy(lessons), len(sharing.forms)
        for ran in islice(all_schedules(scenario, sharing, preemptions, step), most):
            if len(sharing.forms) > known or enough(found):
                break
            found.add(ran)
        if len(sharing.forms) == known:
            found.seconds = time.process_time() - begun
            return found


def all_schedules(scenario: Scenario, sharing: Sharing, preemptions: int, step: str | None) -> Iterator[Ran]:
    """Those with few preemptions first, which is where most faults are found.

    A failure takes one of them. Of what is pressed at the end, every choice without any, and redrives with some.
    """
    undisturbed = run(Case(scenario), Decisions(), sharing, 0)
    failures: list[Failure | None] = [failure for failure, where in undisturbed.world.failures if step in (None, where)]
    if not step:
        failures.insert(0, None)
    for most in range(preemptions + 1):
        for failure in failures if most < preemptions else [failure for failure in failures if failure is None]:
            given: dict[str, int] | None = {}
            while given is not None:
                ran = run(Case(scenario, failure), Decisions(given), sharing, most)
                given = following(ran.world.decisions.trace, (SWITCH,) if most else (SWITCH, BUTTON))
                if ran.world.scheduler.preempted == most:  # else it was among those with fewer
                    yield ran


def by_chance(scenario: Scenario, seed: int, sharing: Sharing) -> Ran:
    """A schedule in which more may go wrong than in those of a sweep."""
    drawn = Drawn(seed)
    options = Options(drawn.random.random() < 0.5, drawn.random.random() < 0.2)
    for kind in (*CALL_FAULTS, *tables.FAULTS, *JOB_FAULTS):
        options.faults[kind] = int(drawn.random.random() < 0.3)
    return run(Case(scenario, None, str(options)), drawn, sharing, UNLIMITED)


def repeat(text: str) -> Ran:
    """The schedule that `Ran.repeat` names; whatever is known of shared places, every call may be one."""
    scenario, failure, options, schedule = text.split("/")
    call, _, after = failure.partition(" ")
    case = Case(BY_NAME[scenario], Failure(FIRST, int(call), bool(after)) if call else None, options)
    return run(case, Decisions(read_schedule(schedule)), Everything(), UNLIMITED)


class Everything(Sharing):
    def is_shared(self, call: object) -> bool:
        return True
