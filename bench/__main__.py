"""Runs the benchmarks of docs/performance.md, each against its peer, measured or simulated.

python -m bench [NUMBER ...]
"""

import argparse
import importlib
import os
import sys
import time

from bench.simulation.assumptions import describe
from bench.table import Row, as_table, verdict

# Importing the functions creates clients, which need a Region.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

MODULES = {
    "bench.cold_start": ("1", "2"),
    "bench.asset": ("3",),
    "bench.simulation.detection": ("4", "5"),
    "bench.simulation.drop": ("6", "7", "8"),
    "bench.data_path": ("9", "10"),
    "bench.synth": ("11",),
    "bench.local_pipeline": ("12",),
    "bench.media_headers": ("13",),
    "bench.set_up": ("14",),
    "bench.select_seeds": ("17",),
    "bench.simulation.million": ("18",),
    "bench.largest_batch": ("19",),
    "bench.forget": ("20",),
}
NUMBERS = [number for numbers in MODULES.values() for number in numbers]


def unmeasured(number: str, error: Exception) -> Row:
    """The row of a benchmark that failed: it isn't met, and the others still run."""
    return Row(number, f"not measured: {type(error).__name__}: {error}", "", "", "", "", "", met=False)


def measure(wanted: set[str]) -> list[Row]:
    found: list[Row] = []
    for name, numbers in MODULES.items():
        if not wanted.intersection(numbers):
            continue
        begun = time.monotonic()
        try:
            found += [row for row in importlib.import_module(name).rows() if row.number in wanted]
        except Exception as error:
            found += [unmeasured(number, error) for number in numbers if number in wanted]
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return sorted(found, key=lambda row: int(row.number))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The benchmarks of docs/performance.md.")
    parser.add_argument("numbers", nargs="*", metavar="NUMBER", help=f"of {', '.join(NUMBERS)}; all without any")
    numbers = parser.parse_args(arguments).numbers
    if unknown := [number for number in numbers if number not in NUMBERS]:
        parser.error(f"{unknown[0]!r} is no benchmark; they have the numbers {', '.join(NUMBERS)}.")
    rows = measure(set(numbers or NUMBERS))
    print(describe(), end="\n\n")
    print(as_table(rows))
    print(verdict(rows))


if __name__ == "__main__":
    main()
