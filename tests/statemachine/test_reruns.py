"""Rows of docs/reruns.md that no other test shows: something fails, a button is pressed, and nothing is lost."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import failures
from tests.statemachine.conftest import Run
from tests.statemachine.test_pipeline_runs import ANOTHER_WAY, dropped, transcription_jobs

FOREVER = 10_000


@pytest.fixture(autouse=True)
def repaired(run: Run) -> Iterator[None]:
    yield
    run.pipeline.aws.faults.clear()


def redriven(run: Run, execution: dict[str, Any]) -> dict[str, Any]:
    run.stepfunctions.redrive_execution(executionArn=execution["executionArn"])
    return run.ended(execution["executionArn"])


@contextmanager
def variable(run: Run, function: str, name: str, value: str) -> Iterator[None]:
    """The function with another value of an environment variable, as a deployment would give it."""
    client = run.pipeline.aws.client("lambda")
    full = f"clinical-media-local-{function}"
    variables = client.get_function_configuration(FunctionName=full)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=full, Environment={"Variables": {**variables, name: value}})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=full, Environment={"Variables": variables})


def test_an_outage_that_outlasts_the_retries_is_redriven_when_it_is_over(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever after lunch.")
    run.pipeline.aws.faults.inject("s3", "GetObject", "internal_error", function="select_seeds", times=FOREVER)
    with variable(run, "select_seeds", "AWS_MAX_ATTEMPTS", "1"):  # the SDK's own retries take their time
        failed = run.start(media=[uri], parameters=ANOTHER_WAY)
        detected = len(run.engines.documents)
        assert failed["status"] == "FAILED"
        assert run.states(failed["executionArn"])[-1] == "SelectSeeds"
        assert redriven(run, failed)["status"] == "FAILED"  # it isn't over yet
    run.pipeline.aws.faults.clear()
    again = redriven(run, failed)
    assert (run.summary(again)["recordings"]["transcribed"], again["redriveCount"]) == (1, 2)
    assert len(run.engines.documents) == detected


def test_a_redrive_from_the_command_line_repeats_the_failed_job_of_a_batch_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    uris = dropped(run, "He has a fever in May.", "He has a fever in June.", "He has a fever in July.")
    left = [failures.JobFailure("Access denied: no read permission.")]

    def fails_once(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return decode(*arguments)

    decode = failures.decode_checked
    monkeypatch.setattr("local.services.transcribe.jobs.decode_checked", fails_once)
    jobs = len(transcription_jobs(run))
    failed = run.start(media=uris, parameters=ANOTHER_WAY)
    assert failed["error"] == "States.ExceedToleratedFailureThreshold"
    assert ("JobFailed", True) in [(error, "Access denied" in cause) for error, cause in run.causes(failed)]
    # The real AWS CLI, as an operator would.
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    aws = str(Path(sys.executable).parent / "aws")
    command = [aws, "stepfunctions", "redrive-execution", "--execution-arn", failed["executionArn"]]
    subprocess.run(command, check=True, env=environment, timeout=60, stdout=subprocess.DEVNULL)
    again = run.ended(failed["executionArn"])
    assert run.summary(again)["recordings"]["transcribed"] == 3
    assert len(transcription_jobs(run)) == jobs + 3 + 1  # the failed one's next attempt


def test_an_execution_that_was_stopped_by_hand_goes_on_where_it_was(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever on Monday.")
    jobs = len(transcription_jobs(run))
    run.engines.seconds_per_job = 0.5
    arn = run.begin(media=[uri], parameters=ANOTHER_WAY)
    run.until(lambda: len(transcription_jobs(run)) > jobs)
    run.stepfunctions.stop_execution(executionArn=arn)
    assert run.ended(arn)["status"] == "ABORTED"
    run.stepfunctions.redrive_execution(executionArn=arn)
    assert run.summary(run.ended(arn))["recordings"]["transcribed"] == 1
    assert len(transcription_jobs(run)) == jobs + 1


def test_an_entity_detection_job_that_somebody_stopped_is_started_again_by_a_redrive(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (uri,) = dropped(run, "He has a fever on Tuesday.")
    client = run.pipeline.aws.client("comprehendmedical")
    detect: Callable[[str], Any] = entity_jobs.engine
    stopped: list[str] = []

    def stopped_meanwhile(text: str) -> Any:
        if not stopped:
            (job,) = client.list_entities_detection_v2_jobs(Filter={"JobStatus": "IN_PROGRESS"})[
                "ComprehendMedicalAsyncJobPropertiesList"
            ]
            stopped.append(client.stop_entities_detection_v2_job(JobId=job["JobId"])["JobId"])
            time.sleep(0.1)
        return detect(text)

    monkeypatch.setattr(entity_jobs, "engine", stopped_meanwhile)
    failed = run.start(media=[uri], parameters=ANOTHER_WAY)
    assert (failed["status"], failed["error"]) == ("FAILED", "JobFailed")
    assert stopped[0] in failed["cause"]
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1


def test_above_the_cost_ceiling_a_redrive_goes_on_once_it_is_raised(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever on Wednesday.")
    with variable(run, "start_entity_detection", "COST_CEILING_USD", "0"):
        failed = run.start(media=[uri], parameters=ANOTHER_WAY)
    jobs = len(transcription_jobs(run))
    assert failed["error"] == "CostCeilingExceeded"
    assert run.summary(redriven(run, failed))["recordings"]["transcribed"] == 1
    assert len(transcription_jobs(run)) == jobs


def test_a_wrong_input_stays_wrong_when_it_is_redriven(run: Run) -> None:
    failed = run.start(medai=[])
    assert failed["error"] == "InvalidInput"
    assert redriven(run, failed)["error"] == "InvalidInput"


def test_a_transcript_that_has_expired_takes_a_reprocess(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever on Thursday.")
    run.engines.entity_errors = [RuntimeError("out of order")]
    failed = run.start(media=[uri], parameters=ANOTHER_WAY)
    plan = json.loads(run.clinical(f"batches/{failed['name']}/plan.json"))
    key = f"transcripts/{plan['recordings'][0]['transcript_id']}.json"
    run.s3.delete_object(Bucket=run.pipeline.clinical_bucket, Key=key)
    again = run.start(media=[uri], parameters=ANOTHER_WAY)
    assert (again["status"], again["error"]) == ("FAILED", "IncompleteOutput")
    assert "reprocess" in again["cause"]
    assert run.summary(run.start(media=[uri], parameters=ANOTHER_WAY, reprocess=True))["reprocess"] is True


def test_a_file_that_is_uploaded_again_is_transcribed_again_and_its_records_replaced(run: Run) -> None:
    (uri,) = dropped(run, "He has a fever on Friday.")
    key = uri.split("/", 3)[3]
    body = run.s3.get_object(Bucket=run.pipeline.media_bucket, Key=key)["Body"].read()
    jobs, before = len(transcription_jobs(run)), run.records(uri.split("/")[4])
    executions = len(run.executions())
    run.drop(key, body)
    run.until(lambda: len(run.executions()) > executions)
    for execution in run.executions():
        run.summary(run.ended(execution["executionArn"])) if uri in execution["input"] else None
    after = run.records(uri.split("/")[4])
    assert len(transcription_jobs(run)) == jobs + 1
    assert [row["text"] for row in after] == [row["text"] for row in before] == ["fever"]
    assert after[0]["media_id"] != before[0]["media_id"]
