"""Every reason for which the services say that a job may fail, each run to its end."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from local.engines import lookalike
from local.services.cleanroomsml.storage import JobFailure as AudienceJobFailure
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.comprehendmedical.storage import JobFailure as EntityJobFailure
from local.services.transcribe import failures
from local.services.transcribe import jobs as transcription_jobs
from tests.faults.invariants import Expected, broken
from tests.faults.matrix import Remedy, Verdict, recovered, unsuccessful
from tests.faults.world import World

# GetMedicalTranscriptionJob, FailureReason, and two that its users have met: all of them are about the recording.
ABOUT_THE_RECORDING = (
    failures.UNSUPPORTED_FORMAT,
    failures.FORMAT_MISMATCH,
    failures.INVALID_SAMPLE_RATE,
    failures.SAMPLE_RATE_MISMATCH,
    failures.TOO_LARGE,
    failures.TOO_MANY_CHANNELS,
    failures.INVALID_DATA,
    failures.TOO_SHORT,
)
ABOUT_US = (
    "Access denied: make sure that you have read permission.",
    "The KMS key is disabled.",
    "Internal service failure.",
)


class JobFailureCase(NamedTuple):
    """`seam` is the function of the local service that fails once, with `error`."""

    service: str
    reason: str
    seam: tuple[Any, str]
    error: Exception
    remedy: Remedy
    expected: Expected

    def __str__(self) -> str:
        return f"{self.service} job fails: {self.reason} ({self.remedy})"


def job_failures() -> Iterator[JobFailureCase]:
    decode, detect, look_alike = (
        (transcription_jobs, "decode_checked"),
        (entity_jobs, "engine"),
        (lookalike, "generate"),
    )
    for reason in ABOUT_THE_RECORDING:
        error: Exception = failures.JobFailure(reason)
        yield JobFailureCase("transcribe", reason, decode, error, "redrive", Expected(rejected=1))
    remedies: tuple[Remedy, ...] = ("redrive", "new execution")
    for remedy in remedies:
        for reason in ABOUT_US:
            error, expected = failures.JobFailure(reason), Expected(failed_transcriptions=1)
            yield JobFailureCase("transcribe", reason, decode, error, remedy, expected)
        reason = "The role can't read the documents."
        yield JobFailureCase("comprehendmedical", reason, detect, EntityJobFailure(reason), remedy, Expected())
        reason, error = "ACCESS_DENIED", AudienceJobFailure("ACCESS_DENIED", "the role can't be assumed")
        expected = Expected(failed_audiences=1)
        yield JobFailureCase("cleanroomsml", reason, look_alike, error, remedy, expected)
    reason, error = "INSUFFICIENT_MATCHING_SEED", AudienceJobFailure("INSUFFICIENT_MATCHING_SEED", "25 needed")
    yield JobFailureCase("cleanroomsml", reason, look_alike, error, "redrive", Expected(audience=False))


def run_job_failure(world: World, case: JobFailureCase) -> Verdict:
    begun = time.monotonic()
    module, name = case.seam
    works: Callable[..., Any] = getattr(module, name)
    left = [case.error]

    def fails_once(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return works(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, fails_once)
        dropped = world.drop()
        outcome, executions = recovered(world, dropped, world.settled(dropped), case.remedy)
    problems = broken(world, dropped, executions, case.expected) + unsuccessful(world, executions, case.remedy)
    if left:
        problems.append("no job has failed")
    world.forget()
    return Verdict(str(case), "lost" if problems else outcome, problems, time.monotonic() - begun)
