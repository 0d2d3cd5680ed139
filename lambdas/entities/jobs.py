"""Entity detection jobs in the ledger, their documents, and the documents that they cover.

A job's documents are listed in `entity-jobs/<base>.json` of the clinical bucket, written once, before the execution
answers for the job. The base is derived from the documents and from the jobs known before; the job's name is the base
and the number of the attempt. The ledger's item `job#<base>` has the service's `id` of the last attempt and, once the
job has ended, its `output`.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

from lambdas.entities.finished import finished_documents
from lambdas.shared.layout import job_documents_key
from lambdas.shared.ledger import Change, Item, read_items, write
from lambdas.shared.ledger_keys import job_key
from lambdas.shared.state import EntityOutput
from lambdas.shared.storage import find_json, write_json


class EntityJob(NamedTuple):
    """A job in the ledger: `id` is the service's id of the attempt `attempt`, "" before the start.

    `output` is None until the job has ended.
    """

    id: str = ""
    attempt: int = 1
    output: EntityOutput | None = None


class Documents(NamedTuple):
    """The names of a job's documents, and the units that the service charges for them."""

    names: Sequence[str] = ()
    units: int = 0


class Coverage(NamedTuple):
    """`job_of` maps each covered document to its job's base; `jobs` and `documents` have all jobs by base."""

    job_of: dict[str, str]
    jobs: dict[str, EntityJob]
    documents: dict[str, Documents]


def write_documents_of(bucket: str, base: str, documents: Documents) -> None:
    write_json(bucket, job_documents_key(base), documents._asdict())


def documents_of(bucket: str, base: str) -> Documents:
    """The job's documents; empty if the list has expired, since the job's output has expired, too."""
    return Documents(**(find_json(bucket, job_documents_key(base)) or {}))


def transcript_of(document: str) -> str:
    return document.rsplit("-", 2)[0]


def find_coverage(pool: Executor, bucket: str, bases: Iterable[str]) -> Coverage:
    """The documents that these jobs cover.

    A job that hasn't ended covers all its documents, even if it failed or never started, because the executions that
    wait for the job start it. An ended job covers the documents with an output.
    """
    jobs = read_entity_jobs(bases)
    # Ended jobs first, so that a document with an output is taken from there.
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
    """The documents of a job with an output; None if the job hasn't ended or its output has expired."""
    return finished_documents(bucket, job.output) if job.output else None


def read_entity_jobs(bases: Iterable[str]) -> dict[str, EntityJob]:
    """The jobs by base; a job that isn't in the ledger has the defaults of EntityJob."""
    wanted = [*bases]
    items = read_items([job_key(base) for base in wanted])
    return {base: _entity_job(items.get(job_key(base), {})) for base in wanted}


def _entity_job(item: Item) -> EntityJob:
    output = item.get("output")
    return EntityJob(item.get("id", ""), item.get("attempt", 1), json.loads(output) if output else None)


def note_started(base: str, job_id: str, attempt: int) -> None:
    write(Change(job_key(base), put={"id": job_id, "attempt": attempt}))


def note_ended(base: str, output: EntityOutput) -> None:
    write(Change(job_key(base), put={"output": json.dumps(output)}))
