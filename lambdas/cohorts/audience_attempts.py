"""The attempts at one audience or export: how each is named, and which of those that exist is the one to go on with."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import digest

MAXIMUM_ATTEMPTS = 9999


def name_of(*parts: str) -> str:
    """The name without its attempt: at most 63 characters, unique in the account whatever the model (API reference).

    Cohort names would not fit.
    """
    return f"{os.environ['RESOURCE_PREFIX']}-{digest(*parts)[:16]}"


def unless_failed(base: str, existing: Iterable[Any], usable: Callable[[Any], bool]) -> tuple[str, Any]:
    """The attempt that is `usable`, as its name and its summary; else a free name for the next one, and None.

    Looks no further in `existing` than to such an attempt, whichever number it has: an earlier one that failed may
    have been deleted since.

    Raises:
        JobFailed: no number is left.
    """
    taken = set()
    for job in existing:
        if job["name"].rpartition("-")[0] == base:
            if usable(job):
                return job["name"], job
            taken.add(job["name"])
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        if (name := f"{base}-{attempt}") not in taken:
            return name, None
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs named {base}-<attempt> have failed")
