"""The rows of the table of measurements, and its output."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """`number` is the benchmark's, `limit` is the best that any design could reach; values are texts with units."""

    number: str
    what: str
    ours: str
    peer: str
    ratio: str
    limit: str
    goal: str
    met: bool


HEADINGS = Row("#", "what", "ours", "peer", "ratio", "limit", "goal", met=False)


def as_table(rows: Iterable[Row]) -> str:
    """The rows under their headings, in columns as wide as they need."""
    lines = [(*HEADINGS[:-1], "met")]
    lines += [(*row[:-1], "yes" if row.met else "NO") for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def verdict(rows: Sequence[Row]) -> str:
    """How many benchmarks are met; one with several rows is met only if all of them are."""
    numbers = {row.number for row in rows}
    missed = {row.number for row in rows if not row.met}
    return f"bench: {len(numbers - missed)} of {len(numbers)} met"
