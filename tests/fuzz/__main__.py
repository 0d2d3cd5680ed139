"""`python -m tests.fuzz`: damage the corpus's recordings for a while and read their headers; ends with 1 if a promise
was broken, with the seed that breaks it again (`--seed SEED --count 1`)."""

import argparse
import itertools
import sys
import time
from random import SystemRandom

from rich.console import Console

from tests.fuzz.mutations import case
from tests.fuzz.promises import broken

# Three times the goal of benchmark 13: less could be the machine's doing.
MOST_SECONDS = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, metavar="N", help="how long (1)")
    parser.add_argument("--count", type=int, metavar="N", help="how many recordings at most")
    parser.add_argument("--seed", type=int, help="of the first; the others have the numbers after it (any)")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    first = SystemRandom().randrange(10**9) if arguments.seed is None else arguments.seed
    deadline = time.monotonic() + 60 * arguments.minutes
    tried = wrong = most_reads = most_bytes = 0
    longest, slowest = 0.0, first
    for seed in itertools.count(first):
        if tried == arguments.count or time.monotonic() > deadline:
            break
        damaged = case(seed)
        begin = time.process_time()
        problem = broken(damaged)
        seconds = time.process_time() - begin
        if problem is None and seconds > MOST_SECONDS:
            problem = f"{damaged}: took {seconds:.1f} s of the processor"
        tried += 1
        most_reads, most_bytes = max(most_reads, damaged.source.reads), max(most_bytes, damaged.source.bytes)
        if seconds > longest:
            longest, slowest = seconds, seed
        if problem:
            wrong += 1
            console.print(problem, markup=False, style="red", soft_wrap=True)
    console.print(
        f"fuzz: {tried} recordings from seed {first} on, {wrong} wrong; at most {most_reads} reads, "
        f"{most_bytes / (1 << 20):.1f} MiB, {longest:.2f} s of the processor (seed {slowest})",
        soft_wrap=True,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
