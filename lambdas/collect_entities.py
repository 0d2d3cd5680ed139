"""CollectEntities: turn the jobs' outputs into entity records with patient, recording, offset, second and speaker.

A child of the Map CollectBatch calls it for a part of the batch's recordings.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple, TypedDict

from botocore.exceptions import ClientError

from lambdas.cohorts.indexes import read_indexes
from lambdas.entities.findings import Findings, findings
from lambdas.entities.jobs import read_entity_jobs
from lambdas.entities.outputs import job_output, read_outputs
from lambdas.report.page import write_page
from lambdas.report.recording import recording_page
from lambdas.shared import stages
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.identity import digest
from lambdas.shared.layout import (
    PLAN,
    collected_key,
    deidentified_key,
    recording_report_key,
    records_key,
    transcript_key,
)
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS
from lambdas.shared.object_items import read_object, record
from lambdas.shared.observability import logger, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.recording_files import UnreadableFile, understanding
from lambdas.shared.rejections import left_to_others, write_rejection
from lambdas.shared.state import (
    Batch,
    CollectedEntities,
    IndexLine,
    Parameters,
    Plan,
    PlannedRecording,
    PreparedDocuments,
)
from lambdas.shared.storage import (
    CONDITION_NOT_MET,
    find_head,
    read_json,
    read_json_lines,
    unchanged,
    write_json,
    write_json_lines,
)

SUPERSEDED = "A newer version of the object was planned meanwhile; the records of the newer version count."


class CollectEntitiesEvent(TypedDict):
    """`media_ids` are the child's recordings, `parameters` those of StartMedicalTranscriptionJob."""

    batch: Batch
    documents: PreparedDocuments
    parameters: Parameters
    media_ids: list[str]
    retry_count: int
    redrive_count: int


class Collected(NamedTuple):
    """The result for one recording: entities by category, number of PHI labels, number of documents without entities.

    `elsewhere` is the other execution that has recorded the recording, if one has.
    """

    entities: Counter[str]
    phi_labels: int = 0
    unprocessed: int = 0
    rejected: bool = False
    elsewhere: str | None = None


@observed(stages.COLLECTION.name, timed=True)
def handler(event: CollectEntitiesEvent, context: object) -> dict[str, Any]:
    """Write `records/<object_id>.jsonl` for each of the recordings, all of which have documents.

    The records and the consent of an object's new version replace those of the old version; an execution over the old
    version that ends later changes nothing. If some documents have no entities, the entities of the others are written,
    but the recording is rejected and isn't finished. A recording whose transcript can't be used is rejected as a whole;
    a recording that another execution has finished meanwhile is left to that execution. The function also writes the
    page `reports/<transcript_id>.html` and, if the parameters ask Transcribe Medical for PHI,
    `deidentified/<transcript_id>.json`.

    The child's counts go into a file, because the results of all children may have 256 KiB: `records` and
    `by_category` (Comprehend Medical's entities), `phi_labels` (Transcribe Medical's), `documents`,
    `documents_unprocessed`, `rejected` (recordings), and `elsewhere`, the recordings left to other executions. The
    file's name has the attempt, because a function from before a stop and a redrive may still write its own, later.
    The last attempt's file counts.

    Raises:
        IncompleteOutput: a job's manifest is missing, or all of the outputs that it counts are.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    batch_id = batch["batch_id"]
    plan: Plan = read_json(bucket, batch["prefix"] + PLAN)
    wanted = set(event["media_ids"])
    recordings = {one["media_id"]: one for one in plan["recordings"] if one["media_id"] in wanted}
    lines: list[IndexLine] = read_json_lines(bucket, event["documents"]["index_key"])
    index = [line for line in lines if line["media_id"] in wanted]
    wants_phi = event["parameters"].get("ContentIdentificationType") == "PHI"
    jobs = read_entity_jobs({document["job"] for document in index if document["job"]})
    ended = {base: job.output for base, job in jobs.items() if job.output}

    def collect(documents: list[IndexLine]) -> Collected:
        recording = recordings[documents[0]["media_id"]]
        of_jobs = read_outputs(outputs, documents)
        try:
            with understanding(bucket, transcript_key(recording["transcript_id"])):
                found = findings(bucket, recording, documents, of_jobs.outputs, wants_phi)
                page = recording_page(recording, found.words, found.records, complete=not of_jobs.missing)
        except UnreadableFile as unreadable:
            write_rejection(bucket, batch_id, recording["media_id"], str(unreadable))
            return Collected(Counter(), unprocessed=len(of_jobs.missing), rejected=True)
        by = write_findings(bucket, batch_id, recording, found, page, complete=not of_jobs.missing)
        if by is None:
            write_rejection(bucket, batch_id, recording["media_id"], SUPERSEDED)
            return Collected(Counter(), rejected=True)
        if by != batch_id:
            return Collected(Counter(), elsewhere=by)
        if of_jobs.missing:
            write_rejection(bucket, batch_id, recording["media_id"], incomplete(of_jobs.missing, len(documents)))
        categories = Counter(record.category for record in found.entities)
        return Collected(categories, found.phi_labels, len(of_jobs.missing), rejected=bool(of_jobs.missing))

    groups = [list(group) for _, group in groupby(index, key=lambda document: document["media_id"])]
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        outputs = dict(zip(ended, pool.map(lambda output: job_output(bucket, output), ended.values()), strict=True))
        collected = list(pool.map(collect, groups))
    others = {
        group[0]["media_id"]: result.elsewhere
        for group, result in zip(groups, collected, strict=True)
        if result.elsewhere
    }
    categories: Counter[str] = sum((result.entities for result in collected), Counter())
    counts: CollectedEntities = {
        "records": categories.total(),
        "by_category": dict(categories),
        "phi_labels": sum(result.phi_labels for result in collected),
        "documents": len(index),
        "documents_unprocessed": sum(result.unprocessed for result in collected),
        "rejected": sum(result.rejected for result in collected),
        "elsewhere": left_to_others(recordings.values(), others),
    }
    generation, child = event["documents"]["generation"], digest(*event["media_ids"])
    key = collected_key(batch_id, generation, child, event["redrive_count"], event["retry_count"])
    write_json(bucket, key, counts)
    logger.info(
        "entities collected",
        extra={"batch_id": batch_id, "records": counts["records"], "phi_labels": counts["phi_labels"]},
    )
    return {}


def write_findings(
    bucket: str, batch_id: str, recording: PlannedRecording, found: Findings, page: str, *, complete: bool
) -> str | None:
    """Write the findings unless they are recorded; return the recording execution, None if a newer version is planned.

    Records are written only if the object in S3 is unchanged since before the ledger was read. They and the membership
    in cohorts by them count once the ledger names them, which it does only while this version is the planned one.
    """
    object_id, transcript_id = recording["object_id"], recording["transcript_id"]
    for _ in range(MAXIMUM_ATTEMPTS):
        there = find_head(bucket, records_key(object_id))
        item = read_object(object_id)
        if item.recorded == transcript_id:
            return item.recorded_by
        if item.version != recording["media_id"]:
            return None
        written = there["Metadata"] if there else {}
        if not complete and written.get("transcript-id") == transcript_id:
            # An execution with more outputs has written these records and is about to enter them into the ledger.
            return str(written.get("execution", batch_id))
        if found.masked is not None:
            write_json(bucket, deidentified_key(transcript_id), found.masked)
        write_page(bucket, recording_report_key(transcript_id), page)
        if not write_records(bucket, batch_id, recording, found.records, there, complete=complete):
            continue
        # After the records: lambdas/cohorts/indexes.py says why.
        membership = read_indexes().membership(recording["user_id"], found.records, datetime.now(UTC))
        if record(object_id, item, transcript_id if complete else "", batch_id, membership):
            return batch_id
    raise RuntimeError(
        f"{records_key(object_id)} changed {MAXIMUM_ATTEMPTS} times while execution {batch_id} tried to write it"
    )


def write_records(
    bucket: str,
    batch_id: str,
    recording: PlannedRecording,
    records: Iterable[EntityRecord],
    there: Mapping[str, Any] | None,
    *,
    complete: bool,
) -> bool:
    """Write the object's records; False, without writing, if they have changed since HeadObject answered `there`."""
    metadata = {"execution": batch_id}
    if complete:
        metadata["transcript-id"] = recording["transcript_id"]
    try:
        write_json_lines(bucket, records_key(recording["object_id"]), records, metadata, **unchanged(there))
    except ClientError as error:
        if error.response["Error"]["Code"] not in CONDITION_NOT_MET:
            raise
        return False
    return True


def incomplete(missing: Mapping[str, str], documents: int) -> str:
    """The rejection reason of a recording with `missing` documents, each with its reason."""
    reasons = "; ".join(sorted(set(missing.values())))
    return (
        f"The entities of {len(missing)} of {documents} documents of the transcript are missing: {reasons}. The "
        "entities of the other documents are stored. Start again with this recording: only documents without output "
        "are analysed and charged again. If an output can't be read, delete it first."
    )
