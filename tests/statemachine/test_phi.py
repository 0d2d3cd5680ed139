"""Marker words in a recording's name, text and metadata: where they turn up, and where they never may."""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.services.transcribe import failures
from tests.statemachine.conftest import Run
from tests.statemachine.test_pipeline_runs import ANOTHER_WAY, patient
from tests.statemachine.test_reruns import attribute, dead_after

IN_NAME, IN_TEXT, IN_METADATA = "namemarker", "textmarker", "metadatamarker"


def put(run: Run, user: str, name: str, body: bytes) -> str:
    key = f"media/{user}/{IN_NAME} {name}"
    metadata = {"audience-consent": "true", "note": IN_METADATA}
    run.s3.put_object(Bucket=run.pipeline.media_bucket, Key=key, Body=body, Metadata=metadata)
    return f"s3://{run.pipeline.media_bucket}/{key}"


def succeed_and_fail_in_every_way(run: Run, monkeypatch: Any) -> list[dict[str, Any]]:
    """The executions of a recording that is processed, of bad ones, and of one that fails at each job and function."""
    user, speech = patient(), run.engines.recording(f"My name is {IN_TEXT}. I have a fever.")
    good = put(run, user, "visit.wav", speech)
    executions = [run.execution_of(good)]
    for name, body in ((f"{IN_NAME}.docx", speech), ("broken.wav", b"no sound at all"), ("empty.mp3", b"")):
        executions.append(run.execution_of(put(run, user, name, body)))

    run.engines.entity_errors = [RuntimeError(f"{IN_TEXT} is too much")]
    executions.append(run.start(media=[good], parameters=ANOTHER_WAY))
    for function in ("plan_batch", "collect_entities"):
        fault = run.pipeline.aws.faults.inject("s3", "PutObject", "access_denied", function=function, times=10_000)
        executions.append(run.start(media=[good], parameters=ANOTHER_WAY))
        assert fault.fired
        run.pipeline.aws.faults.clear()
    monkeypatch.setattr("local.services.transcribe.jobs.decode_checked", refuse)
    executions.append(run.start(media=[good], parameters=ANOTHER_WAY, reprocess=True))
    executions.append(run.start(media=[f"s3://elsewhere/{IN_NAME}"]))
    executions.append(run.start(media=[good], parameters={"StartMedicalTranscriptionJob": {"Type": "SONG"}}))
    return executions


def refuse(*arguments: Any) -> Any:
    raise failures.JobFailure("Access denied.")


def log_lines(run: Run) -> Iterator[str]:
    logs = run.pipeline.aws.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for page in pages:
            yield from (event["message"] for event in page["events"])


def dead_letters(run: Run) -> list[str]:
    """What is in the dead-letter queue after a recording that could start nothing, and what is emptied of it."""
    sqs = run.pipeline.aws.client("sqs")
    with dead_after(run, 1) as (_, dead):
        put(run, patient(), "dead.wav", run.engines.recording(f"{IN_TEXT} is dead."))
        run.until(lambda: attribute(run, dead, "ApproximateNumberOfMessages") == "1")
    found: list[str] = []
    for message in sqs.receive_message(QueueUrl=dead)["Messages"]:
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        found.append(message["Body"])
    return found


def without_uris(text: str) -> str:
    """State may carry `s3://` URIs; a name with blanks in it reaches to the end of its JSON text."""
    return re.sub(r's3://[^"\\]*', "s3://…", text)


def test_nothing_that_was_said_or_how_a_file_is_called_leaves_the_clinical_buckets(run: Run, monkeypatch: Any) -> None:
    executions = succeed_and_fail_in_every_way(run, monkeypatch)
    letters = dead_letters(run)
    assert {execution["status"] for execution in executions} == {"SUCCEEDED", "FAILED"}
    markers = (IN_NAME, IN_TEXT, IN_METADATA)
    assert any(IN_TEXT in text for text in run.engines.documents)
    assert IN_NAME in executions[-1]["input"]

    lines = list(log_lines(run))
    assert lines
    assert not [line for line in lines for marker in markers if marker in line]

    for execution in executions:
        maps = run.stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        arns = [
            execution["executionArn"],
            *(child["executionArn"] for child in (run.children(execution) if maps else ())),
        ]
        assert not any(marker in arn for arn in arns for marker in markers)
        history = json.dumps([run.events(arn) for arn in arns], default=str, ensure_ascii=False)
        told = without_uris(history.replace('\\"', '"').replace('\\"', '"'))
        assert not [marker for marker in markers if marker in told], execution["name"]
        assert IN_TEXT not in history and IN_METADATA not in history

    transcribe = run.pipeline.aws.client("transcribe")
    jobs = transcribe.list_medical_transcription_jobs(MaxResults=100)["MedicalTranscriptionJobSummaries"]
    names = [job["MedicalTranscriptionJobName"] for job in jobs]
    assert names and not any(marker in name for name in names for marker in markers)
    described = [transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=name) for name in names]
    told = without_uris(json.dumps(described, default=str, ensure_ascii=False))
    assert not [marker for marker in markers if marker in told]

    # S3's event names the key.
    (letter,) = letters
    assert IN_NAME in letter and IN_TEXT not in letter and IN_METADATA not in letter
    alarms = run.pipeline.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms and not any(marker in json.dumps(alarms, default=str) for marker in markers)
