import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from lambdas import transcribe_medical
from lambdas.shared import jobs, storage
from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import media_id

RECORDING: dict[str, Any] = {
    "batch_id": "batch",
    "media_id": media_id("media-bucket", "media/p-1/a b.wav", {"VersionId": "v1"}),
    "user_id": "p-1",
    "uri": "s3://media-bucket/media/p-1/a b.wav",
    "transcript_id": "media-settings",
    "expected_seconds": 30,
}
NAME = "clinical-media-test-media-settings-"


@pytest.fixture(autouse=True)
def version(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What S3 says of the recording."""
    head = {"VersionId": "v1"}
    monkeypatch.setattr(storage.s3, "head_object", lambda **_: head)
    return head


@pytest.fixture
def transcribe(stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(transcribe_medical.transcribe)


NO_ACCESS = "Access denied when writing to S3"
REFUSED = "The media format provided does not match the detected media format."


def answer(status: str, reason: str | None = None, uri: str = "s3://media-bucket/media/p-1/a b.wav") -> dict[str, Any]:
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
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", NO_ACCESS))
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(2))
    assert start()["id"] == f"{NAME}2"


def test_a_job_that_failed_for_the_recording_s_own_reason_is_not_repeated(transcribe: Stubber) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", REFUSED))
    job = start()
    assert (job["id"], job["wait_seconds"]) == (f"{NAME}1", jobs.SHORTEST_WAIT_SECONDS)


def test_a_finished_job_is_not_waited_for(transcribe: Stubber) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("COMPLETED"))
    assert start()["wait_seconds"] == jobs.SHORTEST_WAIT_SECONDS


def test_a_recording_that_was_replaced_after_the_plan_is_rejected_and_nothing_started(
    transcribe: Stubber, s3: Any, version: dict[str, str]
) -> None:
    version["VersionId"] = "v2"
    job = start()
    assert (job["status"], job["wait_seconds"]) == ("REJECTED", 0)
    assert rejection(s3)["reason"] == "The object was deleted or replaced meanwhile."
    assert transcribe_medical.poll({"recording": RECORDING, "job": job, "redrive_count": 0}, None) == job


def test_a_job_of_that_name_for_another_recording_is_never_adopted(transcribe: Stubber) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("COMPLETED", uri="s3://media-bucket/other"))
    with pytest.raises(JobFailed, match="transcribes another object than media"):
        start()


def test_attempts_end(transcribe: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe_medical, "MAXIMUM_ATTEMPTS", 1)
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", NO_ACCESS))
    with pytest.raises(JobFailed, match=f"1 jobs for media {RECORDING['media_id']} have failed; the last was {NAME}1"):
        start()


@pytest.mark.parametrize(
    ("status", "ours"), [("QUEUED", "IN_PROGRESS"), ("IN_PROGRESS", "IN_PROGRESS"), ("COMPLETED", "COMPLETED")]
)
def test_the_service_s_status_becomes_ours(transcribe: Stubber, status: str, ours: str) -> None:
    transcribe.add_response(
        "get_medical_transcription_job", answer(status), {"MedicalTranscriptionJobName": f"{NAME}1"}
    )
    assert poll()["status"] == ours


def rejection(s3: Any) -> dict[str, Any]:
    key = f"batches/batch/rejections/{RECORDING['media_id']}.json"
    found: dict[str, Any] = json.loads(s3.get_object(Bucket="clinical-bucket", Key=key)["Body"].read())
    return found


def test_a_recording_that_the_service_refuses_is_written_down_with_its_reason(transcribe: Stubber, s3: Any) -> None:
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", REFUSED))
    assert poll()["status"] == "REJECTED"
    assert rejection(s3) == {
        "media_id": RECORDING["media_id"],
        "user_id": "p-1",
        "uri": RECORDING["uri"],
        "reason": f"Transcribe Medical: {REFUSED}",
    }


@pytest.mark.parametrize("reason", ["Access denied when writing to S3", "The KMS key is disabled.", "Internal failure"])
def test_a_failure_of_ours_fails_the_poll_and_a_redrive_starts_again(transcribe: Stubber, reason: str) -> None:
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    with pytest.raises(JobFailed, match=reason):
        poll()
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    assert poll(redrive_count=1)["status"] == "START_AGAIN"
