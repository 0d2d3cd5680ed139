"""How the three services' jobs are watched: one shape of state, one wait policy, one way to fail."""

import time
from typing import Any, NotRequired, TypedDict, Unpack

from lambdas.shared.errors import JobDeadlineExceeded, JobFailed

SHORTEST_WAIT_SECONDS = 15
LONGEST_WAIT_SECONDS = 600
# After so many, half of the jobs have ended.
EARLY_POLLS = 2
# Reasons that speak of our side. Every other reason speaks of the input and would be given again for it.
OUR_SIDE = ("access", "authoriz", "denied", "permission", "kms", "internal", "credential", "assume")


class JobResult(TypedDict, total=False):
    """How a job ended: `reason` why it was rejected; the others are what its service reports of a success."""

    reason: str
    # Comprehend Medical; `jobs` counts those that the batch's documents were taken from.
    service_status: str
    model_version: str | None
    output_uri: str | None
    manifest_path: str
    jobs: int
    # Clean Rooms ML; an export's location is `output_uri`, and an export names its generation from its start on.
    metrics: Any
    audience_generation_job_arn: str


class Job(TypedDict):
    """What the state machine carries of a running job.

    `status` is IN_PROGRESS, COMPLETED, REJECTED (the service won't take this input) or START_AGAIN.
    `watched_since` is in seconds since the epoch, `polls` counts those that found it running.
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
    """The state of a job that was just started or adopted; of one that has ended already, nothing is to be expected."""
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
    """How long to wait before the next poll.

    Nothing can be learnt long before a job is expected to end, so the first wait spans most of that; past it, each
    wait is an eighteenth of the time already run: detection is then at most about 6 % late, however long the job. No
    wait is longer than ten minutes, so that a job that fails early is noticed early (docs/performance.md).
    """
    wait = max(0.8 * expected_seconds - elapsed_seconds, elapsed_seconds / 18)
    return round(min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))


def is_early(job: Job) -> bool:
    """Whether the job has been asked about so seldom that it is likely to run on; not if it had ended when adopted."""
    return job.get("polls", 0) < EARLY_POLLS and job["expected_seconds"] > 0


def still_running(job: Job, redrive_count: int, deadline_seconds: int) -> Job:
    """The state of a job that isn't done. A redrive grants it a fresh deadline.

    Raises:
        JobDeadlineExceeded: it has been watched for longer than `deadline_seconds`.
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
    """Fail the poll Task itself, not a Fail state behind it, so that a redrive has something to repeat.

    A redriven poll finds the very job that failed before the redrive: then the flow goes back to the start.

    Raises:
        JobFailed: the job failed under this redrive count.
    """
    if redrive_count > job["redrive_count"]:
        return {**job, "status": "START_AGAIN"}
    raise JobFailed(f"job {job['id']} failed: {reason}. A redrive starts the next attempt.")


def completed(job: Job, **result: Unpack[JobResult]) -> Job:
    return {**job, "status": "COMPLETED", "wait_seconds": 0, "result": result}


def rejected(job: Job, reason: str) -> Job:
    return {**job, "status": "REJECTED", "wait_seconds": 0, "result": {"reason": reason}}


def is_ours(reason: str) -> bool:
    """Whether a service's failure reason speaks of permissions, keys or itself, so that the same input may succeed."""
    return any(word in reason.lower() for word in OUR_SIDE)
