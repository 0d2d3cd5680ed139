"""The Transcribe Medical job of one recording: start it or adopt the one that exists, and watch it.

Facts: API reference of StartMedicalTranscriptionJob and GetMedicalTranscriptionJob. The job's name is its only
idempotency: a second start of the same name is a ConflictException.
"""

import json
import os
from typing import Any

import boto3

from lambdas.shared import jobs
from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import media_id
from lambdas.shared.observability import logger
from lambdas.shared.rejections import write_rejection
from lambdas.shared.storage import find_head, parse_uri

# A recording may last four hours; a job that takes longer than this has been lost.
DEADLINE_SECONDS = 8 * 3600
MAXIMUM_ATTEMPTS = 50

transcribe = boto3.client("transcribe")


def start(event: dict[str, Any], context: object) -> jobs.Job:
    """Start the job of `event["recording"]`, or adopt the one of an earlier attempt.

    A failed job is adopted too if it would fail again: the poll then rejects the recording. A recording that isn't the
    planned version any more is rejected at once, since its consent and its id are those of the planned one.

    Raises:
        JobFailed: a job of that name transcribes something else, or too many attempts have failed.
        transcribe.exceptions.BadRequestException: a setting or a permission is wrong.
    """
    recording, redrive_count = event["recording"], event["redrive_count"]
    settings = json.loads(os.environ["TRANSCRIPTION"])
    expected_seconds = recording["expected_seconds"]
    base = f"{os.environ['RESOURCE_PREFIX']}-{recording['transcript_id']}"
    if current_media_id(recording["uri"]) != recording["media_id"]:
        return reject(recording, jobs.started(base, 0, redrive_count), "The object was deleted or replaced meanwhile.")
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        name = f"{base}-{attempt}"
        try:
            transcribe.start_medical_transcription_job(**request(name, recording, settings))
        except transcribe.exceptions.ConflictException:
            existing = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=name)
            job = existing["MedicalTranscriptionJob"]
            if job["Media"]["MediaFileUri"] != recording["uri"]:
                raise JobFailed(f"job {name} transcribes another object than media {recording['media_id']}") from None
            if job["TranscriptionJobStatus"] == "FAILED" and jobs.is_ours(job.get("FailureReason", "")):
                continue
            if job["TranscriptionJobStatus"] in ("COMPLETED", "FAILED"):
                expected_seconds = 0
            logger.info("job adopted", extra={"job_name": name, "media_id": recording["media_id"]})
        else:
            logger.info("job started", extra={"job_name": name, "media_id": recording["media_id"]})
        return jobs.started(name, expected_seconds, redrive_count)
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs for media {recording['media_id']} have failed; the last was {name}")


def current_media_id(uri: str) -> str:
    bucket, key = parse_uri(uri)
    return media_id(bucket, key, find_head(bucket, key))


def request(name: str, recording: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    # MediaFormat is left out: the service detects it, and a file that is named wrong still gets its transcript.
    parameters = {
        "MedicalTranscriptionJobName": name,
        "LanguageCode": "en-US",
        "Media": {"MediaFileUri": recording["uri"]},
        "OutputBucketName": os.environ["CLINICAL_BUCKET"],
        "OutputKey": f"transcripts/{recording['transcript_id']}.json",
        # The ARN, not an id: the bucket policy refuses every other key. Without it the service writes with SSE-S3.
        "OutputEncryptionKMSKeyId": os.environ["CLINICAL_KEY_ARN"],
        "Specialty": settings["specialty"],
        "Type": settings["type"],
    }
    if settings["content_identification_type"]:
        parameters["ContentIdentificationType"] = settings["content_identification_type"]
    if settings["vocabulary_name"]:
        parameters["Settings"] = {"VocabularyName": settings["vocabulary_name"]}
    return parameters


def poll(event: dict[str, Any], context: object) -> jobs.Job:
    """Where the job stands. A recording that the service refuses is written down and counts as done.

    Raises:
        JobFailed: the job failed for a reason that isn't the recording's.
        JobDeadlineExceeded: it never ended.
    """
    recording, redrive_count = event["recording"], event["redrive_count"]
    job: jobs.Job = event["job"]
    if job["status"] == "REJECTED":
        return job
    answer = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=job["id"])["MedicalTranscriptionJob"]
    status = answer["TranscriptionJobStatus"]
    if status == "COMPLETED":
        return jobs.completed(job)
    if status != "FAILED":
        return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
    reason = answer.get("FailureReason", "Transcribe Medical gave no reason")
    if jobs.is_ours(reason):
        return jobs.failed(job, redrive_count, reason)
    return reject(recording, job, f"Transcribe Medical: {reason}")


def reject(recording: dict[str, Any], job: jobs.Job, reason: str) -> jobs.Job:
    write_rejection(os.environ["CLINICAL_BUCKET"], recording["batch_id"], recording, reason)
    return jobs.rejected(job, reason)
