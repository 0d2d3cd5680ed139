"""Uploads from the page to the media bucket, and refused ones."""

import io
from urllib.parse import quote

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from lambdas.planning.media_headers.bit_rates import FORMATS
from local.console.uploads import upload
from operations.errors import OperationError
from operations.recordings import formats
from tests.local.console.conftest import ORIGIN, Stage


def drop(stage: Stage, user_id: str, file: str, body: bytes = b"sound", consent: str = "") -> TestResponse:
    headers = {"X-User-Id": quote(user_id), "X-File-Name": quote(file), "X-Audience-Consent": consent}
    return stage.post("/recordings", body, **headers)


def test_a_recording_is_written_as_the_patient_s_and_without_consent(stage: Stage) -> None:
    assert drop(stage, "p-1", "visit é+1.wav").status_code == 201
    answer = stage.deployed.client("s3").get_object(Bucket="media", Key="media/p-1/visit é+1.wav")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (b"sound", "audio/x-wav", {})


def test_only_a_plain_true_is_consent(stage: Stage) -> None:
    for told, stored in (("true", "true"), ("false", None), ("TRUE ", None), ("", None)):
        assert drop(stage, "p-1", "a.wav", consent=told).status_code == 201
        metadata = stage.deployed.client("s3").head_object(Bucket="media", Key="media/p-1/a.wav")["Metadata"]
        assert metadata.get("audience-consent") == stored, told


def test_a_user_id_is_stored_in_its_one_spelling(stage: Stage) -> None:
    for user_id in ("Jos\u00e9", "Jose\u0301", " Jos\u00e9 "):
        assert drop(stage, user_id, "a.wav").status_code == 201
    assert stage.keys() == ["media/Jos\u00e9/a.wav"]


def test_a_large_recording_goes_in_parts(stage: Stage) -> None:
    body = bytes(range(256)) * (9 << 12)
    assert drop(stage, "p-1", "long.flac", body).status_code == 201
    assert stage.deployed.client("s3").get_object(Bucket="media", Key="media/p-1/long.flac")["Body"].read() == body


def test_what_can_be_no_recording_of_a_patient_is_refused_in_words(stage: Stage) -> None:
    for user_id, file, told in (
        ("", "a.wav", "Whose recording is it?"),
        ("a/b", "a.wav", "The user id is 'a/b', but a user id has no slash"),
        ("..", "a.wav", "The user id is '..'"),
        ("a\nb", "a.wav", "it has the character U+000A"),
        (" ", "a.wav", "it has no letter or digit"),
        ("p-1", "notes.docx", "notes.docx ends in 'docx'; Transcribe Medical takes amr, flac, m4a, mp3"),
        ("p-1", "wav", "wav has no extension"),
        ("p-1", "../a.wav", "'../a.wav' is no file name"),
        ("p-1", "..", "is no file name"),
        ("p-1", "", "is no file name"),
        ("p-1", "a" * 1100 + ".wav", "more than 1024 bytes; rename the file"),
    ):
        answer = drop(stage, user_id, file)
        assert (answer.status_code, answer.content_type) == (400, "text/plain; charset=utf-8"), told
        assert told in answer.text
    assert stage.keys() == []


def test_an_empty_one_a_too_large_one_and_one_of_unknown_size_are_refused_in_words(stage: Stage) -> None:
    headers = Headers({**ORIGIN, "X-User-Id": "p-1", "X-File-Name": "a.wav"})
    with pytest.raises(OperationError, match=r"a\.wav is empty \(0 bytes\); record it again"):
        upload(stage.deployed, headers, 0, io.BytesIO())
    with pytest.raises(OperationError, match="takes up to 2147483648"):
        upload(stage.deployed, headers, 2**31 + 1, io.BytesIO())
    unknown = stage.console.post("/recordings", base_url=ORIGIN["Origin"], headers=headers)
    assert unknown.text.startswith("The size of a.wav is missing")
    bad = stage.post("/recordings", b"x", **{"X-User-Id": "%ff", "X-File-Name": "a.wav"})
    assert bad.text.startswith("The user id isn't UTF-8")
    assert stage.keys() == []


def test_the_formats_are_those_of_the_pipeline_and_of_the_page_s_file_dialog(stage: Stage) -> None:
    assert list(formats()) == sorted(FORMATS)
    assert f'accept="{",".join(f".{name}" for name in formats())}"' in stage.get("/").text
