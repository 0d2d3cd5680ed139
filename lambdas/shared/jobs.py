"""The state of a service's job, its wait policy and its failures, the same for all three services."""

import time
from typing import Any, NotRequired, TypedDict, Unpack

from lambdas.shared.errors import JobDeadlineExceeded, JobFailed

SHORTEST_WAIT_SECONDS = 15
LONGEST_WAIT_SECONDS = 600
# Most jobs have ended after this many polls.
EARLY_POLLS = 3
# A failure reason with one of these words concerns our configuration; any other reason concerns the input, which would
# fail again.
OUR_SIDE = ("access", "authoriz", "denied", "permission", "kms", "internal", "credential", "assume")


class JobResult(TypedDict, total=False):
    """`reason` explains a rejection; the other members come from the service's answer about a completed job."""

    reason: str
    # Comprehend Medical; `jobs` counts the jobs that analysed the batch's documents.
    service_status: str
    model_version: str | None
    output_uri: str | None
    manifest_path: str
    jobs: int
    # Clean Rooms ML; `output_uri` is an export's location. An export has its generation's ARN from its start on.
    metrics: Any
    audience_generation_job_arn: str


class Job(TypedDict):
    """A job in the state machine's state.

    `status` is IN_PROGRESS, COMPLETED, REJECTED (the service refuses this input) or START_AGAIN.
    `watched_since` is in seconds since the epoch; `polls` counts the polls that found the job running.
    """

    id: str
    status: str
    wait_seconds: int
    expected_seconds: int
    watched_since: int
    redrive_count: int
    polls: NotRequired[int]
    result: NotRequired[JobResult]


def started(job_id: str, expected_seconds: int, redrive_count: int) -> Job:
    """The state of a job just started or adopted; pass 0 as `expected_seconds` for a job that has already ended."""
    return {
        "id": job_id,
        "status": "IN_PROGRESS",
        "wait_seconds": wait_seconds(expected_seconds, 0),
        "expected_seconds": expected_seconds,
        "watched_since": int(time.time()),
        "redrive_count": redrive_count,
    }


def expected_transcription_seconds(audio_seconds: float) -> int:
    """Assumed, not documented: a start-up time, then a quarter of real time (docs/aws.md)."""
    return round(20 + audio_seconds / 4)


def expected_entity_detection_seconds(documents: int) -> int:
    """Assumed, not documented: some minutes to start, then a few documents per second (docs/aws.md)."""
    return 300 + documents // 5


def wait_seconds(expected_seconds: float, elapsed_seconds: float) -> int:
    """Seconds to wait before the next poll.

    The first wait spans 80 % of the expected time, because an earlier poll would learn nothing. Each later wait is an
    eighteenth of the elapsed time, so the end of a job is noticed at most about 6 % late. No wait exceeds ten minutes,
    so that an early failure is noticed early (docs/performance.md).
    """
    wait = max(0.8 * expected_seconds - elapsed_seconds, elapsed_seconds / 18)
    return round(min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))


def is_early(job: Job) -> bool:
    """Whether the job is probably still running: it has had few polls and had not ended when it was adopted."""
    return job.get("polls", 0) < EARLY_POLLS and job["expected_seconds"] > 0


def still_running(job: Job, redrive_count: int, deadline_seconds: int) -> Job:
    """The next state of a running job. A redrive restarts the deadline.

    Raises:
        JobDeadlineExceeded: the job has been watched for more than `deadline_seconds`.
    """
    now = int(time.time())
    if redrive_count > job["redrive_count"]:
        job = {**job, "redrive_count": redrive_count, "watched_since": now}
    elapsed = now - job["watched_since"]
    if elapsed > deadline_seconds:
        raise JobDeadlineExceeded(
            f"job {job['id']} has not ended after {elapsed} seconds; the deadline is {deadline_seconds} seconds. "
            "A redrive watches it for another deadline."
        )
    return {
        **job,
        "status": "IN_PROGRESS",
        "wait_seconds": wait_seconds(job["expected_seconds"], elapsed),
        "polls": job.get("polls", 0) + 1,
    }


def failed(job: Job, redrive_count: int, reason: str) -> Job:
    """Fail the poll Task itself, not a later Fail state, so that a redrive repeats the poll.

    A poll after a redrive finds the job that failed before the redrive, and returns START_AGAIN.

    Raises:
        JobFailed: the job failed since the last redrive.
    """
    if redrive_count > job["redrive_count"]:
        return {**job, "status": "START_AGAIN"}
    raise JobFailed(f"job {job['id']} failed: {reason}. A redrive starts the next attempt.")


def completed(job: Job, **result: Unpack[JobResult]) -> Job:
    return {**job, "status": "COMPLETED", "wait_seconds": 0, "result": result}


def rejected(job: Job, reason: str) -> Job:
    return {**job, "status": "REJECTED", "wait_seconds": 0, "result": {"reason": reason}}


def is_ours(reason: str) -> bool:
    """Whether a failure reason concerns permissions, keys or the service itself, so the same input may succeed."""
    return any(word in reason.lower() for word in OUR_SIDE)
