"""`python -m tests.models [RANDOM_RUNS [DEPARTURES]]`: the protocol at length, whole and less each condition."""

import sys
import time

from tests.models.ledger import CONDITIONS
from tests.models.runs import failures
from tests.models.scenarios import SCENARIOS


def main() -> int:
    random_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    departures = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    wrong = 0
    for scenario in SCENARIOS:
        began, count, found = time.monotonic(), 0, None
        for found in failures(scenario, departures, range(random_runs)):
            count += 1
            if found:
                break
        wrong += bool(found)
        print(f"{scenario.name}: {count} runs, {time.monotonic() - began:.0f} s: {found or 0}")
    for condition in CONDITIONS:
        caught = {}
        for scenario in SCENARIOS:
            for number, found in enumerate(failures(scenario, 1, range(random_runs), (condition,)), 1):
                if found:
                    caught[scenario.name] = f"run {number}, {found.problems[0]}"
                    break
        wrong += not caught
        print(f"without {condition!r}: {caught or 'NOT CAUGHT'}", flush=True)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
