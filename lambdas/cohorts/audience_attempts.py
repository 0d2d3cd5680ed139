"""The attempts at one audience or export: their names, and the choice of the attempt to adopt."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import digest

MAXIMUM_ATTEMPTS = 9999


def name_of(*parts: str) -> str:
    """The jobs' name without the attempt. The service takes 63 characters, unique in the account (API reference).

    A digest replaces the parts because a cohort's name would not fit.
    """
    return f"{os.environ['RESOURCE_PREFIX']}-{digest(*parts)[:16]}"


def unless_failed(base: str, existing: Iterable[Any], usable: Callable[[Any], bool]) -> tuple[str, Any]:
    """The name and the summary of the first `usable` attempt; else a free name for the next attempt, and None.

    Attempts may have gaps in their numbers, because failed ones may have been deleted. `existing` is read only up to
    the first usable attempt.

    Raises:
        JobFailed: all numbers are used.
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
