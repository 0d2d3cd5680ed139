"""Which documents an entity detection job is over, and which of them need not be looked at again.

A job's documents are `entity-jobs/<base>.json` of the clinical bucket, written once, before the job counts. Its base is
derived from them and from the jobs that were tried before; its name is the base and the number of the attempt. An item
`job#<base>` of the ledger has the service's `id` of the last attempt and, once it has ended, its `output`.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

from lambdas.entities.outputs import finished_documents
from lambdas.shared.layout import job_documents_key
from lambdas.shared.ledger import Change, Item, read_items, write
from lambdas.shared.state import EntityOutput
from lambdas.shared.storage import find_json, write_json


class EntityJob(NamedTuple):
    """What the ledger knows of a job: the service's `id`, empty before its start; `output` once it has ended.

    `attempt` is the one that the id is of.
    """

    id: str = ""
    attempt: int = 1
    output: EntityOutput | None = None


class Documents(NamedTuple):
    """The names of a job's documents, and the units of text that the service charges for."""

    names: Sequence[str] = ()
    units: int = 0


class Coverage(NamedTuple):
    """`job_of` has a job for each document that one has looked at or will; the others have all jobs by base."""

    job_of: dict[str, str]
    jobs: dict[str, EntityJob]
    documents: dict[str, Documents]


def write_documents_of(bucket: str, base: str, documents: Documents) -> None:
    write_json(bucket, job_documents_key(base), documents._asdict())


def documents_of(bucket: str, base: str) -> Documents:
    """None at all if they have expired, with what the job has found."""
    return Documents(**(find_json(bucket, job_documents_key(base)) or {}))


def transcript_of(document: str) -> str:
    """The transcript that the document is a part of, by its name."""
    return document.rsplit("-", 2)[0]


def find_coverage(pool: Executor, bucket: str, bases: Iterable[str]) -> Coverage:
    """What these jobs cover.

    A job that hasn't ended covers all its documents, also one that failed or was never started: whoever waits for it
    starts it. One that has ended covers those that it has an output of.
    """
    jobs = read_entity_jobs(bases)
    # What has an output already is taken from there.
    ordered = sorted(jobs, key=lambda base: (jobs[base].output is None, base))
    documents = dict(zip(ordered, pool.map(partial(documents_of, bucket), ordered), strict=True))
    ended = pool.map(lambda base: _finished(bucket, jobs[base]), ordered)
    job_of: dict[str, str] = {}
    for base, finished in zip(ordered, ended, strict=True):
        names = documents[base].names
        for name in names if finished is None else finished.intersection(names):
            job_of.setdefault(name, base)
    return Coverage(job_of, jobs, documents)


def _finished(bucket: str, job: EntityJob) -> set[str] | None:
    """The documents of an ended job that have an output; None if that can't be told (yet)."""
    return finished_documents(bucket, job.output) if job.output else None


def read_entity_jobs(bases: Iterable[str]) -> dict[str, EntityJob]:
    """By base, each of `bases`."""
    wanted = [*bases]
    items = read_items([_key(base) for base in wanted])
    return {base: _entity_job(items.get(_key(base), {})) for base in wanted}


def _entity_job(item: Item) -> EntityJob:
    output = item.get("output")
    return EntityJob(item.get("id", ""), item.get("attempt", 1), json.loads(output) if output else None)


def note_started(base: str, job_id: str, attempt: int) -> None:
    write(Change(_key(base), put={"id": job_id, "attempt": attempt}))


def note_ended(base: str, output: EntityOutput) -> None:
    write(Change(_key(base), put={"output": json.dumps(output)}))


def _key(base: str) -> str:
    return f"job#{base}"
