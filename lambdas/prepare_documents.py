"""PrepareDocuments: cut transcripts into UTF-8 documents that Comprehend Medical takes, with their provenance."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import NamedTuple, TypedDict

from lambdas.entities.jobs import Documents, find_coverage
from lambdas.entities.new_jobs import Part, cut_speech, units, usd, write_new_job
from lambdas.shared import stages
from lambdas.shared.claim_items import Claim, advance_generation, read_claims
from lambdas.shared.layout import (
    PLAN,
    document_index_key,
    documented_key,
    elsewhere_key,
    transcript_key,
    used_jobs_key,
)
from lambdas.shared.object_faults import REPLACED, replaced
from lambdas.shared.object_items import ObjectItem, read_objects
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.pricing import TRANSCRIBE_MEDICAL_PER_SECOND, billed_seconds, cents
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.rejections import left_to_others, rejected_media, write_rejection
from lambdas.shared.spending_items import settle
from lambdas.shared.state import (
    Batch,
    DocumentedRecording,
    IndexLine,
    ListedJob,
    Parameters,
    Plan,
    PlannedRecording,
    PreparedDocuments,
)
from lambdas.shared.storage import read_json, write_json, write_json_lines
from lambdas.transcript.transcripts import Speech, read_speech

SILENT = "No speech was recognised in the recording."
UNKNOWN = (
    "The ledger has no claim on this recording: the recording was forgotten, or the ledger was restored from an older "
    "copy. Start again with this recording."
)


class PrepareDocumentsEvent(TypedDict):
    """`parameters` are those of StartEntitiesDetectionV2Job."""

    batch: Batch
    parameters: Parameters


class Outcomes(NamedTuple):
    """The outcomes of planned recordings.

    `ours` become documents. `elsewhere` maps the media id of a recording to the execution that owns it, `rejected` to
    the reason of its rejection.
    """

    ours: list[PlannedRecording]
    elsewhere: dict[str, str]
    rejected: dict[str, str]


class CutTranscript(NamedTuple):
    billable_seconds: int
    parts: list[Part]


@observed(stages.DOCUMENTS.name, timed=True)
def handler(event: PrepareDocumentsEvent, context: object) -> PreparedDocuments:
    """Cut the batch's transcripts into documents, and prepare one new job over the documents that no job covers.

    A document's name has its transcript and the rules of cutting. Each document is analysed once: jobs of this
    execution, or of an earlier owner of the recording, cover it.

    A recording that another execution has taken over since the plan is left to that execution. A recording whose
    transcript can't be used is rejected. A rejection is final for its batch, even if the transcript becomes readable,
    because each recording has one outcome.

    The names of files about the batch have the generation. Stopping an execution doesn't stop this function, so after a
    redrive two calls may run at the same time; each writes files of its own, and the later steps read the redrive's.

    Returns the keys of four lists (documents, their jobs, recordings with documents, recordings left to other
    executions), the job to start, and the size of all documents with their cost to this batch.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    batch_id = batch["batch_id"]
    plan: Plan = read_json(bucket, batch["prefix"] + PLAN)
    planned = [recording for recording in plan["recordings"] if not recording["reused"]]
    own = advance_generation(batch_id)
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        claims = read_claims(recording["transcript_id"] for recording in planned)
        objects = read_objects(recording["object_id"] for recording in planned)
        outcomes = decide(batch_id, planned, claims, objects, rejected_media(bucket, batch_id))
        billable_seconds = 0
        parts: list[Part] = []
        for transcript in cut_transcripts(pool, bucket, outcomes, event["parameters"]):
            billable_seconds += transcript.billable_seconds
            parts += transcript.parts
        reject(pool, bucket, batch_id, planned, outcomes.rejected)
        inherited = [claim.jobs for claim in claims.values() if claim.execution == batch_id]
        coverage = find_coverage(pool, bucket, own.jobs.union(*inherited))
        # Recorded transcripts have complete records and need no job, even if their documents have expired.
        recorded = {item.recorded for item in objects.values()}
        uncovered = [part for part in parts if part.name not in coverage.job_of and part.transcript_id not in recorded]
        base = write_new_job(pool, bucket, uncovered, coverage) if uncovered else ""

    index = [entry(part, coverage.job_of.get(part.name)) for part in parts]
    used = sorted({line["job"] for line in index if line["job"]})
    jobs = [job_entry(base, coverage.documents[base]) for base in used]
    index_key = document_index_key(batch_id, own.generation)
    jobs_key = used_jobs_key(batch_id, own.generation)
    others_key = elsewhere_key(batch_id, own.generation)
    write_json_lines(bucket, index_key, index)
    write_json(bucket, jobs_key, jobs)
    write_json(bucket, others_key, left_to_others(planned, outcomes.elsewhere))
    recordings_key = documented_key(batch_id, own.generation)
    documented: list[DocumentedRecording] = [
        {"media_id": media_id} for media_id in dict.fromkeys(line["media_id"] for line in index)
    ]
    write_json(bucket, recordings_key, documented)

    # The execution that started a job has paid for it; this one pays for inherited jobs that were never started.
    paid = [job for job in jobs if job["base"] in own.jobs or not coverage.jobs[job["base"]].id]
    estimated_usd = round(sum(job["estimated_usd"] for job in paid), 2)
    transcription_usd = billable_seconds * TRANSCRIBE_MEDICAL_PER_SECOND
    if (costs := plan.get("costs")) and (day := costs["reserved_on"]):
        # Silence is charged, too, and no transcript shows it: words are only the least that a transcription has cost.
        charged_usd = max(costs["estimate"]["transcribe_medical"], transcription_usd)
        settle(batch_id, day, cents(charged_usd + estimated_usd))
    metrics.add_metric("TranscriptionUsd", "None", transcription_usd)
    logger.info(
        "documents prepared",
        extra={"batch_id": batch_id, "documents": len(parts), "new": len(uncovered), "jobs": len(jobs)},
    )
    return {
        "index_key": index_key,
        "jobs_key": jobs_key,
        "elsewhere_key": others_key,
        "documented_key": recordings_key,
        "generation": own.generation,
        "new": {
            "base": base,
            "count": len(uncovered),
            "characters": sum(part.characters for part in uncovered),
            "estimated_usd": usd(units(uncovered)),
        },
        "count": len(parts),
        "characters": sum(part.characters for part in parts),
        "estimated_usd": estimated_usd,
        "billable_seconds": billable_seconds,
    }


def decide(
    batch_id: str,
    planned: Iterable[PlannedRecording],
    claims: Mapping[str, Claim],
    objects: Mapping[str, ObjectItem],
    refused: set[str],
) -> Outcomes:
    """The outcomes of the planned recordings by the ledger; recordings already rejected, `refused`, are left out."""
    outcomes = Outcomes([], {}, {})
    for recording in planned:
        media_id, transcript_id = recording["media_id"], recording["transcript_id"]
        claim, item = claims.get(transcript_id), objects.get(recording["object_id"])
        if media_id in refused:
            continue
        if claim is None or item is None:
            outcomes.rejected[media_id] = UNKNOWN
        elif item.recorded == transcript_id:
            if item.recorded_by == batch_id:
                outcomes.ours.append(recording)
            else:
                outcomes.elsewhere[media_id] = item.recorded_by
        elif claim.execution != batch_id:
            outcomes.elsewhere[media_id] = claim.execution
        elif item.version != media_id:
            outcomes.rejected[media_id] = REPLACED
        else:
            outcomes.ours.append(recording)
    return outcomes


def cut_transcripts(pool: Executor, bucket: str, outcomes: Outcomes, parameters: Parameters) -> Iterator[CutTranscript]:
    """Our recordings' transcripts; that of an unusable or silent one is a reason in `outcomes.rejected` instead."""
    transcripts = pool.map(lambda recording: cut_transcript(bucket, recording, parameters), outcomes.ours)
    for recording, transcript in zip(outcomes.ours, transcripts, strict=True):
        if isinstance(transcript, UnreadableFile):
            outcomes.rejected[recording["media_id"]] = str(transcript)
        elif transcript.parts:
            yield transcript
        else:
            outcomes.rejected[recording["media_id"]] = SILENT


def cut_transcript(bucket: str, recording: PlannedRecording, parameters: Parameters) -> CutTranscript | UnreadableFile:
    """The transcript in documents, none if it is silent, or the error that rejects the recording."""
    speech = read_transcript(bucket, recording)
    if isinstance(speech, UnreadableFile):
        return speech
    parts = list(cut_speech(recording, speech, parameters)) if speech.text.strip() else []
    return CutTranscript(billed_seconds(speech.spoken_seconds), parts)


def read_transcript(bucket: str, recording: PlannedRecording) -> Speech | UnreadableFile:
    """The speech in the recording, or the error that rejects it.

    A replaced recording is rejected: a transcription job names no version, so it may have read the newer one.
    """
    if replaced(recording):
        return UnreadableFile(REPLACED)
    key = transcript_key(recording["transcript_id"])
    try:
        with understanding(bucket, key):
            return read_speech(read_file(bucket, key))
    except UnreadableFile as unreadable:
        return unreadable


def reject(
    pool: Executor,
    bucket: str,
    batch_id: str,
    planned: Iterable[PlannedRecording],
    reasons: Mapping[str, str],
) -> None:
    """Write the rejections of the recordings for which there is a reason."""
    rejected = [recording["media_id"] for recording in planned if recording["media_id"] in reasons]
    list(pool.map(lambda media_id: write_rejection(bucket, batch_id, media_id, reasons[media_id]), rejected))


def entry(part: Part, job: str | None) -> IndexLine:
    return {
        "document": part.name,
        "media_id": part.media_id,
        "offset": part.offset,
        "characters": part.characters,
        "job": job,
    }


def job_entry(base: str, documents: Documents) -> ListedJob:
    return {"base": base, "documents": len(documents.names), "estimated_usd": usd(documents.units)}
