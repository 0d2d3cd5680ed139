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
    ],
)
def test_what_the_service_refuses_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequestException, match=named):
        check_start({**VALID, **change})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadRequestException, match="2 validation errors detected"):
        check_model("ListMedicalTranscriptionJobs", {"MaxResults": 101, "Status": "DONE"})
