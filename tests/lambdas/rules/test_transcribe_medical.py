import re
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.rules.sdk_model import input_shape
from lambdas.rules.transcribe_medical import OPERATION, SERVICE, SET_BY_PIPELINE, request_problems, settings_problems

SHAPE = input_shape(SERVICE, OPERATION)
SETTABLE = {
    "LanguageCode",
    "MediaSampleRateHertz",
    "MediaFormat",
    "KMSEncryptionContext",
    "Settings",
    "ContentIdentificationType",
    "Specialty",
    "Type",
    "Tags",
}
ASKED: dict[str, Any] = {
    "LanguageCode": "en-US",
    "MediaSampleRateHertz": 16000,
    "MediaFormat": "m4a",
    "KMSEncryptionContext": {"purpose": "transcripts"},
    "Settings": {
        "ShowSpeakerLabels": True,
        "MaxSpeakerLabels": 2,
        "ShowAlternatives": True,
        "MaxAlternatives": 2,
        "VocabularyName": "cardiology",
    },
    "ContentIdentificationType": "PHI",
    "Specialty": "PRIMARYCARE",
    "Type": "CONVERSATION",
    "Tags": [{"Key": "Department", "Value": ""}],
}
REQUEST: dict[str, Any] = {
    **ASKED,
    "MedicalTranscriptionJobName": "clinical-media-dev-0123abcd-1",
    "Media": {"MediaFileUri": "s3://recordings/media/p-1/a visit+é.wav"},
    "OutputBucketName": "clinical-text",
    "OutputKey": "transcripts/0123abcd.json",
    "OutputEncryptionKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/0123",
}


def changed(request: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return {**request, **change}


def tags(*keys: str) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": "aws:value"} for key in keys]}


def test_a_typical_request_has_no_problems() -> None:
    assert settings_problems(ASKED, SHAPE) == []
    assert settings_problems({}, SHAPE) == []
    assert request_problems(REQUEST, SHAPE) == []


def test_every_member_of_the_request_is_the_pipelines_or_a_persons_to_set() -> None:
    assert set(SHAPE.members) == SETTABLE | SET_BY_PIPELINE
    assert not SETTABLE & SET_BY_PIPELINE


def test_every_member_of_the_settings_is_known_to_the_rules() -> None:
    settings = SHAPE.members["Settings"]
    assert set(settings.members) == {*ASKED["Settings"], "ChannelIdentification"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(SET_BY_PIPELINE))
def test_what_the_pipeline_sets_is_refused_without_showing_it(name: str) -> None:
    problems = settings_problems({**ASKED, name: REQUEST[name]}, SHAPE)
    assert problems == [f"{name} is set by the pipeline itself; leave it out of StartMedicalTranscriptionJob."]
    assert settings_problems({**ASKED, name: None}, SHAPE) == []


@pytest.mark.parametrize(
    "change",
    [
        {"MediaSampleRateHertz": 48000},
        {"KMSEncryptionContext": {str(n): " " for n in range(10)}},
        {"KMSEncryptionContext": {"k": "v" * 2000}},
        {"Settings": None},
        {"Settings": {}},
        {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 30}},
        {"Settings": {"ShowSpeakerLabels": False}},
        {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ChannelIdentification": False}},
        {"Settings": {"ShowSpeakerLabels": False, "ChannelIdentification": True}},
        {"Settings": {"ChannelIdentification": True, "ShowAlternatives": True, "MaxAlternatives": 10}},
        {"Settings": {"ShowAlternatives": False}},
        {"Settings": {"VocabularyName": "v" * 200}},
        {"ContentIdentificationType": None},
        {"Type": "DICTATION"},
        tags(*(str(n) for n in range(50))),
        tags("Team", "team", "laws:", "aws", "k" * 128),
        {"Tags": [{"Key": "k", "Value": "v" * 256}]},
    ],
)
def test_what_is_just_inside_a_rule_is_taken(change: dict[str, Any]) -> None:
    assert settings_problems(changed(ASKED, change), SHAPE) == []
    assert request_problems(changed(REQUEST, change), SHAPE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"LanguageCode": "en-GB"}, 'LanguageCode is "en-GB"; StartMedicalTranscriptionJob takes "en-US".'),
        ({"LanguageCode": "xx"}, 'LanguageCode is "xx"; StartMedicalTranscriptionJob takes "en-US".'),
        ({"Specialty": "CARDIOLOGY"}, 'Specialty is "CARDIOLOGY"; .* takes "PRIMARYCARE".'),
        ({"Type": "VISIT"}, 'Type is "VISIT"; .* takes "CONVERSATION" or "DICTATION".'),
        ({"MediaFormat": "aac"}, 'MediaFormat is "aac"; .* takes "mp3", "mp4", .* or "m4a".'),
        ({"MediaSampleRateHertz": 15999}, "MediaSampleRateHertz is 15999; .* takes 16000 to 48000."),
        ({"MediaSampleRateHertz": 48001}, "MediaSampleRateHertz is 48001; .* takes 16000 to 48000."),
        ({"ContentIdentificationType": "PII"}, 'ContentIdentificationType is "PII"; .* takes "PHI".'),
        ({"KMSEncryptionContext": {}}, "KMSEncryptionContext has 0 pairs; .* takes 1 to 10."),
        ({"KMSEncryptionContext": {str(n): "v" for n in range(11)}}, "KMSEncryptionContext has 11 pairs"),
        ({"KMSEncryptionContext": {"k": "é"}}, r"KMSEncryptionContext \(value 1\) is .* that matches"),
        ({"KMSEncryptionContext": {"k": "v" * 2001}}, r"KMSEncryptionContext \(value 1\) .* with 2001 characters"),
        (
            {"Settings": {"ShowSpeakerLabels": True}},
            "Settings.ShowSpeakerLabels is true without Settings.MaxSpeakerLabels; .* takes the two together.",
        ),
        (
            {"Settings": {"MaxSpeakerLabels": 2}},
            "Settings.MaxSpeakerLabels is 2, but Settings.ShowSpeakerLabels isn't true; .* takes the two together.",
        ),
        ({"Settings": {"ShowSpeakerLabels": False, "MaxSpeakerLabels": 2}}, "Settings.MaxSpeakerLabels is 2, but"),
        (
            {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 1}},
            "Settings.MaxSpeakerLabels is 1; .* 2 to 30",
        ),
        ({"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 31}}, "Settings.MaxSpeakerLabels is 31; "),
        (
            {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ChannelIdentification": True}},
            "Settings.ShowSpeakerLabels and Settings.ChannelIdentification are both true; .* only one of them.",
        ),
        (
            {"Settings": {"ShowAlternatives": True}},
            "Settings.ShowAlternatives is true without Settings.MaxAlternatives",
        ),
        (
            {"Settings": {"MaxAlternatives": 2}},
            "Settings.MaxAlternatives is 2, but Settings.ShowAlternatives isn't true",
        ),
        ({"Settings": {"ShowAlternatives": True, "MaxAlternatives": 1}}, "Settings.MaxAlternatives is 1; .* 2 to 10"),
        ({"Settings": {"ShowAlternatives": True, "MaxAlternatives": 11}}, "Settings.MaxAlternatives is 11; "),
        ({"Settings": {"VocabularyName": "my words"}}, 'Settings.VocabularyName is "my words"; .* that matches'),
        ({"Settings": {"VocabularyName": "v" * 201}}, "Settings.VocabularyName is .* with 201 characters"),
        ({"Settings": "PHI"}, 'Settings is "PHI"; .* takes an object.'),
        (tags(*(str(n) for n in range(51))), "Tags has 51 tags; StartMedicalTranscriptionJob takes up to 50."),
        (tags("a", "b", "a"), 'Tags has the key "a" 2 times; .* takes each key once.'),
        (tags("a", "aWs:b"), r'Tags\[1\].Key is "aWs:b"; keys that begin with aws: are reserved for AWS.'),
        (tags("k" * 129), r"Tags\[0\].Key is .* with 129 characters"),
        ({"Tags": []}, "Tags has 0 items"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, r"Tags\[0\].Value is .* with 257 characters"),
        ({"Tags": [{"Key": "k", "Value": None}]}, r"Tags\[0\].Value is missing"),
        ({"Vocabulary": "v"}, "Vocabulary is no parameter of StartMedicalTranscriptionJob; known here: "),
    ],
)
def test_what_is_just_outside_a_rule_is_told(change: dict[str, Any], sentence: str) -> None:
    for problems in (
        settings_problems(changed(ASKED, change), SHAPE),
        request_problems(changed(REQUEST, change), SHAPE),
    ):
        assert len(problems) == 1, problems
        assert re.match(sentence, problems[0]), problems


@pytest.mark.parametrize(
    "change",
    [
        {"MedicalTranscriptionJobName": "a" * 200},
        {"MedicalTranscriptionJobName": "..."},
        {"Media": {"MediaFileUri": "s3://b/" + "k" * 1993}},
        {"OutputKey": "a/-_.!*'()"},
        {"KMSEncryptionContext": None, "OutputEncryptionKMSKeyId": None},
        {"OutputEncryptionKMSKeyId": "alias/transcripts"},
    ],
)
def test_a_complete_request_just_inside_the_rules_is_taken(change: dict[str, Any]) -> None:
    assert request_problems(changed(REQUEST, change), SHAPE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"MedicalTranscriptionJobName": "a" * 201}, "MedicalTranscriptionJobName is .* with 201 characters"),
        ({"MedicalTranscriptionJobName": "a b"}, 'MedicalTranscriptionJobName is "a b"; .* that matches'),
        ({"MedicalTranscriptionJobName": "."}, r'MedicalTranscriptionJobName is "\."; .* no name of dots alone.'),
        ({"MedicalTranscriptionJobName": ".."}, r'MedicalTranscriptionJobName is "\.\."; '),
        ({"Media": None}, "Media is missing; StartMedicalTranscriptionJob needs it."),
        ({"Media": {}}, "Media.MediaFileUri is missing; StartMedicalTranscriptionJob needs it."),
        ({"Media": {"MediaFileUri": "https://b/patient"}}, "Media.MediaFileUri is not of the form s3://bucket/key"),
        ({"Media": {"MediaFileUri": "s3://patient"}}, "Media.MediaFileUri is not of the form s3://bucket/key"),
        ({"Media": {"MediaFileUri": "s3://b/" + "patient" * 300}}, "Media.MediaFileUri has 2107 characters"),
        ({"Media": "s3://b/patient.wav"}, r"Media is a text \(not shown\); .* takes an object."),
        (
            {"Media": {"MediaFileUri": "s3://b/k", "RedactedMediaFileUri": "s3://b/patient"}},
            "Media.RedactedMediaFileUri is given; it is for Call Analytics jobs only",
        ),
        ({"OutputBucketName": "s3://b"}, 'OutputBucketName is "s3://b"; .* that matches'),
        ({"OutputBucketName": None}, "OutputBucketName is missing; StartMedicalTranscriptionJob needs it."),
        *(
            ({"OutputKey": f"transcripts/{character}"}, "OutputKey is .* that matches")
            for character in ("=", ":", "@", "+", " ")
        ),
        ({"OutputKey": ""}, 'OutputKey is "" with 0 characters'),
        ({"OutputKey": "k" * 1025}, "OutputKey is .* with 1025 characters"),
        (
            {"OutputEncryptionKMSKeyId": None},
            "KMSEncryptionContext is given without OutputEncryptionKMSKeyId; .* only together with a key.",
        ),
        ({"LanguageCode": None}, "LanguageCode is missing; StartMedicalTranscriptionJob needs it."),
        ({"Type": None}, "Type is missing; StartMedicalTranscriptionJob needs it."),
    ],
)
def test_a_complete_request_just_outside_a_rule_is_told_without_the_files_name(
    change: dict[str, Any], sentence: str
) -> None:
    problems = request_problems(changed(REQUEST, change), SHAPE)
    assert re.match(sentence, problems[0]), problems
    assert "patient" not in " ".join(problems)


def test_a_line_break_in_a_files_name_is_told_as_what_it_is() -> None:
    (problem,) = request_problems(changed(REQUEST, {"Media": {"MediaFileUri": "s3://b/a\nb"}}), SHAPE)
    assert "Media.MediaFileUri is a text (not shown); StartMedicalTranscriptionJob takes a text that matches" in problem


@pytest.mark.parametrize("parameters", [None, [], "Type", 3, {"Settings": [], "Tags": {}, "Media": []}, {"Tags": [1]}])
def test_what_has_the_wrong_shape_is_told_instead_of_failing(parameters: Any) -> None:
    assert settings_problems(parameters, SHAPE)
    assert request_problems(parameters, SHAPE)
