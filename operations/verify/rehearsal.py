"""The rehearsal: two sample recordings of a test patient go through the pipeline, with a stop, a redrive and a rerun.

A failed step is noted in `Observed.trouble`; the rehearsal goes on, and the checks judge it.
"""

import json
import time
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.environment import Environment
from lambdas.shared.layout import documents_prefix
from lambdas.shared.uris import uri_of
from operations.compaction import start_compaction
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import Execution, read_execution, redrive, started_status
from operations.following import Uptake, media_of, pause, recent
from operations.forgetting import forget as forgetting
from operations.recordings import Recording, upload
from operations.refusals import AWS_ERRORS, sentence
from operations.verify.observed import NO_JOBS, Jobs, Observed

# Always the same, so that the next rehearsal removes the rest of an interrupted one, and the suppression list gets one
# line only.
TEST_PATIENT = "verify-test-patient"
# Also for the local AWS, whose arrival_seconds are too few on a busy machine.
_LEAST_WAIT_SECONDS = 60
_SAMPLES = Path(__file__).parents[2] / "samples" / "media"
USABLE = Recording(_SAMPLES / "p-001" / "visit-0001.wav", f"media/{TEST_PATIENT}/usable.wav")
# A text file with the name of a recording.
UNUSABLE = Recording(_SAMPLES / "p-051" / "notes.mp3", f"media/{TEST_PATIENT}/no-sound.mp3")

Say = Callable[[str], None]


def usable_seconds() -> float:
    """How long the usable sample is."""
    with wave.open(str(USABLE.path)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def nothing_yet(deployed: Deployed, environment: Environment) -> Observed:
    """The state before the first step."""
    return Observed(
        deployed,
        environment,
        began=datetime.now(UTC),
        arrival_seconds=3 if deployed.is_local else 300,
        usable=uri_of(deployed.media, USABLE.key),
        unusable=uri_of(deployed.media, UNUSABLE.key),
    )


def rehearse(observed: Observed, patience_seconds: float, say: Say) -> None:
    """Take every step, and note its result; `patience_seconds` is how long each execution may take.

    Raises:
        OperationError: the samples can't be uploaded.
        botocore.exceptions.ClientError: the permission to upload or to list executions is missing.
    """
    steps = Steps(observed, patience_seconds, say)
    steps.attempt(steps.count)
    arns = steps.drop()
    for step in (lambda: steps.work(arns), steps.repeat, steps.name_another_bucket, steps.compact):
        steps.attempt(step)


def forget(observed: Observed, say: Say) -> None:
    """Forget the test patient, and note the outcome.

    If an execution, or a job that outlived its execution, still works with the recordings, try again until it ends.
    """
    deployed = observed.deployed
    say(f"Forgetting {TEST_PATIENT}")
    end = None
    while True:
        try:
            plan = forgetting.plan_removal(deployed, [TEST_PATIENT], lambda what, number: None, say)
            observed.outcome = forgetting.forget(deployed, plan, lambda what, number: None, delete_audiences=False)
            return
        except (OperationError, *AWS_ERRORS) as error:
            observed.trouble["forget"] = sentence(error)
            end = end or time.monotonic() + max(observed.arrival_seconds, _LEAST_WAIT_SECONDS)
            if not isinstance(error, OperationError) or time.monotonic() > end:
                return
        time.sleep(pause(deployed))


class Steps:
    """The steps of one rehearsal, in their order."""

    def __init__(self, observed: Observed, patience_seconds: float, say: Say) -> None:
        self._observed, self._patience, self._say = observed, patience_seconds, say
        self._deployed = observed.deployed

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, and note the first error."""
        try:
            step()
        except (OperationError, *AWS_ERRORS) as error:
            self._observed.trouble.setdefault("rehearsal", sentence(error))

    def count(self) -> None:
        """Note how many batches had finished before the rehearsal."""
        self._observed.batches_before = self._observed.finished_batches()

    def drop(self) -> list[str]:
        """Upload the two recordings, and return the ARNs of the executions that this starts."""
        observed, deployed = self._observed, self._deployed
        before = recent(deployed)
        self._say(f"Dropping two samples of {TEST_PATIENT}")
        list(upload(deployed, (USABLE, UNUSABLE), consent=False))
        uptake = Uptake(deployed, (observed.usable, observed.unusable), before)
        self._say("Waiting for their execution")

        def is_taken_up() -> bool:
            uptake.update()
            return not uptake.waiting

        self._until(is_taken_up)
        if uptake.waiting:
            observed.trouble["events"] = f"No execution has taken up {len(uptake.waiting)} of the two recordings."
        return uptake.arns

    def work(self, arns: list[str]) -> None:
        """Stop and redrive the usable recording's execution while it transcribes, and follow it to its end."""
        observed = self._observed
        if not arns:
            # The other points don't depend on the events.
            self._say("No execution has started: starting one by hand")
            arns = [self._start([observed.usable, observed.unusable])]
        arn = next((arn for arn in arns if observed.usable in media_of(self._deployed, arn)), arns[0])
        self._say(f"Following {arn.rpartition(':')[2]}")
        if media_of(self._deployed, arn) <= {observed.usable, observed.unusable}:
            self._stop(arn)
        else:
            observed.trouble["redrive"] = "Its batch has others' recordings too, so the execution was not stopped."
        observed.worked = self._ended(arn)
        observed.batches = [self._ended(other) for other in arns]
        observed.jobs = self._jobs()

    def _stop(self, arn: str) -> None:
        """Stop the execution while it transcribes, and redrive it."""
        observed, deployed = self._observed, self._deployed
        stepfunctions = deployed.client("stepfunctions")

        def is_transcribing() -> bool:
            execution = read_execution(deployed, arn)
            return not execution.is_running or bool(execution.recordings.get("running"))

        self._until(is_transcribing, between=0.05)
        if read_execution(deployed, arn).is_running:
            stepfunctions.stop_execution(executionArn=arn, cause="operations verify: to be redriven at once")
        self._until(lambda: not read_execution(deployed, arn).is_running, between=0.05)
        if (status := read_execution(deployed, arn).status) != "ABORTED":
            observed.trouble["redrive"] = f"The execution was {status} before it could be stopped."
            return
        self._say("Stopped; redriving it")
        try:
            redrive(deployed, arn)
            observed.redriven = True
        except (OperationError, *AWS_ERRORS) as error:
            observed.trouble["redrive"] = sentence(error)

    def repeat(self) -> None:
        """Start an execution with the same input, which must pay for nothing."""
        observed = self._observed
        if not observed.succeeded:
            return
        self._say("Starting it again")
        observed.repeated = self._ended(self._start([observed.usable, observed.unusable]))
        observed.jobs_after = self._jobs()

    def name_another_bucket(self) -> None:
        """Start an execution whose input names another bucket than the media bucket."""
        bucket = self._deployed.buckets.operations
        self._say("Naming a recording in another bucket, which must be refused")
        self._observed.foreign = self._ended(self._start([uri_of(bucket, USABLE.key)]))

    def compact(self) -> None:
        """Have the environment's changed records compacted, as it happens each night."""
        self._say("Compacting the records into the analysis tables")
        arn = start_compaction(self._deployed, rebuild=False)
        self._until(lambda: started_status(self._deployed, arn) != "RUNNING")
        self._observed.compaction = started_status(self._deployed, arn)

    def _start(self, media: list[str]) -> str:
        answer = self._deployed.client("stepfunctions").start_execution(
            stateMachineArn=self._deployed.state_machine_arn, input=json.dumps({"media": media})
        )
        arn: str = answer["executionArn"]
        return arn

    def _ended(self, arn: str) -> Execution:
        self._until(lambda: not read_execution(self._deployed, arn).is_running)
        return read_execution(self._deployed, arn)

    def _jobs(self) -> Jobs:
        observed = self._observed
        if observed.planned is None:
            return NO_JOBS
        transcribe = self._deployed.client("transcribe")
        listed = transcribe.list_medical_transcription_jobs(JobNameContains=observed.planned["transcript_id"])
        transcriptions = [job["MedicalTranscriptionJobName"] for job in listed["MedicalTranscriptionJobSummaries"]]
        return Jobs(tuple(sorted(transcriptions)), tuple(sorted(self._detections())))

    def _detections(self) -> list[str]:
        """Ids of the jobs over the usable recording's documents."""
        folders = {documents_prefix(document["job"]).rstrip("/") for document in self._observed.documents}
        answer: dict[str, Any] = self._deployed.client("comprehendmedical").list_entities_detection_v2_jobs(
            Filter={"SubmitTimeAfter": self._observed.began}
        )
        jobs = answer.get("ComprehendMedicalAsyncJobPropertiesList", [])
        return [job["JobId"] for job in jobs if job["InputDataConfig"].get("S3Key", "").strip("/") in folders]

    def _until(self, happened: Callable[[], Any], between: float | None = None) -> None:
        """Wait until `happened` is true, at most as long as an execution may take."""
        end = time.monotonic() + self._patience
        while not happened() and time.monotonic() < end:
            time.sleep(min(between or 60, pause(self._deployed)))
