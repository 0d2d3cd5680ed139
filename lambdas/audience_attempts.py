"""The attempts at one audience or export: how each is named, and which of those that exist is the one to go on with.

Source: API reference of StartAudienceGenerationJob and StartAudienceExportJob (names), and of the status of both.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import digest

MAXIMUM_ATTEMPTS = 9999
# What becomes of each status (status in the API reference; an export's are the first four).
STATUSES = {
    "CREATE_PENDING": "running",
    "CREATE_IN_PROGRESS": "running",
    "ACTIVE": "completed",
    "CREATE_FAILED": "refused",
    "DELETE_PENDING": "failed",
    "DELETE_IN_PROGRESS": "failed",
    "DELETE_FAILED": "failed",
}


def name_of(*parts: str) -> str:
    return f"{os.environ['RESOURCE_PREFIX']}-{digest(*parts)[:16]}"


def unless_failed(
    base: str, existing: Iterable[Any], is_ours: Callable[[Any], bool] = lambda job: True
) -> tuple[str, Any]:
    """The attempt that runs or is done, as its name and its summary; else a free name for the next one, and None.

    Looks no further in `existing` than to such an attempt, whichever number it has: an earlier one that failed may
    have been deleted since.
    """
    taken = set()
    for job in existing:
        if job["name"].rpartition("-")[0] == base:
            taken.add(job["name"])
            if is_ours(job) and STATUSES[job["status"]] in ("running", "completed"):
                return job["name"], job
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        if (name := f"{base}-{attempt}") not in taken:
            return name, None
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs named {base}-<attempt> have failed")
