"""Entity detection jobs as the ledger's steps see them: which documents no job covers, and that each job runs."""

from collections.abc import Iterable
from functools import partial

from tests.models.parts import Step
from tests.models.world import World

# The documents of each job by its name's base: an object in S3, named by its content and written before the job counts.
Contents = dict[str, list[str]]


def uncovered(world: World, contents: Contents, documents: list[str], jobs: Iterable[str], trust: bool = False) -> Step:
    """The documents that none of `jobs` covers, and the jobs that cover others.

    A job that hasn't ended covers all of its documents, also one that never was started or that failed: whoever waits
    for it starts it. One that has ended covers those with an output, unless it is trusted (`trust`).
    """
    left, used = set(documents), []
    for base in jobs:
        _, job = yield partial(world.find_job, base)
        ended = job is not None and job.status in ("completed", "partial") and not trust
        covered = left & set(job.outputs if ended else contents[base])
        if covered:
            used.append(base)
            left -= covered
    return sorted(left), used


def name_of(documents: Iterable[str], tried: Iterable[str]) -> str:
    """A job over the same documents that has ended without some of them must not be found again."""
    return "+".join(sorted(documents)) + "".join(f"!({base})" for base in sorted(tried))


def ensure_running(world: World, contents: Contents, jobs: Iterable[str]) -> Step:
    """Start what was never started or has failed; the names of the jobs to wait for."""
    watched = []
    for base in jobs:
        name, job = yield partial(world.find_job, base)
        if job is None:
            documents = contents[base]
            name = yield partial(world.start_job, name, documents)
        watched.append(name)
    return watched


def outputs_of(world: World, jobs: Iterable[str]) -> Step:
    outputs: set[str] = set()
    for base in jobs:
        _, job = yield partial(world.find_job, base)
        outputs |= set(job.outputs) if job else set()
    return outputs
