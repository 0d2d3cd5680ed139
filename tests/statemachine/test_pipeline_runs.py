"""The whole pipeline, run: what a drop of recordings comes to in the end."""

import json
import uuid
from typing import Any

import pytest

from tests.statemachine.conftest import Run


def patient() -> str:
    return f"p-{uuid.uuid4().hex[:8]}"


def test_dropped_recordings_become_transcripts_entities_and_an_audience(run: Run) -> None:
    users = [f"p-{number:03}" for number in range(1, 27)]  # whom the model's owner knows
    run.remember(users[4:])  # earlier batches' patients
    users = users[:4]
    body = run.engines.recording("The patient has hypertension. She is well.")
    uris = [run.drop(f"media/{user}/visit é+%.wav", body, consent=True) for user in users]
    executions = {run.execution_of(uri)["name"]: run.execution_of(uri) for uri in uris}
    summaries = [run.summary(execution) for execution in executions.values()]
    assert sum(summary["recordings"]["transcribed"] for summary in summaries) == 4
    assert all(summary["rejected"] == [] for summary in summaries)

    (record,) = run.records(users[0])
    assert (record["text"], record["begin_offset"], record["start_seconds"]) == ("hypertension", 16, 0.75)
    assert record["media_uri"] == uris[0]

    last = max(summaries, key=lambda summary: len(summary["audiences"]))
    (audience,) = [item for item in last["audiences"] if item["cohort"] == "hypertension"]
    assert audience["seed_size"] >= 25
    assert [item["audienceSize"]["value"] for item in audience["metrics"]["relevanceMetrics"]] == [1, 2, 5, 10, 20]
    assert audience["export_uri"].startswith("s3://audience-model-owner-")


def test_a_seed_holds_only_patients_who_consented(run: Run) -> None:
    user = patient()
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("The patient has hypertension."))
    run.execution_of(uri)
    listed = run.s3.list_objects_v2(Bucket=run.pipeline.audience_bucket, Prefix="seeds/").get("Contents", ())
    seeds = [run.s3.get_object(Bucket=run.pipeline.audience_bucket, Key=item["Key"])["Body"].read() for item in listed]
    assert run.records(user)[0]["audience_consent"] is False
    assert not any(user.encode() in seed for seed in seeds)


def test_a_cohort_that_is_too_small_is_told_and_nothing_is_generated(run: Run) -> None:
    uri = run.drop(f"media/{patient()}/a.wav", run.engines.recording("She has asthma."), consent=True)
    summary = run.summary(run.execution_of(uri))
    (asthma,) = [item for item in summary["cohorts_without_audience"] if item["cohort"] == "asthma"]
    assert asthma["eligible"] < 25
    assert "the cohort needs 25" in asthma["reason"]


@pytest.mark.parametrize("ending", ["empty", "silent"])
def test_a_new_version_without_consent_withdraws_it_even_if_nothing_comes_of_that_version(
    run: Run, ending: str
) -> None:
    def ended() -> int:
        """How many executions have worked on the recording and ended."""
        return sum(
            uri in run.media_of(item["executionArn"]) and item["status"] != "RUNNING" for item in run.executions()
        )

    def eligible(body: bytes, consent: bool) -> int:
        before = ended()
        run.drop(key, body, consent=consent)
        run.until(lambda: ended() > before)
        # By hand, since the drop before has an execution with this very input.
        summary = run.summary(run.start(media=[uri], parameters=ANOTHER_WAY))
        (asthma,) = [item for item in summary["cohorts_without_audience"] if item["cohort"] == "asthma"]
        number: int = asthma["eligible"]
        return number

    key = f"media/{patient()}/a.wav"
    uri = f"s3://{run.pipeline.media_bucket}/{key}"
    given = eligible(run.engines.recording(f"She has asthma, {ending}."), consent=True)
    assert eligible(b"" if ending == "empty" else run.engines.recording(""), consent=False) == given - 1


def test_bad_recordings_are_rejected_with_their_reasons_and_stop_nobody(run: Run) -> None:
    user = patient()
    bad = {
        "empty.wav": (b"", "The file is empty"),
        "notes.mp3": (b"these are words and no sound", "Transcribe Medical: "),
        "visit.docx": (run.engines.recording("x"), "The file name ends in 'docx'"),
        "silent.wav": (run.engines.recording(""), "No speech was recognised"),
    }
    good = run.drop(f"media/{user}/good.wav", run.engines.recording("He has a fever."))
    uris = {run.drop(f"media/{user}/{name}", body): reason for name, (body, reason) in bad.items()}
    # Not as their events have them transcribed, which would be elsewhere.
    summary = run.summary(run.start(media=[good, *uris], parameters=ANOTHER_WAY))
    assert summary["recordings"]["rejected"] == 4
    assert {item["uri"] for item in summary["rejected"]} == set(uris)
    for item in summary["rejected"]:
        assert item["reason"].startswith(uris[item["uri"]])
    assert [record["text"] for record in run.records(user)] == ["fever"]


def test_a_file_that_is_named_wrong_but_holds_speech_is_transcribed(run: Run) -> None:
    user = patient()
    uri = run.drop(f"media/{user}/really-a-wav.mp3", run.engines.recording("He has a fever."))
    assert run.summary(run.execution_of(uri))["recordings"]["transcribed"] == 1


def test_a_slow_job_is_polled_until_it_ends(run: Run) -> None:
    run.engines.seconds_per_job = 1.0
    uri = run.drop(f"media/{patient()}/long.wav", run.engines.recording("A long visit without findings."))
    execution = run.execution_of(uri)
    run.summary(execution)
    (child,) = run.children(execution)
    states = run.states(child["executionArn"])
    assert states[:3] == ["StartTranscription", "WaitForTranscription", "PollTranscription"]
    assert states.count("PollTranscription") > 2
    assert states.count("StartTranscription") == 1
    assert child["output"] == "{}"


def test_a_failed_job_fails_the_execution_with_its_reason_and_a_new_execution_goes_on_from_there(run: Run) -> None:
    user = patient()
    run.engines.entity_errors = [RuntimeError("out of order")]
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("He has a fever today."))
    failed = run.execution_of(uri)
    assert (failed["status"], failed["error"]) == ("FAILED", "JobFailed")
    assert "A redrive starts the next attempt" in failed["cause"]
    jobs_before = len(transcription_jobs(run))

    again = run.start(media=[uri])
    assert run.summary(again)["recordings"] == {
        "received": 1, "transcribed": 1, "reused": 0, "elsewhere": 0, "rejected": 0,
    }  # fmt: skip
    assert [record["text"] for record in run.records(user)] == ["fever"]
    assert len(transcription_jobs(run)) == jobs_before


def test_a_redrive_starts_the_next_attempt_of_the_failed_job_and_repeats_nothing_else(run: Run) -> None:
    user = patient()
    run.engines.entity_errors = [RuntimeError("out of order")]
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("He has a fever in the evening."))
    failed = run.execution_of(uri)
    assert (failed["status"], failed["error"]) == ("FAILED", "JobFailed")
    jobs = len(transcription_jobs(run))
    run.stepfunctions.redrive_execution(executionArn=failed["executionArn"])
    redriven = run.ended(failed["executionArn"])
    assert run.summary(redriven)["recordings"]["transcribed"] == 1
    assert redriven["redriveCount"] == 1
    states = run.states(failed["executionArn"])
    assert (states.count("TranscribeMedia"), states.count("StartEntityDetection")) == (1, 2)
    assert len(transcription_jobs(run)) == jobs


def test_a_new_execution_with_the_same_input_reuses_finished_work(run: Run) -> None:
    user = patient()
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("He has a fever."))
    run.summary(run.execution_of(uri))
    jobs, documents = len(transcription_jobs(run)), len(run.engines.documents)
    summary = run.summary(run.start(prefix=f"s3://{run.pipeline.media_bucket}/media/{user}/"))
    assert summary["recordings"] == {
        "received": 1, "transcribed": 0, "reused": 1, "elsewhere": 0, "rejected": 0,
    }  # fmt: skip
    assert (len(transcription_jobs(run)), len(run.engines.documents)) == (jobs, documents)


def test_reprocess_does_it_all_again(run: Run) -> None:
    user = patient()
    uri = run.drop(f"media/{user}/a.wav", run.engines.recording("He has a fever."))
    run.summary(run.execution_of(uri))
    jobs = len(transcription_jobs(run))
    summary = run.summary(run.start(media=[uri], reprocess=True))
    assert (summary["reprocess"], summary["recordings"]["transcribed"]) == (True, 1)
    assert len(transcription_jobs(run)) == jobs + 1
    assert len(run.records(user)) == 1


def test_what_an_execution_asks_of_a_service_has_its_effect_and_the_service_s_answer_is_kept(run: Run) -> None:
    text = "My name is Maria Lopez. I have a fever. Since when do you have it."
    (uri,) = dropped(run, text)
    settings = {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ShowAlternatives": True, "MaxAlternatives": 2}
    asked = {
        "Type": "CONVERSATION",
        "Settings": settings,
        "MediaFormat": "wav",
        "MediaSampleRateHertz": 16_000,
        "KMSEncryptionContext": {"purpose": "study"},
        "Tags": [{"Key": "study", "Value": "7"}],
    }
    parameters = {"StartMedicalTranscriptionJob": asked, "StartEntitiesDetectionV2Job": {"JobName": "study 7"}}
    execution = run.start(media=[uri], parameters=parameters)
    summary = run.summary(execution)
    assert summary["parameters"]["StartMedicalTranscriptionJob"]["Settings"] == settings

    prefix = f"batches/{execution['name']}/jobs/"
    (transcription,) = run.documents(prefix + "transcription/")
    answered = {name: value for name, value in asked.items() if name != "KMSEncryptionContext"}
    assert {name: transcription[name] for name in answered} == answered
    assert transcription["TranscriptionJobStatus"] == "COMPLETED"
    assert transcription["CreationTime"] <= transcription["StartTime"] <= transcription["CompletionTime"]
    (detection,) = run.documents(prefix + "entity_detection/")
    assert detection["JobName"].startswith("study 7-")
    assert summary["entity_detection"]["model_version"] == detection["ModelVersion"]

    user = uri.split("/")[4]
    (fever,) = [record for record in run.records(user) if record["source"] == "comprehend_medical"]
    assert (fever["text"], fever["speaker"], fever["confidence"]) == ("fever", "spk_1", 0.9)
    (name,) = [record for record in run.records(user) if record["source"] == "transcribe_medical"]
    assert (name["text"], name["speaker"]) == ("Maria Lopez", "spk_0")


def test_a_transcript_without_the_names_in_it_is_written_beside_each_transcript(run: Run) -> None:
    (uri,) = dropped(run, "My name is Maria Lopez and I have a fever.")
    plan = json.loads(run.clinical(f"batches/{run.execution_of(uri)['name']}/plan.json"))
    transcript_id = plan["recordings"][0]["transcript_id"]
    assert "Maria Lopez" in run.clinical(f"transcripts/{transcript_id}.json")
    masked = run.clinical(f"deidentified/{transcript_id}.json")
    assert not any(name in masked for name in ("Maria", "Lopez"))
    assert "fever" in masked


# Other parameters make other transcripts: what the event's own execution did is then still to be done.
ANOTHER_WAY = {"StartMedicalTranscriptionJob": {"Type": "CONVERSATION"}}


def dropped(run: Run, *texts: str) -> list[str]:
    """The URIs of recordings whose events have been dealt with."""
    user = patient()
    uris = [run.drop(f"media/{user}/{n}.wav", run.engines.recording(text)) for n, text in enumerate(texts)]
    for uri in uris:
        run.summary(run.execution_of(uri))
    return uris


def test_an_execution_that_overlaps_a_running_one_leaves_it_what_it_works_on(run: Run) -> None:
    shared, alone = dropped(run, "He has a fever on ward one.", "He has a fever on ward two.")
    detected = len(run.engines.documents)
    run.engines.seconds_per_job = 0.5
    first = run.begin(media=[shared], parameters=ANOTHER_WAY)
    run.until(lambda: "TranscribeMedia" in run.states(first))
    second = run.summary(run.start(media=[shared, alone], parameters=ANOTHER_WAY))
    (left,) = second["elsewhere"]
    assert (left["uri"], left["execution_name"]) == (shared, first.rpartition(":")[2])
    assert second["recordings"] == {"received": 2, "transcribed": 1, "reused": 0, "elsewhere": 1, "rejected": 0}
    assert run.summary(run.ended(first))["recordings"]["transcribed"] == 1
    assert sorted(run.engines.documents[detected:]) == ["He has a fever on ward one.", "He has a fever on ward two."]


@pytest.mark.parametrize("more", [0, 1])
def test_an_execution_that_was_taken_over_pays_for_nothing_again_when_it_is_redriven(run: Run, more: int) -> None:
    uris = dropped(run, "He has a fever at noon.", "He has a fever at night.")
    run.engines.entity_errors = [RuntimeError("out of order")]
    failed = run.start(media=uris[:1], parameters=ANOTHER_WAY)
    assert failed["error"] == "JobFailed"
    assert (
        run.summary(run.start(media=uris[: 1 + more], parameters=ANOTHER_WAY))["recordings"]["transcribed"] == 1 + more
    )
    detected = len(run.engines.documents)
    run.stepfunctions.redrive_execution(executionArn=failed["executionArn"])
    redriven = run.ended(failed["executionArn"])
    told = run.summary(redriven)["recordings"]
    assert (told["transcribed"], told["elsewhere"]) == (0, 1)
    assert len(run.engines.documents) == detected


def test_the_same_events_again_start_no_execution(run: Run) -> None:
    key = f"media/{patient()}/a.wav"
    uri = run.drop(key, run.engines.recording("He has a fever."))
    run.execution_of(uri)
    executions = len(run.executions())
    deliver(run, key)
    assert len(run.executions()) == executions


def test_an_event_again_in_another_batch_starts_no_job(run: Run) -> None:
    keys = [f"media/{patient()}/{name}.wav" for name in "ab"]
    body = run.engines.recording("He has a fever.")
    for uri in [run.drop(key, body) for key in keys]:
        run.execution_of(uri)
    jobs, documents = len(transcription_jobs(run)), len(run.engines.documents)
    deliver(run, *keys)
    deliver(run, *reversed(keys))
    for execution in run.executions():
        run.ended(execution["executionArn"])
    assert (len(transcription_jobs(run)), len(run.engines.documents)) == (jobs, documents)


def test_a_partial_success_keeps_what_there_is_and_tells_what_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = patient()
    good = run.drop(f"media/{user}/good.wav", run.engines.recording("He has a fever."))
    bad = run.drop(f"media/{user}/bad.wav", run.engines.recording("He has a fever " + "and rests " * 30))
    monkeypatch.setattr("local.services.comprehendmedical.jobs.MAXIMUM_DOCUMENT_BYTES", 100)
    # Whatever the execution of the drop has claimed.
    summary = run.summary(run.start(media=[good, bad], reprocess=True))
    assert summary["entities"]["documents_unprocessed"] == 1
    (rejected,) = summary["rejected"]
    assert rejected["uri"] == bad
    assert "entities of 1 of 1 documents of the transcript are missing: DOCUMENT_SIZE_EXCEEDED" in rejected["reason"]
    assert [record["media_uri"] for record in run.records(user)] == [good]


def test_above_the_cost_ceiling_nothing_is_spent(run: Run) -> None:
    uri = run.drop(f"media/{patient()}/a.wav", run.engines.recording("He has a fever."))
    run.execution_of(uri)
    functions = run.pipeline.aws.client("lambda")
    name = "clinical-media-local-plan_batch"
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "BATCH_CEILING_USD": "0"}}
    )
    documents, started = len(run.engines.documents), len(transcription_jobs(run))
    try:
        execution = run.start(media=[uri], reprocess=True)
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    assert (execution["status"], execution["error"]) == ("FAILED", "CostCeilingExceeded")
    assert "costs.batch_ceiling_usd is 0.00. Nothing was started or spent." in execution["cause"]
    assert (len(run.engines.documents), len(transcription_jobs(run))) == (documents, started)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({}, "needs exactly one of media and prefix"),
        (
            {"prefix": "s3://b/media/", "parameters": {"StartMedicalTranscriptionJob": {"LanguageCode": "de-DE"}}},
            "StartMedicalTranscriptionJob: LanguageCode is",
        ),
        ({"media": ["s3://somebody-else/media/p/a.wav"]}, "is in the bucket somebody-else, not in"),
    ],
)
def test_a_wrong_input_fails_at_once_and_says_what_to_give(run: Run, request_: dict[str, Any], told: str) -> None:
    execution = run.start(**request_)
    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidInput")
    assert told in execution["cause"]


def test_no_state_of_an_execution_carries_what_was_said(run: Run) -> None:
    uri = run.drop(f"media/{patient()}/a.wav", run.engines.recording("He has a fever and a zebrafinch."))
    execution = run.execution_of(uri)
    arns = [execution["executionArn"], *(child["executionArn"] for child in run.children(execution))]
    history = json.dumps([run.events(arn) for arn in arns], default=str)
    assert "zebrafinch" in run.engines.documents[-1] or any("zebrafinch" in text for text in run.engines.documents)
    assert "zebrafinch" not in history
    assert "fever" not in history


def transcription_jobs(run: Run) -> list[dict[str, Any]]:
    transcribe = run.pipeline.aws.client("transcribe")
    jobs: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = transcribe.list_medical_transcription_jobs(MaxResults=100, **token)
        jobs += page["MedicalTranscriptionJobSummaries"]
        if "NextToken" not in page:
            return jobs
        token = {"NextToken": page["NextToken"]}


def deliver(run: Run, *keys: str) -> None:
    """Hand the function the events of these objects in one queue batch, as the queue would."""
    bucket = run.pipeline.media_bucket
    records = []
    for key in keys:
        version = run.s3.head_object(Bucket=bucket, Key=key)["VersionId"]
        detail = {"bucket": {"name": bucket}, "object": {"key": key, "etag": "x", "version-id": version}}
        records.append({"messageId": key[-8:], "body": json.dumps({"detail": detail})})
    answer = run.pipeline.aws.client("lambda").invoke(
        FunctionName="clinical-media-local-ingest", Payload=json.dumps({"Records": records})
    )
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
