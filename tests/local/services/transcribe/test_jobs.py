"""A job's inputs, outputs and states."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from local.engines.speech import Word
from local.services.transcribe import failures, models
from local.services.transcribe.storage import CallerStorage
from tests.local.services.transcribe.conftest import WORDS, Aws, wav

READ_MEDIA = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::media/*"}
WRITE_TRANSCRIPTS = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::clinical/transcripts/*"}
TRANSCRIBE = {"Effect": "Allow", "Action": "transcribe:*", "Resource": "*"}


def _transcript(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket="clinical", Key=key)["Body"].read())


def test_a_job_writes_the_transcript_in_the_documented_shape(run: Any, s3: Any) -> None:
    job = run(wav(), OutputKey="transcripts/one.json")
    assert job["TranscriptionJobStatus"] == "COMPLETED"
    assert job["Transcript"]["TranscriptFileUri"] == "https://s3.us-east-1.amazonaws.com/clinical/transcripts/one.json"
    assert (job["MediaFormat"], job["MediaSampleRateHertz"]) == ("wav", 16_000)
    assert job["CreationTime"] <= job["StartTime"] <= job["CompletionTime"]
    assert "FailureReason" not in job
    transcript = _transcript(s3, "transcripts/one.json")
    assert transcript["jobName"] == job["MedicalTranscriptionJobName"]
    assert (transcript["accountId"], transcript["status"]) == ("123456789012", "COMPLETED")
    assert transcript["results"]["transcripts"] == [{"transcript": "Good morning. Doctor"}]
    assert transcript["results"]["items"][0] == {
        "start_time": "0.10",
        "end_time": "0.40",
        "type": "pronunciation",
        "alternatives": [{"confidence": "0.9000", "content": "Good"}],
    }
    assert "entities" not in transcript["results"]


@pytest.mark.parametrize(
    ("output_key", "expected"),
    [
        (None, "{job}.json"),
        ("exact/name.json", "exact/name.json"),
        ("folder", "folder/{job}.json"),
        ("folder/", "folder/{job}.json"),
    ],
)
def test_the_output_key_is_a_name_or_a_folder(run: Any, s3: Any, output_key: str | None, expected: str) -> None:
    job = run(wav(), **({"OutputKey": output_key} if output_key else {}))
    key = expected.format(job=job["MedicalTranscriptionJobName"])
    assert _transcript(s3, key)["jobName"] == job["MedicalTranscriptionJobName"]


def test_statuses_follow_the_work(
    client: Any, upload: Any, request_for: Any, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, finish = threading.Event(), threading.Event()

    def slow(_: Any) -> list[Word]:
        entered.set()
        assert finish.wait(20)
        return WORDS

    monkeypatch.setattr(models, "engine", slow)
    first, second = request_for(upload(wav())), request_for(upload(wav()))
    client.start_medical_transcription_job(**first)
    assert entered.wait(20)
    client.start_medical_transcription_job(**second)
    statuses = {
        job["MedicalTranscriptionJobName"]: job["TranscriptionJobStatus"]
        for job in client.list_medical_transcription_jobs(MaxResults=100)["MedicalTranscriptionJobSummaries"]
    }
    assert statuses[first["MedicalTranscriptionJobName"]] == "IN_PROGRESS"
    assert statuses[second["MedicalTranscriptionJobName"]] == "QUEUED"
    with pytest.raises(client.exceptions.BadRequestException, match="still running"):
        client.delete_medical_transcription_job(MedicalTranscriptionJobName=first["MedicalTranscriptionJobName"])
    finish.set()
    for request in (first, second):
        assert wait(request["MedicalTranscriptionJobName"])["TranscriptionJobStatus"] == "COMPLETED"


@pytest.mark.parametrize(
    ("data", "parameters", "reason"),
    [
        (b"", {}, failures.INVALID_DATA),
        (b"Dear colleague, " * 100, {"MediaFormat": "mp3"}, failures.INVALID_DATA),
        (wav(), {"MediaFormat": "mp3"}, "The media format provided does not match the detected media format"),
        (wav(rate=8_000), {}, "Invalid sample rate for audio file"),
        (wav(), {"MediaSampleRateHertz": 44_100}, "The sample rate provided does not match the detected sample rate"),
        (wav(channels=3), {}, "Invalid number of channels: number of channels too large"),
        (wav(seconds=0.4), {}, failures.TOO_SHORT),
    ],
)
def test_a_bad_recording_fails_for_the_services_reason(
    run: Any, data: bytes, parameters: dict[str, Any], reason: str
) -> None:
    job = run(data, **parameters)
    assert (job["TranscriptionJobStatus"], job["FailureReason"]) == ("FAILED", reason)
    assert "Transcript" not in job


def test_a_recording_above_the_size_limit_fails_without_being_read(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = wav()
    monkeypatch.setattr(failures, "_LARGEST_BYTES", len(data))
    assert run(data)["TranscriptionJobStatus"] == "COMPLETED"
    monkeypatch.setattr(CallerStorage, "read", lambda *_: pytest.fail("the recording was read"))
    monkeypatch.setattr(failures, "_LARGEST_BYTES", len(data) - 1)
    assert run(data)["FailureReason"] == "Invalid file size: file size too large"


def test_silence_completes_with_an_empty_transcript(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "engine", lambda samples: [])
    run(wav(), OutputKey="transcripts/silence.json")
    assert _transcript(s3, "transcripts/silence.json")["results"] == {"transcripts": [{"transcript": ""}], "items": []}


def test_phi_is_labelled_when_asked_for(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [Word("Doctor", 0.0, 0.5, 1.0), Word("Jones", 0.5, 0.9, 1.0, "."), Word("Cough", 1.0, 1.2, 1.0)]
    monkeypatch.setattr(models, "engine", lambda samples: words)
    run(wav(), OutputKey="transcripts/phi.json", ContentIdentificationType="PHI")
    [entity] = _transcript(s3, "transcripts/phi.json")["results"]["entities"]
    assert (entity["content"], entity["startTime"], entity["endTime"]) == ("Jones", 0.5, 0.9)
    assert 0 < entity["confidence"] <= 1


def test_channels_are_transcribed_apart_and_together(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Word("How", 0.2, 0.3, 1.0), Word("are", 0.3, 0.4, 1.0), Word("you", 0.4, 0.5, 1.0, "?")]
    answered = [Word("Hello", 0.1, 0.35, 1.0, "."), Word("Fine", 1.0, 1.1, 1.0)]
    said = iter([asked, answered])
    monkeypatch.setattr(models, "engine", lambda samples: next(said))
    run(wav(channels=2), OutputKey="transcripts/channels.json", Settings={"ChannelIdentification": True})
    results = _transcript(s3, "transcripts/channels.json")["results"]
    assert results["transcripts"] == [{"transcript": "Hello. How are you? Fine"}]
    [first, second] = results["channel_labels"]["channels"]
    assert (first["channel_label"], second["channel_label"]) == ("ch_0", "ch_1")
    assert [item["alternatives"][0]["content"] for item in first["items"]] == ["How", "are", "you", "?"]
    assert second["items"][0] == {
        "start_time": "0.10",
        "end_time": "0.35",
        "type": "pronunciation",
        "alternatives": [{"confidence": "1.0000", "content": "Hello"}],
    }
    assert "speaker_labels" not in results


def test_phi_is_looked_for_in_each_channel_by_itself(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(
        [
            [Word("Doctor", 0.5, 0.9, 1.0), Word("Jones", 0.9, 1.0, 1.0, ".")],
            [
                Word("I", 0.1, 0.2, 1.0),
                Word("saw", 0.2, 0.3, 1.0),
                Word("Doctor", 0.3, 0.4, 1.0),
                Word("Smith", 0.4, 0.6, 1.0),
            ],
        ]
    )
    monkeypatch.setattr(models, "engine", lambda samples: next(said))
    settings = {"ChannelIdentification": True}
    run(wav(channels=2), OutputKey="transcripts/c.json", Settings=settings, ContentIdentificationType="PHI")
    entities = _transcript(s3, "transcripts/c.json")["results"]["entities"]
    assert [(entity["content"], entity["startTime"]) for entity in entities] == [("Smith", 0.4), ("Jones", 0.9)]


def test_speakers_are_labelled_when_asked_for(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def two_speakers(samples: Any, words: list[Word], most: int) -> list[int]:
        asked.append((samples.shape, words, most))
        return [0, 0, 1]

    monkeypatch.setattr(models, "speakers", two_speakers)
    run(
        wav(channels=2),
        OutputKey="transcripts/speakers.json",
        Settings={"ShowSpeakerLabels": True, "MaxSpeakerLabels": 5},
        Type="CONVERSATION",
    )
    assert asked == [((19_200,), WORDS, 5)]
    labels = _transcript(s3, "transcripts/speakers.json")["results"]["speaker_labels"]
    assert labels["speakers"] == 2
    assert labels["segments"][1] == {
        "start_time": "0.90",
        "end_time": "1.10",
        "speaker_label": "spk_1",
        "items": [{"start_time": "0.90", "end_time": "1.10", "speaker_label": "spk_1"}],
    }


def test_alternatives_are_told_when_asked_for(run: Any, s3: Any) -> None:
    run(wav(), OutputKey="transcripts/a.json", Settings={"ShowAlternatives": True, "MaxAlternatives": 2})
    [segment] = _transcript(s3, "transcripts/a.json")["results"]["segments"]
    assert (segment["start_time"], segment["end_time"]) == ("0.10", "1.10")
    assert [alternative["transcript"] for alternative in segment["alternatives"]] == ["Good morning. Doctor"]


def test_silence_has_no_speakers_and_no_segments(run: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "engine", lambda samples: [])
    settings = {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ShowAlternatives": True, "MaxAlternatives": 2}
    run(wav(), OutputKey="transcripts/nobody.json", Settings=settings)
    results = _transcript(s3, "transcripts/nobody.json")["results"]
    assert results["speaker_labels"] == {"speakers": 0, "segments": []}
    assert results["segments"] == []


def test_the_transcript_is_encrypted_as_asked(aws: Aws, run: Any, s3: Any) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    run(wav(), OutputKey="encrypted.json", OutputEncryptionKMSKeyId=key, KMSEncryptionContext={"class": "clinical"})
    head = s3.head_object(Bucket="clinical", Key="encrypted.json")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    run(wav(), OutputKey="plain.json")
    assert s3.head_object(Bucket="clinical", Key="plain.json")["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize(("way", "sent"), [("as-given", "Arn"), ("id", "KeyId")])
def test_the_key_is_sent_as_it_was_given_or_by_its_id(
    aws: Aws, run: Any, s3: Any, playing: Callable[..., None], way: str, sent: str
) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]
    playing(transcribe_key=way)
    run(wav(), OutputKey=f"key-{way}.json", OutputEncryptionKMSKeyId=key["Arn"])
    assert s3.head_object(Bucket="clinical", Key=f"key-{way}.json")["SSEKMSKeyId"] == key[sent]


def test_keys_with_spaces_plus_percent_and_accents_are_read_as_they_are(
    client: Any, upload: Any, request_for: Any, wait: Any
) -> None:
    request = request_for(upload(wav(), "100% été + 1.wav"))
    client.start_medical_transcription_job(**request)
    assert wait(request["MedicalTranscriptionJobName"])["TranscriptionJobStatus"] == "COMPLETED"


def test_a_caller_who_may_not_read_the_recording_is_refused(aws: Aws, upload: Any, request_for: Any) -> None:
    client = aws.client_allowed([TRANSCRIBE, WRITE_TRANSCRIPTS])
    with pytest.raises(client.exceptions.BadRequestException, match="read permission"):
        client.start_medical_transcription_job(**request_for(upload(wav())))


def _written(s3: Any, folder: str) -> dict[str, dict[str, Any]]:
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="clinical", Prefix=f"{folder}/").get("Contents", ())]
    return {key: s3.head_object(Bucket="clinical", Key=key) for key in keys}


def test_no_write_check_is_left_unless_it_is_played(run: Any, s3: Any) -> None:
    run(wav(), OutputKey="unchecked/one.json")
    assert list(_written(s3, "unchecked")) == ["unchecked/one.json"]


@pytest.mark.parametrize(
    ("way", "encryption"), [("without-headers", None), ("as-output", "aws:kms"), ("aes256", "AES256")]
)
def test_the_write_check_is_left_beside_the_output(
    aws: Aws, run: Any, s3: Any, playing: Callable[..., None], way: str, encryption: str | None
) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    playing(transcribe_write_check=way)
    run(wav(), OutputKey=f"checked-{way}/one.json", OutputEncryptionKMSKeyId=key)
    check = _written(s3, f"checked-{way}")[f"checked-{way}/.write_access_check_file.temp"]
    assert (check["ContentLength"], check.get("ServerSideEncryption")) == (0, encryption)
    assert check.get("SSEKMSKeyId") == (key if way == "as-output" else None)


def test_the_write_check_of_an_output_without_a_folder_is_at_the_bucket_s_root(
    run: Any, s3: Any, playing: Callable[..., None]
) -> None:
    playing(transcribe_write_check="aes256")
    run(wav())
    assert s3.head_object(Bucket="clinical", Key=".write_access_check_file.temp")["ContentLength"] == 0
    s3.delete_object(Bucket="clinical", Key=".write_access_check_file.temp")


@pytest.mark.parametrize("way", ["without-headers", "as-output", "aes256"])
def test_a_start_is_refused_where_the_write_check_is(
    aws: Aws, upload: Any, request_for: Any, playing: Callable[..., None], way: str
) -> None:
    client = aws.client_allowed([TRANSCRIBE, READ_MEDIA, WRITE_TRANSCRIPTS])
    playing(transcribe_write_check=way)
    request = request_for(upload(wav()), OutputKey="elsewhere/")
    with pytest.raises(client.exceptions.BadRequestException, match="The specified S3 bucket can't be accessed"):
        client.start_medical_transcription_job(**request)
    with pytest.raises(client.exceptions.BadRequestException, match="couldn't be found"):
        client.get_medical_transcription_job(MedicalTranscriptionJobName=request["MedicalTranscriptionJobName"])


def test_the_job_fails_when_its_caller_may_not_write_the_transcript(
    aws: Aws, upload: Any, request_for: Any, wait: Any
) -> None:
    client = aws.client_allowed([TRANSCRIBE, READ_MEDIA, WRITE_TRANSCRIPTS])
    allowed = request_for(upload(wav()), OutputKey="transcripts/mine.json")
    refused = request_for(upload(wav()), OutputKey="elsewhere/mine.json")
    for request in (allowed, refused):
        client.start_medical_transcription_job(**request)
    assert wait(allowed["MedicalTranscriptionJobName"])["TranscriptionJobStatus"] == "COMPLETED"
    job = wait(refused["MedicalTranscriptionJobName"])
    assert job["TranscriptionJobStatus"] == "FAILED"
    assert "s3://clinical/elsewhere/mine.json" in job["FailureReason"]
    assert "AccessDenied" in job["FailureReason"]


def test_a_broken_engine_fails_the_job_without_quoting_what_was_said(
    run: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = "the patient said something private"  # the traceback quotes the source line that raises

    def broken(_: Any) -> list[Word]:
        raise RuntimeError(said)

    monkeypatch.setattr(models, "engine", broken)
    job = run(wav())
    assert job["FailureReason"] == "Internal service failure: RuntimeError"
    assert "RuntimeError" in caplog.text and "in broken" in caplog.text
    assert said not in caplog.text


def test_a_deleted_job_is_gone_and_its_transcript_stays(client: Any, run: Any, s3: Any) -> None:
    name = run(wav(), OutputKey="transcripts/kept.json")["MedicalTranscriptionJobName"]
    client.delete_medical_transcription_job(MedicalTranscriptionJobName=name)
    with pytest.raises(client.exceptions.BadRequestException, match="couldn't be found"):
        client.get_medical_transcription_job(MedicalTranscriptionJobName=name)
    assert _transcript(s3, "transcripts/kept.json")
