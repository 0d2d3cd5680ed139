import io
import json
import wave
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import transcribe_medical
from lambdas.planning.media_headers.read_header import read_header
from lambdas.planning.media_headers.s3_source import S3Source
from lambdas.shared import jobs
from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import media_id
from lambdas.shared.object_faults import CHANGED
from tests.faults.job_failures import ABOUT_THE_RECORDING

MEDIA, CLINICAL = "media-bucket", "clinical-bucket"
KEY = "media/p-1/a b.wav"
THEIRS = "arn:aws:kms:us-east-1:123456789012:key/theirs"
URI = f"s3://{MEDIA}/{KEY}"
NAME = "clinical-media-test-media-settings-"
NO_ACCESS = "Access denied when writing to S3"
REFUSED = "The media format provided does not match the detected media format."
STATUSES = botocore.session.get_session().get_service_model("transcribe").shape_for("TranscriptionJobStatus").enum  # type: ignore[attr-defined]
PARAMETERS: dict[str, Any] = {
    "LanguageCode": "en-US",
    "Specialty": "PRIMARYCARE",
    "Type": "DICTATION",
    "ContentIdentificationType": "PHI",
}


def sound(seconds: float = 1, rate: int = 16_000) -> bytes:
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * round(seconds * rate)))
    return body.getvalue()


@pytest.fixture
def recording(s3: Any) -> dict[str, Any]:
    """A recording that is there, as PlanBatch describes it."""
    return put_recording(s3, sound())


def put_recording(s3: Any, body: bytes, **more: str) -> dict[str, Any]:
    head = s3.put_object(Bucket=MEDIA, Key=KEY, Body=body, **more)
    return {
        "batch_id": "batch",
        "media_id": media_id(MEDIA, KEY, head),
        "user_id": "p-1",
        "uri": URI,
        "transcript_id": "media-settings",
        "expected_seconds": 30,
    }


@pytest.fixture
def transcribe(s3: Any, stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(transcribe_medical.transcribe)


def answer(status: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    job: dict[str, Any] = {"TranscriptionJobStatus": status, "Media": {"MediaFileUri": URI}, **more}
    return {"MedicalTranscriptionJob": job | ({"FailureReason": reason} if reason else {})}


def expected_request(attempt: int, **more: Any) -> dict[str, Any]:
    return {
        **PARAMETERS,
        "MedicalTranscriptionJobName": f"{NAME}{attempt}",
        "Media": {"MediaFileUri": URI},
        "OutputBucketName": CLINICAL,
        "OutputKey": "transcripts/media-settings.json",
        "OutputEncryptionKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/clinical",
        **more,
    }


def start(recording: dict[str, Any], retry_count: int = 0, **parameters: Any) -> jobs.Job:
    parameters = {**PARAMETERS, **parameters}
    event = {"recording": recording, "parameters": parameters, "retry_count": retry_count, "redrive_count": 0}
    return transcribe_medical.start(event, None)


def poll(recording: dict[str, Any], redrive_count: int = 0, polls: int = jobs.EARLY_POLLS) -> jobs.Job:
    job: jobs.Job = {**jobs.started(f"{NAME}1", 30, 0), "polls": polls}
    event = {"recording": recording, "job": job, "redrive_count": redrive_count}
    answer: jobs.Job = transcribe_medical.poll(event, None)
    return answer


def expect_conflict(transcribe: Stubber, existing: dict[str, Any]) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response("get_medical_transcription_job", existing)


def read(s3: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read())
    return found


def rejection(s3: Any, recording: dict[str, Any]) -> dict[str, Any]:
    return read(s3, f"batches/batch/rejections/{recording['media_id']}.json")


def test_a_job_is_started_under_our_key_and_first_looked_at_when_most_of_it_should_be_done(
    transcribe: Stubber, s3: Any
) -> None:
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(1))
    job = start(put_recording(s3, sound(40)))
    assert (job["id"], job["status"], job["expected_seconds"]) == (f"{NAME}1", "IN_PROGRESS", 20 + 40 / 4)
    assert job["wait_seconds"] == 24


def test_every_parameter_that_was_asked_for_is_passed_on(transcribe: Stubber, recording: dict[str, Any]) -> None:
    asked: dict[str, Any] = {
        "Type": "CONVERSATION",
        "MediaFormat": "wav",
        "MediaSampleRateHertz": 16_000,
        "KMSEncryptionContext": {"ward": "3"},
        "Settings": {
            "ShowSpeakerLabels": True,
            "MaxSpeakerLabels": 2,
            "ShowAlternatives": True,
            "MaxAlternatives": 3,
            "VocabularyName": "cardiology",
        },
        "Tags": [{"Key": "ward", "Value": "3"}],
    }
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(1, **asked))
    start(recording, **asked)


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS", "COMPLETED"])
def test_a_job_that_exists_and_did_not_fail_is_adopted(
    transcribe: Stubber, recording: dict[str, Any], status: str
) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "ConflictException")
    transcribe.add_response(
        "get_medical_transcription_job", answer(status), {"MedicalTranscriptionJobName": f"{NAME}1"}
    )
    assert start(recording)["id"] == f"{NAME}1"


def test_a_transcript_that_is_there_already_needs_no_job_whatever_became_of_the_one_that_wrote_it(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    s3.put_object(Bucket=CLINICAL, Key="transcripts/media-settings.json", Body=b"{}")
    job = start(recording)
    assert (job["status"], job["wait_seconds"]) == ("COMPLETED", 0)
    event = {"recording": recording, "job": job, "redrive_count": 0}
    assert transcribe_medical.poll(event, None) == job


@pytest.mark.parametrize("reason", [NO_ACCESS, "The media file can't be read: InvalidObjectState."])
def test_after_a_job_that_failed_for_what_can_be_repaired_the_next_attempt_starts(
    transcribe: Stubber, recording: dict[str, Any], reason: str
) -> None:
    expect_conflict(transcribe, answer("FAILED", reason))
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(2))
    assert start(recording)["id"] == f"{NAME}2"


@pytest.mark.parametrize("reason", ABOUT_THE_RECORDING)
def test_a_job_that_failed_for_the_recording_s_own_reason_is_not_repeated(
    transcribe: Stubber, recording: dict[str, Any], reason: str
) -> None:
    expect_conflict(transcribe, answer("FAILED", reason))
    job = start(recording)
    assert (job["id"], job["wait_seconds"]) == (f"{NAME}1", jobs.SHORTEST_WAIT_SECONDS)


def test_a_finished_job_is_not_waited_for(transcribe: Stubber, recording: dict[str, Any]) -> None:
    expect_conflict(transcribe, answer("COMPLETED"))
    assert start(recording)["wait_seconds"] == jobs.SHORTEST_WAIT_SECONDS


def test_a_recording_that_was_replaced_after_the_plan_is_rejected_and_nothing_started(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    put_recording(s3, sound(2))
    job = start(recording)
    assert (job["status"], job["wait_seconds"]) == ("REJECTED", 0)
    assert rejection(s3, recording)["reason"] == CHANGED
    assert transcribe_medical.poll({"recording": recording, "job": job, "redrive_count": 0}, None) == job


@pytest.mark.parametrize(
    ("body", "parameters", "reason"),
    [
        (sound(0.4), {}, "0.4"),
        (sound(1, rate=8_000), {}, "Invalid sample rate for audio file"),
        (sound(), {"MediaFormat": "flac"}, "The media format provided does not match the detected media format"),
        (sound(), {"MediaSampleRateHertz": 44_100}, "The sample rate provided does not match the detected sample rate"),
    ],
)
def test_what_the_service_would_refuse_is_rejected_before_a_job_exists(
    transcribe: Stubber, s3: Any, body: bytes, parameters: dict[str, Any], reason: str
) -> None:
    recording = put_recording(s3, body)
    assert start(recording, **parameters)["status"] == "REJECTED"
    assert reason in rejection(s3, recording)["reason"]


def test_a_request_that_breaks_a_rule_is_never_sent(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESOURCE_PREFIX", "n" * 200)
    assert start(recording)["status"] == "REJECTED"
    assert "MedicalTranscriptionJobName" in rejection(s3, recording)["reason"]


@pytest.mark.parametrize(
    ("existing", "member"),
    [
        ({"Media": {"MediaFileUri": f"s3://{MEDIA}/other"}}, "Media"),
        ({"Type": "CONVERSATION"}, "Type"),
        ({"Settings": {"VocabularyName": "oncology"}}, "VocabularyName"),
    ],
)
def test_a_job_of_that_name_that_does_something_else_is_never_adopted(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], existing: dict[str, Any], member: str
) -> None:
    expect_conflict(transcribe, answer("COMPLETED", **existing))
    assert start(recording, Settings={"VocabularyName": "cardiology"})["status"] == "REJECTED"
    assert f"{NAME}1 exists with another {member}. Delete that job" in rejection(s3, recording)["reason"]


def test_attempts_end(transcribe: Stubber, s3: Any, recording: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe_medical, "MAXIMUM_ATTEMPTS", 1)
    expect_conflict(transcribe, answer("FAILED", NO_ACCESS))
    assert start(recording)["status"] == "REJECTED"
    assert f"1 transcription jobs have failed; the last was {NAME}1" in rejection(s3, recording)["reason"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_service_is_mapped(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], status: str
) -> None:
    transcribe.add_response(
        "get_medical_transcription_job", answer(status, REFUSED), {"MedicalTranscriptionJobName": f"{NAME}1"}
    )
    ours = {"QUEUED": "IN_PROGRESS", "IN_PROGRESS": "IN_PROGRESS", "COMPLETED": "COMPLETED", "FAILED": "REJECTED"}
    assert poll(recording)["status"] == ours[status]


def test_early_polls_look_for_the_transcript_only_and_later_ones_ask_the_service(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    for polls in range(jobs.EARLY_POLLS):
        early = poll(recording, polls=polls)
        assert (early["status"], early["polls"]) == ("IN_PROGRESS", polls + 1)
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", REFUSED))
    assert poll(recording, polls=jobs.EARLY_POLLS)["status"] == "REJECTED"


def test_a_job_whose_transcript_is_there_early_is_asked_about(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    s3.put_object(Bucket=CLINICAL, Key="transcripts/media-settings.json", Body=b"{}")
    transcribe.add_response("get_medical_transcription_job", answer("COMPLETED"))
    assert poll(recording, polls=0)["status"] == "COMPLETED"


def test_what_the_service_says_of_an_ended_job_is_kept_whole(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    described: dict[str, Any] = {
        "MedicalTranscriptionJobName": f"{NAME}1",
        "LanguageCode": "en-US",
        "MediaSampleRateHertz": 16_000,
        "MediaFormat": "wav",
        "Transcript": {"TranscriptFileUri": "https://s3.us-east-1.amazonaws.com/clinical-bucket/transcripts/x.json"},
        "CreationTime": 1_700_000_000,
        "StartTime": 1_700_000_001,
        "CompletionTime": 1_700_000_030,
        "Settings": {"ChannelIdentification": True},
        "ContentIdentificationType": "PHI",
        "Specialty": "PRIMARYCARE",
        "Type": "DICTATION",
        "Tags": [{"Key": "ward", "Value": "3"}],
    }
    transcribe.add_response("get_medical_transcription_job", answer("COMPLETED", **described))
    poll(recording)
    kept = read(s3, f"batches/batch/jobs/transcription/{NAME}1.json")
    assert kept == {
        member: value
        for member, value in answer("COMPLETED", **described)["MedicalTranscriptionJob"].items()
        if member != "Media"
    }


def test_a_recording_that_the_service_refuses_is_written_down_with_its_reason(
    transcribe: Stubber, s3: Any, recording: dict[str, Any]
) -> None:
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", REFUSED))
    assert poll(recording)["status"] == "REJECTED"
    assert rejection(s3, recording) == {
        "media_id": recording["media_id"],
        "reason": f"Transcribe Medical: {REFUSED}",
    }
    assert read(s3, f"batches/batch/jobs/transcription/{NAME}1.json")["FailureReason"] == REFUSED


@pytest.mark.parametrize("reason", ["Access denied when writing to S3", "The KMS key is disabled.", "Internal failure"])
def test_a_failure_of_ours_fails_the_poll_and_a_redrive_starts_again(
    transcribe: Stubber, recording: dict[str, Any], reason: str
) -> None:
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    with pytest.raises(JobFailed, match=reason):
        poll(recording)
    transcribe.add_response("get_medical_transcription_job", answer("FAILED", reason))
    assert poll(recording, redrive_count=1)["status"] == "START_AGAIN"


@pytest.mark.parametrize("code", ["BadRequestException", "NotFoundException"])
def test_a_job_that_is_gone_fails_the_poll_and_a_redrive_starts_again(
    transcribe: Stubber, recording: dict[str, Any], code: str
) -> None:
    gone = "The requested job couldn't be found."
    transcribe.add_client_error("get_medical_transcription_job", code, gone)
    with pytest.raises(JobFailed, match=gone):
        poll(recording)
    transcribe.add_client_error("get_medical_transcription_job", code, gone)
    assert poll(recording, redrive_count=1)["status"] == "START_AGAIN"


@pytest.mark.parametrize("code", ["LimitExceededException", "InternalFailureException"])
def test_other_errors_of_a_start_are_left_to_the_state_machine(
    transcribe: Stubber, recording: dict[str, Any], code: str
) -> None:
    transcribe.add_client_error("start_medical_transcription_job", code)
    with pytest.raises(ClientError, match=code):
        start(recording)


def test_a_limit_that_never_passes_speaks_of_a_recording_that_may_be_too_long(transcribe: Stubber, s3: Any) -> None:
    unknown = put_recording(s3, b"no header that tells anything ".ljust(4_000_000))
    for retry_count in (19, 20):
        transcribe.add_client_error("start_medical_transcription_job", "LimitExceededException")
        if retry_count < 20:
            with pytest.raises(ClientError, match="LimitExceededException"):
                start(unknown, retry_count=retry_count)
        else:
            assert start(unknown, retry_count=retry_count)["status"] == "REJECTED"
    assert "probably longer than 4 hours" in rejection(s3, unknown)["reason"]


@pytest.mark.parametrize("body", [b"no header that tells anything ", b"\0\0\0\x10ftypM4A \0\0\0\0"])
def test_a_limit_is_waited_out_for_a_recording_that_is_too_small_to_be_too_long(
    transcribe: Stubber, s3: Any, body: bytes
) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "LimitExceededException")
    with pytest.raises(ClientError, match="LimitExceededException"):
        start(put_recording(s3, body.ljust(220_000)), retry_count=199)


def test_a_limit_is_waited_out_for_a_recording_of_known_length(transcribe: Stubber, recording: dict[str, Any]) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "LimitExceededException")
    with pytest.raises(ClientError, match="LimitExceededException"):
        start(recording, retry_count=199)


OF_THE_RECORDING = [
    "The media file is damaged.",
    "The URI that you provided doesn't point to an S3 object. Make sure that the object exists.",
    "",
]
NO_VOCABULARY = "The requested vocabulary couldn't be found. Check the vocabulary name and try your request again."
NOT_ACCESSIBLE = "The S3 URI that you provided can't be accessed. Make sure that you have read permission."
OF_ALL = [
    NO_VOCABULARY,
    "The specified S3 bucket is in another place.",
    "This isn't offered in the region.",
    "The OutputKey isn't valid.",
    "The data role isn't valid.",
    "Your account has opted out.",
    NOT_ACCESSIBLE,
    "The KMS key is disabled.",
    "You aren't authorized to tag this resource.",
]


@pytest.mark.parametrize("message", OF_THE_RECORDING)
def test_a_request_that_is_refused_for_the_recording_rejects_it_in_the_service_s_words(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], message: str
) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "BadRequestException", message)
    assert start(recording)["status"] == "REJECTED"
    assert rejection(s3, recording)["reason"] == f"Transcribe Medical: {message or 'no reason was given'}"


@pytest.mark.parametrize("message", OF_ALL)
def test_a_request_that_is_refused_for_what_all_requests_have_fails_for_a_redrive(
    transcribe: Stubber, recording: dict[str, Any], message: str
) -> None:
    transcribe.add_client_error("start_medical_transcription_job", "BadRequestException", message)
    with pytest.raises(ClientError, match="BadRequestException"):
        start(recording)


def test_a_recording_that_went_while_the_service_was_asked_is_rejected_whatever_the_service_says(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(message: str, *arguments: Any) -> str | None:
        s3.delete_object(Bucket=MEDIA, Key=KEY)
        return refused_request(message, *arguments)

    refused_request = transcribe_medical.refused_request
    monkeypatch.setattr(transcribe_medical, "refused_request", refuses)
    transcribe.add_client_error("start_medical_transcription_job", "BadRequestException", NOT_ACCESSIBLE)
    assert start(recording)["status"] == "REJECTED"
    assert rejection(s3, recording)["reason"] == CHANGED


@pytest.mark.parametrize(("message", "status"), [(NOT_ACCESSIBLE, "REJECTED"), (NO_VOCABULARY, "FAILED")])
def test_a_refused_access_is_the_recording_s_if_another_key_encrypts_it(
    transcribe: Stubber, s3: Any, message: str, status: str
) -> None:
    recording = put_recording(s3, sound(), ServerSideEncryption="aws:kms", SSEKMSKeyId=THEIRS)
    transcribe.add_client_error("start_medical_transcription_job", "BadRequestException", message)
    if status == "FAILED":
        with pytest.raises(ClientError, match="vocabulary"):
            start(recording)
    else:
        assert start(recording)["status"] == status
        assert THEIRS in rejection(s3, recording)["reason"]


def test_an_archived_recording_is_rejected_unread_and_once_it_is_restored_started(
    transcribe: Stubber, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = put_recording(s3, sound(), StorageClass="DEEP_ARCHIVE")
    with monkeypatch.context() as patch:
        refused_read(patch, "InternalError")
        assert start(recording)["status"] == "REJECTED"
    assert "archived (DEEP_ARCHIVE)" in rejection(s3, recording)["reason"]
    s3.restore_object(Bucket=MEDIA, Key=KEY, RestoreRequest={"Days": 1})
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(1))
    assert start(recording)["status"] == "IN_PROGRESS"


def test_an_archived_recording_whose_transcript_is_there_need_not_be_restored(transcribe: Stubber, s3: Any) -> None:
    recording = put_recording(s3, sound(), StorageClass="GLACIER")
    s3.put_object(Bucket=CLINICAL, Key="transcripts/media-settings.json", Body=b"{}")
    assert start(recording)["status"] == "COMPLETED"


def refused_read(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def read(self: S3Source, offset: int, length: int) -> bytes:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")

    monkeypatch.setattr(S3Source, "read", read)


def test_a_recording_that_s3_does_not_let_us_read_under_another_key_is_rejected(
    transcribe: Stubber, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = put_recording(s3, sound(), ServerSideEncryption="aws:kms", SSEKMSKeyId=THEIRS)
    refused_read(monkeypatch, "AccessDenied")
    assert start(recording)["status"] == "REJECTED"
    assert THEIRS in rejection(s3, recording)["reason"]


def test_a_recording_under_another_key_that_s3_lets_us_read_is_transcribed(transcribe: Stubber, s3: Any) -> None:
    transcribe.add_response("start_medical_transcription_job", {}, expected_request(1))
    recording = put_recording(s3, sound(), ServerSideEncryption="aws:kms", SSEKMSKeyId=THEIRS)
    assert start(recording)["status"] == "IN_PROGRESS"


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "SlowDown"])
def test_a_read_that_fails_under_our_own_key_fails_for_a_redrive(
    transcribe: Stubber, s3: Any, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/media"
    recording = put_recording(s3, sound(), ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    refused_read(monkeypatch, code)
    with pytest.raises(ClientError, match=code):
        start(recording)


def test_a_recording_that_is_replaced_between_its_head_and_the_read_is_rejected(
    transcribe: Stubber, s3: Any, recording: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(source: S3Source) -> Any:
        put_recording(s3, sound(2))
        return read_header(source)

    monkeypatch.setattr(transcribe_medical, "read_header", replaced)
    assert start(recording)["status"] == "REJECTED"
    assert rejection(s3, recording)["reason"] == CHANGED
