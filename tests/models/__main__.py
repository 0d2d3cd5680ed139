"""`python -m tests.models [RANDOM_RUNS [DEPARTURES]]`: both protocols at length, whole and less each condition."""

import sys
import time

from tests.models.claims_on_s3 import CONDITIONS as ON_S3
from tests.models.claims_on_s3 import ClaimsOnS3
from tests.models.ledger import CONDITIONS as OF_LEDGER
from tests.models.ledger import Ledger
from tests.models.runs import failures, scenarios_of


def main() -> int:
    random_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    departures = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    wrong = 0
    for protocol, conditions in ((Ledger, OF_LEDGER), (ClaimsOnS3, ON_S3)):
        for scenario in scenarios_of(protocol):
            began, count, found = time.monotonic(), 0, None
            for found in failures(protocol, scenario, departures, range(random_runs)):
                count += 1
                if found:
                    break
            wrong += bool(found)
            print(f"{protocol.__name__}, {scenario.name}: {count} runs, {time.monotonic() - began:.0f} s: {found or 0}")
        for condition in conditions:
            caught = {}
            for scenario in scenarios_of(protocol):
                for number, found in enumerate(failures(protocol, scenario, 1, range(random_runs), (condition,)), 1):
                    if found:
                        caught[scenario.name] = f"run {number}, {found.problems[0]}"
                        break
            wrong += not caught
            print(f"{protocol.__name__} without {condition!r}: {caught or 'NOT CAUGHT'}", flush=True)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
