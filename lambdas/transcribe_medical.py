"""The Transcribe Medical job of one recording: start it or adopt an existing one, and watch it.

Sources: API reference of StartMedicalTranscriptionJob and GetMedicalTranscriptionJob. Only the job's name makes a start
idempotent: a second start of the same name is a ConflictException.
"""

import os
from collections.abc import Mapping
from typing import Any, TypedDict

from botocore.exceptions import ClientError

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from lambdas.planning.media_headers.s3_source import S3Source
from lambdas.planning.preflight import may_be_too_long, refusal
from lambdas.rules.transcribe_medical import OPERATION, request_problems
from lambdas.shared import jobs, stages
from lambdas.shared.job_records import write_job_record
from lambdas.shared.layout import transcript_key
from lambdas.shared.object_faults import (
    Unusable,
    archived,
    has_other_key,
    other_key,
    planned_head,
    refused_read,
)
from lambdas.shared.observability import logger, observed, watching
from lambdas.shared.rejections import write_rejection
from lambdas.shared.sdk import client
from lambdas.shared.state import MapItem, Parameters
from lambdas.shared.storage import find_head, list_keys
from lambdas.shared.uris import parse_uri

# A recording lasts four hours at most; a job that takes longer than this is assumed lost.
DEADLINE_SECONDS = 8 * 3600
MAXIMUM_ATTEMPTS = 50
# After this many LimitExceededExceptions, in most of an hour, a recording that may be too long is probably the cause.
PATIENCE_WITH_UNKNOWN_LENGTH = 20
# A refusal with one of these words, or of jobs.OUR_SIDE, concerns members of every request, not the recording.
COMMON_TO_ALL = ("vocabular", "output", "bucket", "region", "role", "account")
# A failure reason with one of these words concerns S3. It rejects the recording, but the next start tries again: S3 can
# be repaired without a new upload.
OF_STORAGE = ("s3", "be read", "exist", "found", "archive", "restore", "storage")
NO_REASON = "no reason was given"
# Our outcome for each TranscriptionJobStatus in the API reference.
STATUSES = {"QUEUED": "running", "IN_PROGRESS": "running", "COMPLETED": "completed", "FAILED": "failed"}

transcribe = client("transcribe")


class StartTranscriptionEvent(TypedDict):
    recording: MapItem
    parameters: Parameters
    retry_count: int
    redrive_count: int


class PollTranscriptionEvent(TypedDict):
    """`job` is the state of the job that StartTranscription or the last poll returned."""

    recording: MapItem
    job: jobs.Job
    redrive_count: int


@observed(stages.TRANSCRIPTION.name)
def start(event: StartTranscriptionEvent, context: object) -> jobs.Job:
    """Start the job of `event["recording"]` with `event["parameters"]`, or adopt an earlier job or transcript.

    An existing transcript needs no job. A failed job is adopted if another job would fail, too; the poll then rejects
    the recording. The start itself rejects a recording that can't be read (`shared.object_faults`), that is no longer
    the planned version, whose consent and id the plan has, or that the service refuses or would refuse.

    LimitExceededException means that the account is at its limit, or that the recording is too long. If header and size
    don't rule out the latter, the recording is rejected once `event["retry_count"]` reaches
    PATIENCE_WITH_UNKNOWN_LENGTH.

    Raises:
        transcribe.exceptions.BadRequestException: a permission is wrong, or a vocabulary does not exist.
        transcribe.exceptions.LimitExceededException: the account is at its limit.
    """
    untried = jobs.started(job_name(event, 0), 0, event["redrive_count"])
    try:
        return start_or_adopt(event, untried)
    except Unusable as unusable:
        return reject(event["recording"], untried, str(unusable))


def start_or_adopt(event: StartTranscriptionEvent, untried: jobs.Job) -> jobs.Job:
    """As `start`, but raises Unusable to reject the recording."""
    recording, parameters, redrive_count = event["recording"], event["parameters"], event["redrive_count"]
    head = planned_head(recording)
    if find_head(os.environ["CLINICAL_BUCKET"], transcript_key(recording["transcript_id"])):
        logger.info("transcript reused", extra={"media_id": recording["media_id"]})
        return jobs.completed(untried)
    header = header_of(recording, head)
    if reason := refusal(head["ContentLength"], header, parameters):
        raise Unusable(reason)
    expected_seconds = recording["expected_seconds"]
    if header and header.seconds:
        expected_seconds = jobs.expected_transcription_seconds(header.seconds)
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        name = job_name(event, attempt)
        wanted = request(name, recording, parameters)
        if problems := request_problems(wanted, transcribe.meta.service_model.operation_model(OPERATION).input_shape):
            raise Unusable(f"Transcribe Medical would not take the request: {' '.join(problems)}")
        try:
            transcribe.start_medical_transcription_job(**wanted)
        except transcribe.exceptions.BadRequestException as error:
            if reason := refused_request(error.response["Error"]["Message"], recording):
                raise Unusable(reason) from None
            raise
        except transcribe.exceptions.ConflictException:
            existing = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=name)
            job = existing["MedicalTranscriptionJob"]
            if different := differences(job, wanted):
                raise Unusable(
                    f"The transcription job {name} exists with another {' and '.join(different)}. Delete that job, "
                    "then start again with this recording."
                ) from None
            if job["TranscriptionJobStatus"] == "FAILED" and may_pass(job.get("FailureReason", "")):
                continue
            if STATUSES[job["TranscriptionJobStatus"]] != "running":
                expected_seconds = 0
            logger.info("job adopted", extra={"job_name": name, "media_id": recording["media_id"]})
        except transcribe.exceptions.LimitExceededException:
            may_be_the_cause = may_be_too_long(head["ContentLength"], header)
            if not may_be_the_cause or event["retry_count"] < PATIENCE_WITH_UNKNOWN_LENGTH:
                raise
            raise Unusable(
                "Transcribe Medical repeatedly refuses the recording because of a limit. The recording's header has no "
                "reliable length; by its size, the recording is probably longer than 4 hours. Split or convert it."
            ) from None
        else:
            logger.info("job started", extra={"job_name": name, "media_id": recording["media_id"]})
        return jobs.started(name, expected_seconds, redrive_count)
    raise Unusable(f"{MAXIMUM_ATTEMPTS} transcription jobs have failed; the last was {name}. Delete them to try again.")


def job_name(event: StartTranscriptionEvent, attempt: int) -> str:
    return f"{os.environ['RESOURCE_PREFIX']}-{event['recording']['transcript_id']}-{attempt}"


def header_of(recording: MapItem, head: Mapping[str, Any]) -> Header | None:
    """The recording's header, None if it has none that we understand. Raises Unusable if S3 can't be read."""
    if reason := archived(head):
        raise Unusable(reason)
    try:
        return read_header(S3Source(*parse_uri(recording["uri"]), head))
    except ClientError as error:
        if reason := refused_read(error, head, os.environ["MEDIA_KEY_ARN"]):
            raise Unusable(reason) from None
        raise


def refused_request(message: str, recording: MapItem) -> str | None:
    """The rejection reason if a BadRequestException concerns this recording, None if it concerns all requests.

    The service has one error for all causes, and its texts aren't documented. A text without a known word of our side
    is attributed to the recording, so that one recording can't stop the others. Otherwise the recording may have gone
    since we read it, or its own key may be usable by us but not by the service.

    Raises:
        Unusable: the recording is no longer the planned version.
    """
    if not jobs.is_ours(message) and not any(word in message.lower() for word in COMMON_TO_ALL):
        return f"Transcribe Medical: {message or NO_REASON}"
    head = planned_head(recording)
    return other_key(head) if jobs.is_ours(message) and has_other_key(head, os.environ["MEDIA_KEY_ARN"]) else None


def may_pass(failure_reason: str) -> bool:
    """Whether another job over the same recording may succeed after this failure."""
    return jobs.is_ours(failure_reason) or any(word in failure_reason.lower() for word in OF_STORAGE)


def request(name: str, recording: MapItem, parameters: Parameters) -> dict[str, Any]:
    return {
        **parameters,
        "MedicalTranscriptionJobName": name,
        "Media": {"MediaFileUri": recording["uri"]},
        "OutputBucketName": os.environ["CLINICAL_BUCKET"],
        "OutputKey": transcript_key(recording["transcript_id"]),
        # The ARN, not an id: the bucket policy refuses every other key. Without it the service writes with SSE-S3.
        "OutputEncryptionKMSKeyId": os.environ["CLINICAL_KEY_ARN"],
    }


def differences(job: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The members in which an existing job differs from `wanted`. A member that Get doesn't return counts as equal."""
    settings = {**job, **job.get("Settings", {})}
    asked = {**wanted, **wanted.get("Settings", {})}
    compared = ("Media", "LanguageCode", "Specialty", "Type", "ContentIdentificationType", *wanted.get("Settings", ()))
    return [name for name in compared if name in asked and settings.get(name, asked[name]) != asked[name]]


@observed(stages.TRANSCRIPTION.name)
@watching
def poll(event: PollTranscriptionEvent, context: object) -> jobs.Job:
    """The job's state. A recording that the service refuses is stored as a rejection, and its job is done.

    Raises:
        JobFailed: the job failed for a reason that isn't the recording's, or the service no longer knows the job.
        JobDeadlineExceeded: the job has not ended in time.
    """
    recording, job, redrive_count = event["recording"], event["job"], event["redrive_count"]
    if job["status"] in ("COMPLETED", "REJECTED"):
        return job
    # S3 allows a hundred times as many requests as the service, and a missing transcript shows that the job is still
    # running. Listing needs no right to read transcripts.
    if jobs.is_early(job) and not any(
        list_keys(os.environ["CLINICAL_BUCKET"], transcript_key(recording["transcript_id"]))
    ):
        return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
    try:
        answer = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=job["id"])
    # The documentation names both errors for a missing job.
    except (transcribe.exceptions.BadRequestException, transcribe.exceptions.NotFoundException) as error:
        return jobs.failed(job, redrive_count, error.response["Error"]["Message"])
    described = answer["MedicalTranscriptionJob"]
    status = STATUSES[described["TranscriptionJobStatus"]]
    if status == "running":
        return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
    # The recording's URI names the patient: an execution that is redriven after its patient was forgotten writes this,
    # too, and nothing leads to it any more.
    record = {member: value for member, value in described.items() if member != "Media"}
    write_job_record(recording["batch_id"], stages.TRANSCRIPTION.name, job["id"], record)
    if status == "completed":
        return jobs.completed(job)
    reason = described.get("FailureReason", NO_REASON)
    if jobs.is_ours(reason):
        return jobs.failed(job, redrive_count, reason)
    return reject(recording, job, f"Transcribe Medical: {reason}")


def reject(recording: MapItem, job: jobs.Job, reason: str) -> jobs.Job:
    write_rejection(os.environ["CLINICAL_BUCKET"], recording["batch_id"], recording["media_id"], reason)
    return jobs.rejected(job, reason)
