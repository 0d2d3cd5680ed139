import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from lambdas import comprehend_medical
from lambdas.shared import jobs
from lambdas.shared.errors import CostCeilingExceeded, InvalidInput, JobFailed, TakenOver

DOCUMENTS = {
    "documents_id": "d1",
    "uri": "s3://clinical-bucket/documents/d1/",
    "count": 10,
    "characters": 9000,
    "estimated_usd": 0.9,
    "takeover": "",
}
PARAMETERS = {"LanguageCode": "en"}
INPUT = {"S3Bucket": "clinical-bucket", "S3Key": "documents/d1/"}
ALL_STATUSES = (
    botocore.session.get_session().get_service_model("comprehendmedical").shape_for("JobStatus").enum  # type: ignore[attr-defined]
)


@pytest.fixture
def service(s3: Any, stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(comprehend_medical.comprehend_medical)


def expect_listing(service: Stubber, attempt: int, *statuses: str) -> None:
    service.add_response(
        "list_entities_detection_v2_jobs",
        {
            "ComprehendMedicalAsyncJobPropertiesList": [
                {"JobId": f"job-{s}", "JobStatus": s, "InputDataConfig": INPUT} for s in statuses
            ]
        },
        {"Filter": {"JobName": f"clinical-media-test-d1-{attempt}"}},
    )


def expect_start(service: Stubber, attempt: int) -> None:
    request = comprehend_medical.request(f"clinical-media-test-d1-{attempt}", DOCUMENTS, PARAMETERS)
    service.add_response("start_entities_detection_v2_job", {"JobId": "new"}, request)


def start(**parameters: str) -> jobs.Job:
    event = {
        "batch_id": "batch",
        "documents": DOCUMENTS,
        "parameters": {**PARAMETERS, **parameters},
        "redrive_count": 0,
    }
    return comprehend_medical.start(event, None)


def poll(redrive_count: int = 0) -> jobs.Job:
    event = {"batch_id": "batch", "job": jobs.started("j", 300, 0), "redrive_count": redrive_count}
    answer: jobs.Job = comprehend_medical.poll(event, None)
    return answer


def test_the_request_names_prefix_output_role_and_key() -> None:
    assert comprehend_medical.request("name", DOCUMENTS, PARAMETERS) == {
        "JobName": "name",
        "ClientRequestToken": comprehend_medical.request("name", DOCUMENTS, PARAMETERS)["ClientRequestToken"],
        "InputDataConfig": {"S3Bucket": "clinical-bucket", "S3Key": "documents/d1/"},
        "OutputDataConfig": {"S3Bucket": "clinical-bucket", "S3Key": "entities/"},
        "DataAccessRoleArn": "arn:aws:iam::123456789012:role/entity-detection",
        "KMSKey": "arn:aws:kms:us-east-1:123456789012:key/clinical",
        "LanguageCode": "en",
    }


def test_the_same_start_repeated_has_the_same_token_and_the_next_attempt_another() -> None:
    tokens = [comprehend_medical.request(name, DOCUMENTS, PARAMETERS)["ClientRequestToken"] for name in ("a", "a", "b")]
    assert tokens[0] == tokens[1] != tokens[2]
    assert len(tokens[0]) <= 64


def test_a_job_is_started_where_none_is_known(service: Stubber) -> None:
    expect_listing(service, 1)
    expect_start(service, 1)
    job = start()
    assert (job["id"], job["status"], job["expected_seconds"]) == ("new", "IN_PROGRESS", 302)


@pytest.mark.parametrize("status", ["SUBMITTED", "IN_PROGRESS", "COMPLETED", "PARTIAL_SUCCESS"])
def test_a_job_that_did_not_fail_is_adopted(service: Stubber, status: str) -> None:
    expect_listing(service, 1, status)
    job = start()
    assert job["id"] == f"job-{status}"
    assert (job["wait_seconds"] == jobs.SHORTEST_WAIT_SECONDS) == (status in ("COMPLETED", "PARTIAL_SUCCESS"))


@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "STOP_REQUESTED"])
def test_after_a_failed_job_comes_the_next_attempt(service: Stubber, status: str) -> None:
    expect_listing(service, 1, status)
    expect_listing(service, 2)
    expect_start(service, 2)
    assert start()["id"] == "new"


def test_a_job_name_that_was_asked_for_begins_the_job_s_name(service: Stubber) -> None:
    name = {"JobName": "ward 3-d1-1"}
    service.add_response(
        "list_entities_detection_v2_jobs", {"ComprehendMedicalAsyncJobPropertiesList": []}, {"Filter": name}
    )
    request = comprehend_medical.request("ward 3-d1-1", DOCUMENTS, PARAMETERS)
    service.add_response("start_entities_detection_v2_job", {"JobId": "new"}, request)
    assert start(JobName="ward 3")["id"] == "new"


def test_a_job_of_that_name_over_other_documents_is_not_adopted(service: Stubber) -> None:
    other = {"S3Bucket": "clinical-bucket", "S3Key": "documents/other/"}
    service.add_response(
        "list_entities_detection_v2_jobs",
        {
            "ComprehendMedicalAsyncJobPropertiesList": [
                {"JobId": "other", "JobStatus": "COMPLETED", "InputDataConfig": other}
            ]
        },
    )
    expect_start(service, 1)
    assert start()["id"] == "new"


def test_a_request_that_breaks_a_rule_is_never_sent(service: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTITY_DETECTION_ROLE_ARN", "not-a-role")
    with pytest.raises(InvalidInput, match="not-a-role"):
        start()


def test_recordings_that_another_execution_has_taken_over_are_not_paid_for_again(service: Stubber, s3: Any) -> None:
    s3.put_object(Bucket="clinical-bucket", Key="batches/batch/taken-over.json", Body=b"{}")
    expect_listing(service, 1, "FAILED")
    expect_listing(service, 2)
    with pytest.raises(TakenOver, match=r"taken over recordings of batch .* Start a new execution with the same input"):
        start()


def test_a_job_that_exists_is_adopted_whoever_started_it(service: Stubber, s3: Any) -> None:
    s3.put_object(Bucket="clinical-bucket", Key="batches/batch/taken-over.json", Body=b"{}")
    expect_listing(service, 1, "IN_PROGRESS")
    assert start()["id"] == "job-IN_PROGRESS"


def test_a_job_that_is_gone_fails_the_poll_and_a_redrive_starts_again(service: Stubber) -> None:
    service.add_client_error("describe_entities_detection_v2_job", "ResourceNotFoundException", "no such job")
    with pytest.raises(JobFailed, match="no such job"):
        poll()
    service.add_client_error("describe_entities_detection_v2_job", "ResourceNotFoundException", "no such job")
    assert poll(redrive_count=1)["status"] == "START_AGAIN"


def test_above_the_cost_ceiling_nothing_is_asked_of_the_service(
    service: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COST_CEILING_USD", "0.89")
    with pytest.raises(
        CostCeilingExceeded, match=r"10 documents with 9000 characters.*0\.90 USD.*ceiling is 0\.89 USD"
    ):
        start()


@pytest.mark.parametrize("status", ALL_STATUSES)
def test_every_status_of_the_service_is_mapped(service: Stubber, s3: Any, status: str) -> None:
    properties = {
        "JobStatus": status,
        "OutputDataConfig": {"S3Bucket": "clinical-bucket", "S3Key": "entities/1-EntitiesDetection-j/"},
        "ManifestFilePath": "entities/1-EntitiesDetection-j/Manifest",
        "Message": "role cannot be assumed",
        "ModelVersion": "2.5.0",
    }
    service.add_response(
        "describe_entities_detection_v2_job", {"ComprehendMedicalAsyncJobProperties": properties}, {"JobId": "j"}
    )
    if status in ("FAILED", "STOPPED", "STOP_REQUESTED"):
        with pytest.raises(JobFailed, match="job j failed: role cannot be assumed"):
            poll()
    elif status in ("COMPLETED", "PARTIAL_SUCCESS"):
        job = poll()
        assert job["status"] == "COMPLETED"
        assert job["result"] == {
            "service_status": status,
            "model_version": "2.5.0",
            "output_uri": "s3://clinical-bucket/entities/1-EntitiesDetection-j/",
            "manifest_path": "entities/1-EntitiesDetection-j/Manifest",
        }
    else:
        assert poll()["status"] == "IN_PROGRESS"
        return
    kept = s3.get_object(Bucket="clinical-bucket", Key="batches/batch/jobs/entity_detection/j.json")["Body"].read()
    assert json.loads(kept) == properties


def test_a_redriven_poll_of_the_failed_job_starts_again(service: Stubber, s3: Any) -> None:
    service.add_response(
        "describe_entities_detection_v2_job", {"ComprehendMedicalAsyncJobProperties": {"JobStatus": "FAILED"}}
    )
    assert poll(redrive_count=1)["status"] == "START_AGAIN"
