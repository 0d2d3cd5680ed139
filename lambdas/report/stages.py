"""The begin and the end of each stage of a batch, from the batch's objects in S3: `stages` of its summary."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from lambdas.report.summary import Stage
from lambdas.shared import stages
from lambdas.shared.layout import JOB_RECORDS, PLAN
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.storage import find_head, list_keys

_JOB_TIMES = {stage.name: stage.job_times for stage in stages.STAGES if stage.job_times}


def find_stages(bucket: str, prefix: str, index_key: str) -> list[Stage]:
    """The stages in the order in which they began.

    A stage without a service's job ends when it writes its object; `index_key` is the one of PrepareDocuments. An
    adopted job may have begun in an earlier execution.
    """
    jobs = list(list_keys(bucket, prefix + JOB_RECORDS))
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        # Only the times stay in memory, because there may be thousands of job records.
        times = list(pool.map(lambda key: job_times(bucket, key, stage_of(key, prefix)), jobs))
    by_stage: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for key, span in zip(jobs, times, strict=True):
        if span is not None:
            by_stage[stage_of(key, prefix)].append(span)
    found = [*steps(bucket, {stages.PLAN.name: prefix + PLAN, stages.DOCUMENTS.name: index_key}), *job_stages(by_stage)]
    return sorted(found, key=lambda stage: stage["began_at"] or stage["ended_at"])


def stage_of(key: str, prefix: str) -> str:
    return key.removeprefix(prefix + JOB_RECORDS).partition("/")[0]


def job_times(bucket: str, key: str, stage: str) -> tuple[datetime, datetime] | None:
    """The begin and the end of the job in this job record; None if the record lacks one or can't be read."""
    try:
        with understanding(bucket, key):
            description = json.loads(read_file(bucket, key))
            moments = [description.get(member) for member in _JOB_TIMES.get(stage, ())]
            if len(moments) != 2 or not all(isinstance(moment, str) for moment in moments):
                return None
            began, ended = (datetime.fromisoformat(str(moment)).astimezone(UTC) for moment in moments)
            return began, ended
    except UnreadableFile:
        return None


def steps(bucket: str, outputs: Mapping[str, str]) -> Iterator[Stage]:
    for stage, key in outputs.items():
        if head := find_head(bucket, key):
            yield stage_entry(stage, None, None, head["LastModified"])


def job_stages(by_stage: Mapping[str, Iterable[tuple[datetime, datetime]]]) -> Iterator[Stage]:
    for stage, spans in by_stage.items():
        began, ended = zip(*spans, strict=True)
        yield stage_entry(stage, len(began), min(began), max(ended))


def stage_entry(stage: str, jobs: int | None, began: datetime | None, ended: datetime) -> Stage:
    return {"stage": stage, "jobs": jobs, "began_at": iso(began) if began else None, "ended_at": iso(ended)}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
