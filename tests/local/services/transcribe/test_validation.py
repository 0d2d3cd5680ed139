from typing import Any

import pytest
from moto.transcribe.exceptions import BadRequestException

from local.services.transcribe.validation import check_model, check_start

VALID: dict[str, Any] = {
    "MedicalTranscriptionJobName": "job-1",
    "LanguageCode": "en-US",
    "Media": {"MediaFileUri": "s3://media/a b+ü.wav"},
    "OutputBucketName": "clinical",
    "Specialty": "PRIMARYCARE",
    "Type": "DICTATION",
}


def test_a_full_request_passes() -> None:
    check_start(
        {
            **VALID,
            "MediaFormat": "m4a",
            "MediaSampleRateHertz": 48_000,
            "OutputKey": "transcripts/a.json",
            "OutputEncryptionKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/1234abcd",
            "KMSEncryptionContext": {"class": "clinical"},
            "ContentIdentificationType": "PHI",
            "Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2},
            "Tags": [{"Key": "team", "Value": ""}],
        }
    )


@pytest.mark.parametrize("missing", sorted(VALID))
def test_every_required_member_is_missed(missing: str) -> None:
    with pytest.raises(BadRequestException, match=rf"'{missing[0].lower()}{missing[1:]}'.*must not be null"):
        check_start({name: value for name, value in VALID.items() if name != missing})


@pytest.mark.parametrize(
    "change",
    [
        {"MedicalTranscriptionJobName": "j" * 200},
        {"MedicalTranscriptionJobName": "..."},
        {"MediaSampleRateHertz": 16_000},
        {"OutputKey": "k" * 1024},
        {"OutputKey": "a-Z_0.!*'()/"},
        {"OutputBucketName": "b" * 63},
        {"Media": {"MediaFileUri": f"s3://{'m' * 1995}"}},
        {"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {f"k{pair}": "v" for pair in range(10)}},
        {"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {"k" * 2000: "v" * 2000}},
        {"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {" ": "~"}},
        {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 30}},
        {"Settings": {"ShowAlternatives": True, "MaxAlternatives": 2}},
        {"Settings": {"ShowAlternatives": True, "MaxAlternatives": 10}},
        {"Settings": {"ShowSpeakerLabels": False, "ChannelIdentification": True}},
        {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ChannelIdentification": False}},
        {"Settings": {"VocabularyName": "v" * 200}},
        {"Tags": [{"Key": f"k{tag}", "Value": "v"} for tag in range(50)]},
        {"Tags": [{"Key": "k" * 128, "Value": "v" * 256}]},
        {"Tags": [{"Key": "team", "Value": "v"}, {"Key": "Team", "Value": "v"}, {"Key": "aws", "Value": "aws:v"}]},
    ],
)
def test_what_is_just_inside_a_rule_passes(change: dict[str, Any]) -> None:
    check_start({**VALID, **change})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MedicalTranscriptionJobName": "a job"}, "medicalTranscriptionJobName"),
        ({"MedicalTranscriptionJobName": "j" * 201}, "less than or equal to 200"),
        ({"LanguageCode": "en-GB"}, "en-US"),
        ({"LanguageCode": "tlh"}, "languageCode"),
        ({"Specialty": "CARDIOLOGY"}, "PRIMARYCARE"),
        ({"Type": "SINGING"}, "DICTATION"),
        ({"MediaFormat": "docx"}, "mediaFormat"),
        ({"MediaSampleRateHertz": 8_000}, "greater than or equal to 16000"),
        ({"MediaSampleRateHertz": 96_000}, "less than or equal to 48000"),
        ({"OutputBucketName": "s3://clinical"}, "outputBucketName"),
        ({"OutputKey": "dt=2026/a.json"}, "outputKey"),
        ({"OutputEncryptionKMSKeyId": "a key"}, "outputEncryptionKMSKeyId"),
        ({"KMSEncryptionContext": {"class": "clinical"}}, "OutputEncryptionKMSKeyId"),
        ({"ContentIdentificationType": "PII"}, "contentIdentificationType"),
        ({"Media": {}}, "MediaFileUri"),
        ({"Media": {"MediaFileUri": "media/a.wav"}}, "media.mediaFileUri"),
        ({"Media": {"MediaFileUri": "s3://m/a", "RedactedMediaFileUri": "s3://m/b"}}, "Call Analytics"),
        ({"Settings": {"ShowSpeakerLabels": True}}, "MaxSpeakerLabels"),
        ({"Settings": {"MaxSpeakerLabels": 2}}, "ShowSpeakerLabels"),
        ({"Settings": {"ShowAlternatives": True}}, "MaxAlternatives"),
        ({"Settings": {"MaxSpeakerLabels": 31, "ShowSpeakerLabels": True}}, "settings.maxSpeakerLabels"),
        (
            {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2, "ChannelIdentification": True}},
            "exclude each other",
        ),
        ({"Tags": [{"Key": "", "Value": "x"}]}, "tags.1.member.key"),
        ({"MedicalTranscriptionJobName": ""}, "medicalTranscriptionJobName"),
        ({"MedicalTranscriptionJobName": "."}, "by itself"),
        ({"MedicalTranscriptionJobName": ".."}, "by itself"),
        ({"MediaSampleRateHertz": 15_999}, "greater than or equal to 16000"),
        ({"MediaSampleRateHertz": 48_001}, "less than or equal to 48000"),
        ({"OutputKey": ""}, "outputKey"),
        ({"OutputKey": "k" * 1025}, "outputKey"),
        *(({"OutputKey": f"a{character}b"}, "outputKey") for character in "=:@+ ,~"),
        ({"OutputBucketName": "b" * 65}, "outputBucketName"),
        ({"OutputBucketName": ""}, "outputBucketName"),
        ({"Media": {"MediaFileUri": f"s3://{'m' * 1996}"}}, "less than or equal to 2000"),
        ({"OutputEncryptionKMSKeyId": ""}, "outputEncryptionKMSKeyId"),
        ({"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {}}, "kMSEncryptionContext"),
        (
            {"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {f"k{pair}": "v" for pair in range(11)}},
            "kMSEncryptionContext",
        ),
        ({"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {"k": "é"}}, "kMSEncryptionContext"),
        ({"OutputEncryptionKMSKeyId": "alias/a", "KMSEncryptionContext": {"k" * 2001: "v"}}, "kMSEncryptionContext"),
        ({"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 1}}, "settings.maxSpeakerLabels"),
        ({"Settings": {"ShowSpeakerLabels": False, "MaxSpeakerLabels": 2}}, "ShowSpeakerLabels"),
        ({"Settings": {"ShowAlternatives": True, "MaxAlternatives": 1}}, "settings.maxAlternatives"),
        ({"Settings": {"ShowAlternatives": True, "MaxAlternatives": 11}}, "settings.maxAlternatives"),
        ({"Settings": {"MaxAlternatives": 2}}, "ShowAlternatives"),
        ({"Settings": {"ShowAlternatives": False, "MaxAlternatives": 2}}, "ShowAlternatives"),
        ({"Settings": {"VocabularyName": ""}}, "settings.vocabularyName"),
        ({"Settings": {"VocabularyName": "v" * 201}}, "settings.vocabularyName"),
        ({"Settings": {"VocabularyName": "a b"}}, "settings.vocabularyName"),
        ({"Tags": []}, "tags"),
        ({"Tags": [{"Key": f"k{tag}", "Value": "v"} for tag in range(51)]}, "at most 50"),
        ({"Tags": [{"Key": "k" * 129, "Value": "v"}]}, "tags.1.member.key"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "tags.1.member.value"),
        ({"Tags": [{"Key": "k"}]}, "tags.1.member.value"),
        ({"Tags": [{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]}, "team 2 times"),
        ({"Tags": [{"Key": "aws:team", "Value": "a"}]}, "aws:"),
        ({"Tags": [{"Key": "AWS:team", "Value": "a"}]}, "aws:"),
    ],
)
def test_what_the_service_refuses_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequestException, match=named):
        check_start({**VALID, **change})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadRequestException, match="2 validation errors detected"):
        check_model("ListMedicalTranscriptionJobs", {"MaxResults": 101, "Status": "DONE"})
