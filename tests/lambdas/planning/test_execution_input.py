from typing import Any

import pytest

from lambdas.planning.execution_input import read_request
from lambdas.shared.errors import InvalidInput
from tests.lambdas.conftest import MODEL_ARN

MEDIA = "media-bucket"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "The input is a list, not an object"),
        ("s3://media-bucket/media/p/a.wav", "The input is a str, not an object"),
        ({}, "needs exactly one of media and prefix"),
        ({"media": ["s3://media-bucket/media/p/a.wav"], "prefix": "s3://media-bucket/media/"}, "exactly one of"),
        ({"medai": []}, r"unknown keys \['medai'\]"),
        ({"media": []}, "media is empty, not a list of at least one"),
        ({"media": "s3://media-bucket/media/p/a.wav"}, "media is str, not a list"),
        ({"media": [3]}, r"media\[0\] is not of the form s3://bucket/key"),
        ({"media": ["s3://media-bucket/x", "media/p/a.wav"]}, r"media\[1\] is not of the form"),
        ({"media": ["s3://other/media/p/a.wav"]}, r"media\[0\] is in the bucket other, not in this env"),
        ({"media": ["s3://media-bucket/media/p/" + "ä" * 508 + "a"]}, r"media\[0\] has a key of 1025 bytes"),
        ({"media": ["s3://media-bucket/media/p/\ud800.wav"]}, r"media\[0\] has a key that isn't valid UTF-8"),
        ({"prefix": "s3://other/media/"}, "prefix is in the bucket other, not in .* bucket media-bucket"),
        ({"prefix": "s3://media-bucket/records/"}, "prefix is not below media/"),
        ({"media": ["s3://media-bucket/media/p/a.wav"], "reprocess": "yes"}, "reprocess is 'yes', neither true nor"),
    ],
)
def test_a_wrong_input_is_refused_with_what_is_wrong_and_what_to_give(request_: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        read_request(request_)
    assert 'Give {"media": ["s3://bucket/key", ...]}' in str(error.value)
    assert "media/p/a.wav" not in str(error.value)


def test_media_are_taken_once_each_in_their_order() -> None:
    uris = [f"s3://{MEDIA}/media/p/{name}" for name in ("b.wav", "a b+%é.wav", "b.wav")]
    request = read_request({"media": uris})
    assert (request.keys, request.reprocess) == (["media/p/b.wav", "media/p/a b+%é.wav"], False)


def test_a_prefix_names_all_below_it_but_folder_markers(s3: Any) -> None:
    for key in ("media/p-1/", "media/p-1/a.wav", "media/p-2/b.wav", "media/p-1/c/d.wav"):
        s3.put_object(Bucket=MEDIA, Key=key, Body=b"x")
    request = read_request({"prefix": f"s3://{MEDIA}/media/p-1/", "reprocess": True})
    assert (request.keys, request.reprocess) == (["media/p-1/a.wav", "media/p-1/c/d.wav"], True)


def test_folder_markers_among_the_media_of_a_backfill_are_skipped_even_if_nothing_is_left() -> None:
    folder, recording = f"s3://{MEDIA}/media/p-1/", f"s3://{MEDIA}/media/p-1/a.wav"
    assert read_request({"media": [folder, recording]}).keys == ["media/p-1/a.wav"]
    assert read_request({"media": [folder]}).keys == []


def test_an_empty_prefix_is_refused(s3: Any) -> None:
    with pytest.raises(InvalidInput, match="holds no object"):
        read_request({"prefix": f"s3://{MEDIA}/media/nobody/"})


def test_too_many_recordings_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.planning.execution_input.MAXIMUM_RECORDINGS", 2)
    with pytest.raises(InvalidInput, match=r"names more than 2 recordings.* operations backfill --prefix"):
        read_request({"media": [f"s3://{MEDIA}/media/p/{n}.wav" for n in range(3)]})


def with_parameters(**parameters: Any) -> Any:
    return read_request({"media": [f"s3://{MEDIA}/media/p/a.wav"], "parameters": parameters}).parameters


def test_without_parameters_of_its_own_an_execution_takes_the_environment_s_and_nulls_are_absent() -> None:
    assert with_parameters() == {
        "StartMedicalTranscriptionJob": {
            "LanguageCode": "en-US",
            "Specialty": "PRIMARYCARE",
            "Type": "DICTATION",
            "ContentIdentificationType": "PHI",
        },
        "StartEntitiesDetectionV2Job": {"LanguageCode": "en"},
        "StartAudienceGenerationJob": {"configuredAudienceModelArn": MODEL_ARN},
    }


def test_parameters_of_the_input_are_merged_over_the_environment_s_and_null_removes() -> None:
    settings = {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2}
    asked = {"Type": "CONVERSATION", "Settings": settings, "ContentIdentificationType": None}
    assert with_parameters(StartMedicalTranscriptionJob=asked)["StartMedicalTranscriptionJob"] == {
        "LanguageCode": "en-US",
        "Specialty": "PRIMARYCARE",
        "Type": "CONVERSATION",
        "Settings": settings,
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "parameters is a list, not an object"),
        ({"StartMedicalTranscription": {}}, "StartMedicalTranscription is not an operation of the pipeline"),
        ({"StartMedicalTranscriptionJob": []}, "StartMedicalTranscriptionJob is a list, not an object"),
        ({"StartMedicalTranscriptionJob": {"LanguageCode": None}}, "LanguageCode is missing; the service needs it"),
        ({"StartMedicalTranscriptionJob": {"Settings": {"MaxSpeakerLabels": 31}}}, r"Settings\.MaxSpeakerLabels is 31"),
        ({"StartEntitiesDetectionV2Job": {"LanguageCode": "de"}}, 'LanguageCode is "de"'),
        ({"StartAudienceGenerationJob": {"tags": {"aws:x": "y"}}}, "aws:"),
        (
            {"StartAudienceGenerationJob": {"configuredAudienceModelArn": MODEL_ARN.replace("123456789012", "2" * 12)}},
            "configuredAudienceModelArn can't be changed by an execution",
        ),
        ({"StartAudienceGenerationJob": None}, "configuredAudienceModelArn can't be changed by an execution"),
    ],
)
def test_parameters_that_cannot_work_are_refused_before_anything_starts(parameters: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_request({"media": [f"s3://{MEDIA}/media/p/a.wav"], "parameters": parameters})
