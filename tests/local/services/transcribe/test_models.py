"""The operations through a client."""

from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape
from botocore.validate import ParamValidator

from tests.local.services.transcribe.conftest import Aws, wav


def test_a_second_job_of_the_same_name_conflicts(client: Any, upload: Any, request_for: Any, wait: Any) -> None:
    request = request_for(upload(wav()))
    client.start_medical_transcription_job(**request)
    for _ in ("while it runs", "when it has ended"):
        with pytest.raises(client.exceptions.ConflictException):
            client.start_medical_transcription_job(**request)
        wait(request["MedicalTranscriptionJobName"])


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_an_unknown_job_is_a_bad_request(client: Any, operation: str) -> None:
    call = getattr(client, f"{operation}_medical_transcription_job")
    with pytest.raises(client.exceptions.BadRequestException, match="The requested job couldn't be found"):
        call(MedicalTranscriptionJobName="nobody-started-this")


def test_an_object_that_is_not_there_is_refused(client: Any, request_for: Any) -> None:
    for uri in ("s3://media/none.wav", "s3://no-such-bucket/a.wav", "https://example.com/a.wav"):
        with pytest.raises(client.exceptions.BadRequestException, match="can't be accessed"):
            client.start_medical_transcription_job(**request_for(uri))


def test_an_unknown_key_or_vocabulary_is_refused(client: Any, upload: Any, request_for: Any) -> None:
    uri = upload(wav())
    with pytest.raises(client.exceptions.BadRequestException, match="alias/none"):
        client.start_medical_transcription_job(**request_for(uri, OutputEncryptionKMSKeyId="alias/none"))
    with pytest.raises(client.exceptions.BadRequestException, match="vocabulary"):
        client.start_medical_transcription_job(**request_for(uri, Settings={"VocabularyName": "none"}))


def test_an_asymmetric_key_is_refused(aws: Aws, client: Any, upload: Any, request_for: Any) -> None:
    key = aws.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    with pytest.raises(client.exceptions.BadRequestException, match="asymmetric"):
        client.start_medical_transcription_job(**request_for(upload(wav()), OutputEncryptionKMSKeyId=key))


def test_a_recording_in_another_region_is_refused(client: Any, s3: Any, request_for: Any) -> None:
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="far", Key="a.wav", Body=wav())
    with pytest.raises(client.exceptions.BadRequestException, match="us-east-1"):
        client.start_medical_transcription_job(**request_for("s3://far/a.wav"))


def test_a_refused_start_leaves_no_job(client: Any, request_for: Any) -> None:
    request = request_for("s3://media/none.wav")
    with pytest.raises(client.exceptions.BadRequestException):
        client.start_medical_transcription_job(**request)
    with pytest.raises(client.exceptions.BadRequestException, match="couldn't be found"):
        client.get_medical_transcription_job(MedicalTranscriptionJobName=request["MedicalTranscriptionJobName"])


def test_jobs_are_listed_newest_first_by_page_status_and_part_of_the_name(
    client: Any, upload: Any, request_for: Any, wait: Any
) -> None:
    uri = upload(wav())
    names = [f"Listed-{number}" for number in range(7)]
    for name in names:
        client.start_medical_transcription_job(**request_for(uri, MedicalTranscriptionJobName=name))
    client.start_medical_transcription_job(
        **request_for(uri, MedicalTranscriptionJobName="Listed-failed", MediaFormat="mp3")
    )
    for name in [*names, "Listed-failed"]:
        wait(name)
    page = client.list_medical_transcription_jobs(JobNameContains="listed", Status="COMPLETED")
    seen = [job["MedicalTranscriptionJobName"] for job in page["MedicalTranscriptionJobSummaries"]]
    assert len(seen) == 5
    rest = client.list_medical_transcription_jobs(
        JobNameContains="listed", Status="COMPLETED", NextToken=page["NextToken"]
    )
    seen += [job["MedicalTranscriptionJobName"] for job in rest["MedicalTranscriptionJobSummaries"]]
    assert seen == names[::-1]
    assert "NextToken" not in rest
    [failed] = client.list_medical_transcription_jobs(JobNameContains="listed", Status="FAILED")[
        "MedicalTranscriptionJobSummaries"
    ]
    assert failed["FailureReason"] and failed["OutputLocationType"] == "CUSTOMER_BUCKET"


def test_a_made_up_token_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.BadRequestException, match="NextToken"):
        client.list_medical_transcription_jobs(NextToken="made up")


def test_answers_have_every_member_in_botocores_shape(client: Any, run: Any) -> None:
    client.create_medical_vocabulary(VocabularyName="v", LanguageCode="en-US", VocabularyFileUri="s3://media/v.txt")
    settings = {
        "ShowSpeakerLabels": True,
        "MaxSpeakerLabels": 2,
        "ChannelIdentification": False,
        "ShowAlternatives": True,
        "MaxAlternatives": 2,
        "VocabularyName": "v",
    }
    tags = [{"Key": "team", "Value": "cardiology"}, {"Key": "empty", "Value": ""}]
    job = run(wav(), ContentIdentificationType="PHI", Settings=settings, Tags=tags)
    failed = run(wav(), MediaFormat="mp3")
    listed = client.list_medical_transcription_jobs(Status="COMPLETED")
    del listed["ResponseMetadata"]
    service = botocore.session.get_session().get_service_model("transcribe")
    for operation, answer in (
        ("GetMedicalTranscriptionJob", {"MedicalTranscriptionJob": job}),
        ("ListMedicalTranscriptionJobs", listed),
    ):
        shape = service.operation_model(operation).output_shape
        assert shape is not None
        assert not ParamValidator().validate(answer, shape).has_errors()
    described_shape = service.shape_for("MedicalTranscriptionJob")
    assert isinstance(described_shape, StructureShape)
    described = described_shape.members
    assert job.keys() == described.keys() - {"FailureReason"}
    assert (job["Tags"], job["Settings"]) == (tags, settings)
    assert described.keys() - failed.keys() == {
        "MediaSampleRateHertz", "Transcript", "Settings", "ContentIdentificationType", "Tags",
    }  # fmt: skip


def test_the_services_other_operations_remain_motos(client: Any) -> None:
    client.create_medical_vocabulary(
        VocabularyName="drugs", LanguageCode="en-US", VocabularyFileUri="s3://media/drugs.txt"
    )
    assert client.get_medical_vocabulary(VocabularyName="drugs")["VocabularyName"] == "drugs"
