"""`python -m tests.interleavings`: every schedule of every scenario; ends with 1 if one of them violated a promise."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

# It makes the credentials up, and has to be first.
import tests.conftest  # noqa: F401
from tests.interleavings.scenarios import SCENARIOS
from tests.interleavings.sweep import BY_NAME, SEEDS, Found, repeat, sweep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interleavings", description=__doc__)
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="one of: " + ", ".join(s.name for s in SCENARIOS)
    )
    parser.add_argument(
        "--preemptions", type=int, default=2, metavar="N", help="how often one at work is made to wait, or fails"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="so many schedules by chance each, too")
    parser.add_argument("--repeat", metavar="SCHEDULE", help="run the schedule that was printed with a violation")
    arguments = parser.parse_args()
    if arguments.repeat:
        ran = repeat(arguments.repeat)
        print(ran.world, *ran.violations, sep="\n")
        return bool(ran.violations)
    names = [item.name for item in SCENARIOS if arguments.scenario in ("", item.name)]
    if not names:
        parser.error(f"there is no scenario {arguments.scenario!r}")
    schedules = violating = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found_by_each = pool.map(partial(found_in, arguments.preemptions, arguments.seeds), names)
        for name, found in zip(names, found_by_each, strict=True):
            schedules, violating = schedules + found.schedules, violating + found.violating
            kinds = ", ".join(f"{kind} {times}" for kind, times in found.kinds.most_common()) or "none violated"
            print(f"{name:15} {found.schedules:7} schedules {found.seconds:6.0f} s  {kinds}", flush=True)
            for told in found.shortest.values():
                print(told, flush=True)
    print(f"interleavings: {schedules} schedules of {len(names)} scenarios, {violating} violated a promise")
    return bool(violating)


def found_in(preemptions: int, seeds: int, name: str) -> Found:
    return sweep(BY_NAME[name], preemptions, seeds=seeds)


if __name__ == "__main__":
    sys.exit(main())
