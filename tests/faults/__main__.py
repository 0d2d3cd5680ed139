"""`python -m tests.faults`: run the whole fault matrix and print it; ends with 1 if anything was lost."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial

from rich.console import Console

from tests.faults.job_failures import job_failures, run_job_failure
from tests.faults.matrix import Verdict, calls_made, cases_of, run_case
from tests.faults.object_faults import object_cases, run_object_case
from tests.faults.takeovers import run_takeover, takeovers
from tests.faults.world import world


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose description contains this")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth of them")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    outcomes: Counter[str] = Counter()
    with world() as running:
        runs: list[tuple[str, Callable[[], Verdict]]] = [
            *((str(case), partial(run_case, running, case)) for case in cases_of(calls_made(running))),
            *((str(case), partial(run_object_case, running, case)) for case in object_cases()),
            *((str(takeover), partial(run_takeover, running, takeover)) for takeover in takeovers()),
            *((str(failure), partial(run_job_failure, running, failure)) for failure in job_failures()),
        ]
        chosen = [run for name, run in runs if arguments.only in name][:: arguments.every]
        for number, run in enumerate(chosen, 1):
            verdict = run()
            outcomes[verdict.outcome] += 1
            line = f"{number:4}/{len(chosen)} {verdict.seconds:5.1f} s  {verdict.outcome:20} {verdict.case}"
            console.print(line, markup=False, soft_wrap=True)
            for problem in verdict.problems:
                console.print(f"        {problem}", markup=False, style="red", soft_wrap=True)
    console.print(
        f"faults: {outcomes.total()} cases, {outcomes['survived alone']} survived alone, "
        f"{outcomes['after redrive']} after redrive, {outcomes['after new execution']} after new execution, "
        f"{outcomes['lost']} lost",
        soft_wrap=True,
    )
    return 1 if outcomes["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
