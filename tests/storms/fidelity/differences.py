"""What differs in two outcomes, each difference with its place."""

from collections.abc import Iterator
from typing import Any

MISSING = "nothing"


def differences(here: Any, there: Any, place: str = "") -> Iterator[str]:
    """Of documents of dicts and lists: `here` is the simulation's, `there` the local AWS's."""
    if isinstance(here, dict) and isinstance(there, dict):
        for name in sorted({*here, *there}, key=str):
            yield from differences(here.get(name, MISSING), there.get(name, MISSING), f"{place}/{name}")
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for number, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif here != there:
        yield f"{place}: {here} in the simulation, {there} on the local AWS"
