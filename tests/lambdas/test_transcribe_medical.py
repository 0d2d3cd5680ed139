import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from lambdas import transcribe_medical
from lambdas.shared import jobs
from lambdas.shared.errors import JobFailed

RECORDING = {
    "batch_id": "batch",
    "media_id": "media",
    "user_id": "p-1",
    "uri": "s3://media-bucket/media/p-1/a b.wav",
    "transcript_id": "media-settings",
    "expected_seconds": 30,
}
NAME = "clinical-media-test-media-settings-"


@pytest.fixture
def transcribe(stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(transcribe_medical.transcribe)


def answer(status: str, reason: str | None = None, uri: str = RECORDING["uri"]) -> dict[str, Any]:  # type: ignore[assignment]
    job: dict[str, Any] = {"TranscriptionJobStatus": status, "Media": {"MediaFileUri": uri}}
    return {"MedicalTranscriptionJob": job | ({"FailureReason": reason} if reason else {})}


def expected_request(attempt: int) -> dict[str, Any]:
    return {
        "MedicalTranscriptionJobName": f"{NAME}{attempt}",
        "LanguageCode": "en-US",
        "Media": {"MediaFileUri": RECORDING["uri"]},
        "OutputBucketName": "clinical-bucket",
        "OutputKey": "transcripts/media-settings.json",
        "OutputEncryptionKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/clinical",
        "Specialty": "PRIMARYCARE",
        "Type": "DICTATION",
        "ContentIdentificationType": "PHI",
    }


def start() -> jobs.Job:
    return transcribe_medical.start({"recording": RECORDING, "redrive_count": 0}, None)


def poll(redrive_count: int = 0) -> jobs.Job:
    job = jobs.started(f"{NAME}1", 30, 0)
    return transcribe_medical.poll({"recording": RECORDING, "job": job, "redrive_count": redrive_count}, None)


def test_a_job_is_started_under_our_key_with_the_environment_s_settings(transcribe: Stubber) -> None:
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(1))
    job = start()
    assert (job["id"], job["status"], job["wait_seconds"]) == (f"{NAME}1", "IN_PROGRESS", 24)


def test_a_vocabulary_is_passed_and_phi_labelling_can_be_off(
    transcribe: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"type": "CONVERSATION", "specialty": "PRIMARYCARE", "content_identification_type": None}
    monkeypatch.setenv("TRANSCRIPTION", json.dumps({**settings, "vocabulary_name": "cardiology"}))
    request = {**expected_request(1), "Type": "CONVERSATION", "Settings": {"VocabularyName": "cardiology"}}
    del request["ContentIdentificationType"]
    transcribe.add_response("start_medical_transcription_job", {}, request)
    start()


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS", "COMPLETED"])
def test_a_job_that_exists_and_did_not_fail_is_adopted(transcribe: Stubber, status: str) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response(
        "get_medical_transcription_job", answer(status), {"MedicalTranscriptionJobName": f"{NAME}1"}
    )
    assert start()["id"] == f"{NAME}1"


def test_after_a_failed_job_the_next_attempt_starts(transcribe: Stubber) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("FAILED"))
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(2))
    assert start()["id"] == f"{NAME}2"


def test_a_job_of_that_name_for_another_recording_is_never_adopted(transcribe: Stubber) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("COMPLETED", uri="s3://media-bucket/other"))
    with pytest.raises(JobFailed, match="transcribes another object than media media"):
        start()


def test_attempts_end(transcribe: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe_medical, "MAXIMUM_ATTEMPTS", 1)
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("FAILED"))
    with pytest.raises(JobFailed, match=f"1 jobs for media media have failed; the last was {NAME}1"):
        start()


@pytest.mark.parametrize(
    ("status", "ours"), [("QUEUED", "IN_PROGRESS"), ("IN_PROGRESS", "IN_PROGRESS"), ("COMPLETED", "COMPLETED")]
)
def test_the_service_s_status_becomes_ours(transcribe: Stubber, status: str, ours: str) -> None:
    transcribe.add_response(
        "get_medical_transcription_job", answer(status), {"MedicalTranscriptionJobName": f"{NAME}1"}
    )
    assert poll()["status"] == ours


def test_a_recording_that_the_service_refuses_is_written_down_with_its_reason(transcribe: Stubber, s3: Any) -> None:
    reason = "The media format provided does not match the detected media format."
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    assert poll()["status"] == "REJECTED"
    body = s3.get_object(Bucket="clinical-bucket", Key="batches/batch/rejections/media.json")["Body"].read()
    assert json.loads(body) == {
        "media_id": "media",
        "user_id": "p-1",
        "uri": RECORDING["uri"],
        "reason": f"Transcribe Medical: {reason}",
    }


@pytest.mark.parametrize("reason", ["Access denied when writing to S3", "The KMS key is disabled.", "Internal failure"])
def test_a_failure_of_ours_fails_the_poll_and_a_redrive_starts_again(transcribe: Stubber, reason: str) -> None:
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    with pytest.raises(JobFailed, match=reason):
        poll()
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    assert poll(redrive_count=1)["status"] == "START_AGAIN"
