"""A job's inputs, outputs and states."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.services.comprehendmedical import jobs
from tests.local.services.comprehendmedical.conftest import DATA_ACCESS, Aws


def test_a_job_writes_one_output_per_document_below_a_directory_of_its_own(
    run: Any, documents: Any, s3: Any, read_json: Any
) -> None:
    prefix = documents({"one.txt": b"asthma", "2025/two.txt": "fièvre".encode()})
    job = run(prefix)
    assert (job["JobStatus"], job["InputDataConfig"]["S3Key"]) == ("COMPLETED", prefix)
    directory = f"entities/123456789012-EntitiesDetection-{job['JobId']}/"
    assert job["OutputDataConfig"] == {"S3Bucket": "clinical", "S3Key": directory}
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket="clinical", Prefix=directory)["Contents"]}
    assert {directory + "one.txt.out", directory + "2025/two.txt.out", job["ManifestFilePath"]} < keys
    output = read_json(directory + "2025/two.txt.out")
    assert output["Entities"][0]["Text"] == "fièvre"
    assert output["Entities"][0]["EndOffset"] == 6
    assert job["EndTime"] >= job["SubmitTime"]
    assert job["ExpirationTime"] - job["SubmitTime"] == timedelta(days=120)


def test_the_manifest_counts_the_documents_and_names_both_lists(run: Any, documents: Any, read_json: Any) -> None:
    prefix = documents({"a.txt": b"asthma", "empty.txt": b"", "big.txt": b"x" * 40_001, "latin.txt": b"fi\xe8vre"})
    job = run(prefix)
    assert job["JobStatus"] == "PARTIAL_SUCCESS"
    assert "3 of 4" in job["Message"]
    summary = read_json(job["ManifestFilePath"])["Summary"]
    assert summary["Status"] == "PARTIAL_SUCCESS"
    assert summary["JobType"] == "EntitiesDetection"
    assert summary["InputDataConfiguration"] == {"Bucket": "clinical", "Path": prefix}
    assert summary["OutputDataConfiguration"] == {"Bucket": "clinical", "Path": job["OutputDataConfig"]["S3Key"]}
    counts = ("InputFileCount", "SuccessFilesCount", "UnprocessedFilesCount", "TotalMeteredCharacters")
    assert [summary[count] for count in counts] == [4, 1, 3, 6]
    successes = read_json(summary["SuccessfulFilesListLocation"])["Files"]
    assert [(file["Input"], file["InputSize"]) for file in successes] == [(prefix + "a.txt", 6)]
    assert read_json(successes[0]["Output"])["Entities"][0]["Text"] == "asthma"
    failures = read_json(summary["UnprocessedFilesListLocation"])["Files"]
    assert {file["Input"].removeprefix(prefix): file["ErrorCode"] for file in failures} == {
        "empty.txt": "EMPTY_DOCUMENT",
        "big.txt": "DOCUMENT_SIZE_EXCEEDED",
        "latin.txt": "INVALID_ENCODING",
    }
    assert all(file["ErrorMessage"] for file in failures)


def test_a_document_of_exactly_the_limit_is_processed(run: Any, documents: Any) -> None:
    assert run(documents({"limit.txt": b"x" * 40_000}))["JobStatus"] == "COMPLETED"


def test_a_job_none_of_whose_documents_can_be_processed_fails(run: Any, documents: Any, read_json: Any) -> None:
    job = run(documents({"empty.txt": b""}))
    assert job["JobStatus"] == "FAILED"
    assert "None of the 1 documents" in job["Message"]
    summary = read_json(job["ManifestFilePath"])["Summary"]
    assert summary["FailedJobErrorMessage"] == job["Message"]


def test_a_prefix_without_documents_fails_the_job(run: Any) -> None:
    job = run("documents/nothing-here/")
    assert (job["JobStatus"], job["Message"]) == (
        "FAILED",
        "There are no documents at s3://clinical/documents/nothing-here/",
    )


def test_a_folder_marker_is_not_a_document(run: Any, documents: Any, read_json: Any) -> None:
    job = run(documents({"": b"", "a.txt": b"asthma"}))
    assert job["JobStatus"] == "COMPLETED"
    assert read_json(job["ManifestFilePath"])["Summary"]["InputFileCount"] == 1


def test_a_prefix_that_ends_within_a_name_keeps_the_whole_name(run: Any, documents: Any, read_json: Any) -> None:
    prefix = documents({"visit-1.txt": b"asthma"})
    job = run(prefix + "visit-")
    assert read_json(job["OutputDataConfig"]["S3Key"] + "visit-1.txt.out")["Entities"]


def test_a_prefix_without_its_slash_means_the_folder(run: Any, documents: Any, read_json: Any) -> None:
    prefix = documents({"a.txt": b"asthma"})
    job = run(prefix.removesuffix("/"))
    assert read_json(job["OutputDataConfig"]["S3Key"] + "a.txt.out")["Entities"]


@pytest.mark.parametrize(
    ("missing", "verb"), [("s3:ListBucket", "list"), ("s3:GetObject", "read"), ("s3:PutObject", "write")]
)
def test_a_job_fails_for_a_permission_that_its_role_lacks(
    aws: Aws, run: Any, documents: Any, missing: str, verb: str
) -> None:
    role = aws.role([statement for statement in DATA_ACCESS if statement["Action"] != missing])
    job = run(documents({"a.txt": b"asthma"}), DataAccessRoleArn=role)
    assert job["JobStatus"] == "FAILED"
    assert job["Message"].startswith(f"{role} cannot {verb} s3://clinical/")
    assert "asthma" not in job["Message"]


def test_a_job_fails_if_the_role_trusts_another_regions_jobs(aws: Aws, run: Any, documents: Any) -> None:
    role = aws.role(DATA_ACCESS, source_arn="arn:aws:comprehendmedical:eu-west-1:123456789012:*")
    job = run(documents({"a.txt": b"asthma"}), DataAccessRoleArn=role)
    assert job["JobStatus"] == "FAILED"
    assert f"cannot assume {role}" in job["Message"]


def test_outputs_are_under_the_key_that_was_asked_for(aws: Aws, run: Any, documents: Any, s3: Any) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    job = run(documents({"a.txt": b"asthma"}), KMSKey=key)
    assert job["KMSKey"] == key
    for name in (job["OutputDataConfig"]["S3Key"] + "a.txt.out", job["ManifestFilePath"]):
        written = s3.head_object(Bucket="clinical", Key=name)
        assert (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.parametrize(("way", "sent"), [("as-given", "Arn"), ("id", "KeyId")])
def test_the_key_is_sent_as_it_was_given_or_by_its_id(
    aws: Aws, run: Any, documents: Any, s3: Any, playing: Callable[..., None], way: str, sent: str
) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]
    playing(comprehend_medical_key=way)
    job = run(documents({"a.txt": b"asthma"}), KMSKey=key["Arn"])
    assert job["KMSKey"] == key["Arn"]
    assert s3.head_object(Bucket="clinical", Key=job["ManifestFilePath"])["SSEKMSKeyId"] == key[sent]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("disabled", "KMS.DisabledException"),
        ("to be deleted", "KMS.KMSInvalidStateException"),
        ("asymmetric", "KMS.InvalidKeyUsageException"),
        ("of another region", "KMS.NotFoundException"),
        ("unknown", "KMS.NotFoundException"),
        ("an unknown alias", "KMS.NotFoundException"),
    ],
)
def test_a_job_fails_for_a_key_that_cannot_be_used(
    aws: Aws, run: Any, documents: Any, s3: Any, state: str, error: str
) -> None:
    kms = aws.client("kms")
    created = kms.create_key(KeySpec="RSA_2048" if state == "asymmetric" else "SYMMETRIC_DEFAULT")["KeyMetadata"]
    key = created["Arn"]
    match state:
        case "disabled":
            kms.disable_key(KeyId=created["KeyId"])
        case "to be deleted":
            kms.schedule_key_deletion(KeyId=created["KeyId"])
        case "of another region":
            key = key.replace("us-east-1", "us-west-2")
        case "unknown":
            key = "00000000-0000-0000-0000-000000000000"
        case "an unknown alias":
            key = "alias/nobodys"
    job = run(documents({"a.txt": b"asthma"}), KMSKey=key)
    assert job["JobStatus"] == "FAILED"
    assert job["Message"].endswith(f"cannot write under KMSKey {key}: {error}")
    assert s3.list_objects_v2(Bucket="clinical", Prefix=job["OutputDataConfig"]["S3Key"])["KeyCount"] == 0


@pytest.mark.parametrize("notation", ["KeyId", "alias"])
def test_a_key_may_be_given_by_its_id_or_an_alias(aws: Aws, run: Any, documents: Any, notation: str) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    if notation == "alias":
        kms.create_alias(AliasName="alias/outputs", TargetKeyId=key)
        key = "alias/outputs"
    assert run(documents({"a.txt": b"asthma"}), KMSKey=key)["JobStatus"] == "COMPLETED"


def test_a_job_takes_as_many_bytes_as_the_quota_and_no_more(
    run: Any, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAXIMUM_JOB_BYTES", 10)
    assert run(documents({"a.txt": b"asthm", "b.txt": b"gouts"}))["JobStatus"] == "COMPLETED"
    job = run(documents({"a.txt": b"asthm", "b.txt": b"goutss"}))
    assert job["JobStatus"] == "FAILED"
    assert "has 11 bytes; a job takes at most 10" in job["Message"]


def test_a_document_of_one_byte_is_processed(run: Any, documents: Any) -> None:
    assert run(documents({"a.txt": b"x"}))["JobStatus"] == "COMPLETED"


def test_a_job_fails_if_nobody_can_assume_the_role(aws: Aws, run: Any, documents: Any) -> None:
    role = "arn:aws:iam::123456789012:role/not-there"
    job = run(documents({"a.txt": b"asthma"}), DataAccessRoleArn=role)
    assert job["JobStatus"] == "FAILED"
    assert "there is no such role" in job["Message"]


def test_a_description_has_every_documented_member(client: Any, aws: Aws, run: Any, documents: Any) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    shape = client.meta.service_model.operation_model("DescribeEntitiesDetectionV2Job").output_shape
    documented = set(shape.members["ComprehendMedicalAsyncJobProperties"].members)
    job = run(documents({"a.txt": b"asthma", "b.txt": b""}), JobName="visit 1", KMSKey=key)
    assert set(job) == documented
    assert (job["JobName"], job["LanguageCode"]) == ("visit 1", "en")
    completed = run(documents({"a.txt": b"asthma"}))
    assert set(completed) == documented - {"JobName", "KMSKey", "Message"}


def test_a_defect_of_the_engine_fails_the_job_without_telling_its_text(
    run: Any, documents: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str) -> dict[str, Any]:
        raise RuntimeError(text)

    monkeypatch.setattr(jobs, "engine", broken)
    job = run(documents({"a.txt": b"asthma"}))
    assert job["JobStatus"] == "FAILED"
    assert "asthma" not in job["Message"] + caplog.text
    assert "RuntimeError" in caplog.text


def test_a_stopped_job_keeps_what_it_has_written_and_says_so(
    client: Any, request_for: Any, wait: Any, documents: Any, read_json: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()
    fast = jobs.engine

    def slow(text: str) -> dict[str, Any]:
        started.set()
        assert go_on.wait(10)
        return fast(text)

    monkeypatch.setattr(jobs, "engine", slow)
    prefix = documents({f"{number}.txt": b"asthma" for number in range(3)})
    job_id = client.start_entities_detection_v2_job(**request_for(prefix))["JobId"]
    assert started.wait(10)

    def status() -> str:
        answer = client.describe_entities_detection_v2_job(JobId=job_id)["ComprehendMedicalAsyncJobProperties"]
        return str(answer["JobStatus"])

    assert status() == "IN_PROGRESS"
    assert client.stop_entities_detection_v2_job(JobId=job_id)["JobId"] == job_id
    assert status() == "STOP_REQUESTED"
    go_on.set()
    job = wait(job_id)
    assert job["JobStatus"] == "STOPPED"
    summary = read_json(job["ManifestFilePath"])["Summary"]
    assert (summary["Status"], summary["SuccessFilesCount"], summary["UnprocessedFilesCount"]) == ("STOPPED", 1, 2)
    with pytest.raises(client.exceptions.InvalidRequestException, match="only an active job"):
        client.stop_entities_detection_v2_job(JobId=job_id)
