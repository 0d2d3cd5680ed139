import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from lambdas import comprehend_medical
from lambdas.entities.jobs import EntityJob, note_ended, note_started, read_entity_jobs
from lambdas.shared import jobs
from lambdas.shared.claim_items import ExecutionItem, advance_generation
from lambdas.shared.errors import CostCeilingExceeded, IncompleteOutput, InvalidInput, JobFailed, TakenOver
from lambdas.shared.state import EntityOutput

CLINICAL = "clinical-bucket"
NEW = {"base": "d1", "count": 10, "characters": 9000, "estimated_usd": 0.9}
DOCUMENTS = {
    "jobs_key": "batches/batch/used-jobs-1.json",
    "generation": 1,
    "new": NEW,
    "estimated_usd": 0.9,
    "billable_seconds": 1000,
}
NO_NEW = {**DOCUMENTS, "new": {**NEW, "base": "", "count": 0}}
OUTPUT: EntityOutput = {
    "service_status": "COMPLETED",
    "model_version": "2.5.0",
    "output_uri": "s3://clinical-bucket/entities/1-EntitiesDetection-j/",
    "manifest_path": "entities/1-EntitiesDetection-j/Manifest",
}
PARAMETERS = {"LanguageCode": "en"}
INPUT = {"S3Bucket": "clinical-bucket", "S3Key": "documents/d1/"}
ALL_STATUSES = (
    botocore.session.get_session().get_service_model("comprehendmedical").shape_for("JobStatus").enum  # type: ignore[attr-defined]
)


@pytest.fixture
def service(s3: Any, stubbed: Callable[[Any], Stubber]) -> Stubber:
    """The execution has prepared the documents of the job d1."""
    advance_generation("batch")
    put_jobs(s3, "d1")
    return stubbed(comprehend_medical.comprehend_medical)


def put_jobs(s3: Any, *bases: str) -> None:
    listed = [{"base": base, "documents": 10, "estimated_usd": 0.9} for base in bases]
    s3.put_object(Bucket=CLINICAL, Key=DOCUMENTS["jobs_key"], Body=json.dumps(listed).encode())


def job_of(base: str) -> EntityJob:
    return read_entity_jobs([base])[base]


def expect_description(service: Stubber, job_id: str, status: str, **more: str) -> None:
    properties = {
        "JobId": job_id,
        "JobStatus": status,
        "OutputDataConfig": {"S3Bucket": CLINICAL, "S3Key": "entities/1-EntitiesDetection-j/"},
        "ManifestFilePath": "entities/1-EntitiesDetection-j/Manifest",
        "ModelVersion": "2.5.0",
        **more,
    }
    service.add_response(
        "describe_entities_detection_v2_job", {"ComprehendMedicalAsyncJobProperties": properties}, {"JobId": job_id}
    )


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


def expect_start(service: Stubber, attempt: int, base: str = "d1", **parameters: str) -> None:
    request = comprehend_medical.request(base, attempt, PARAMETERS | parameters)
    service.add_response("start_entities_detection_v2_job", {"JobId": "new"}, request)


def start(documents: dict[str, Any] = DOCUMENTS, **parameters: str) -> jobs.Job:
    event = {
        "batch_id": "batch",
        "documents": documents,
        "parameters": {**PARAMETERS, **parameters},
        "redrive_count": 0,
    }
    return comprehend_medical.start(event, None)


def poll(redrive_count: int = 0, documents: dict[str, Any] = DOCUMENTS) -> jobs.Job:
    job = jobs.started("j", 300, 0)
    event = {"batch_id": "batch", "documents": documents, "job": job, "redrive_count": redrive_count}
    answer: jobs.Job = comprehend_medical.poll(event, None)
    return answer


def test_the_request_names_prefix_output_role_and_key() -> None:
    assert comprehend_medical.request("d1", 2, PARAMETERS) == {
        "JobName": "clinical-media-test-d1-2",
        "ClientRequestToken": comprehend_medical.request("d1", 2, PARAMETERS)["ClientRequestToken"],
        "InputDataConfig": {"S3Bucket": "clinical-bucket", "S3Key": "documents/d1/"},
        "OutputDataConfig": {"S3Bucket": "clinical-bucket", "S3Key": "entities/"},
        "DataAccessRoleArn": "arn:aws:iam::123456789012:role/entity-detection",
        "KMSKey": "arn:aws:kms:us-east-1:123456789012:key/clinical",
        "LanguageCode": "en",
    }


def test_the_same_start_repeated_has_the_same_token_and_the_next_attempt_another() -> None:
    tokens = [comprehend_medical.request("d1", attempt, PARAMETERS)["ClientRequestToken"] for attempt in (1, 1, 2)]
    assert tokens[0] == tokens[1] != tokens[2]
    assert len(tokens[0]) <= 64


def test_a_job_is_started_where_none_is_known(service: Stubber) -> None:
    expect_listing(service, 1)
    expect_start(service, 1)
    job = start()
    assert (job["id"], job["status"], job["expected_seconds"]) == ("new", "IN_PROGRESS", 302)
    assert job_of("d1") == EntityJob("new", 1)
    assert advance_generation("batch") == ExecutionItem(2, 0, frozenset({"d1"}))


@pytest.mark.parametrize("status", ["SUBMITTED", "IN_PROGRESS", "COMPLETED", "PARTIAL_SUCCESS"])
def test_a_job_that_did_not_fail_is_adopted(service: Stubber, status: str) -> None:
    expect_listing(service, 1, status)
    job = start()
    assert job["id"] == job_of("d1").id == f"job-{status}"
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
    expect_start(service, 1, JobName="ward 3")
    assert start(JobName="ward 3")["id"] == "new"


@pytest.mark.parametrize("status", ["IN_PROGRESS", "COMPLETED"])
def test_a_job_whose_id_is_known_is_asked_for_by_it(service: Stubber, status: str) -> None:
    note_started("d1", "job-3", 3)
    expect_description(service, "job-3", status)
    job = start()
    assert (job["id"], job["expected_seconds"]) == ("job-3", 302 if status == "IN_PROGRESS" else 0)


def test_after_a_job_that_failed_by_its_id_comes_the_next_attempt(service: Stubber) -> None:
    note_started("d1", "job-3", 3)
    expect_description(service, "job-3", "STOPPED")
    expect_listing(service, 4)
    expect_start(service, 4)
    assert start()["id"] == "new"
    assert job_of("d1") == EntityJob("new", 4)


def test_a_job_that_the_service_has_forgotten_is_never_started_again(service: Stubber) -> None:
    note_started("d1", "job-3", 3)
    service.add_client_error("describe_entities_detection_v2_job", "ResourceNotFoundException")
    with pytest.raises(IncompleteOutput, match=r'no longer knows the job job-3.*"reprocess": true'):
        start()


def test_jobs_of_earlier_owners_are_started_if_they_never_were_and_left_alone_if_they_have_ended(
    service: Stubber, s3: Any
) -> None:
    put_jobs(s3, "ended", "never")
    note_started("ended", "job-1", 1)
    note_ended("ended", OUTPUT)
    listing = {"ComprehendMedicalAsyncJobPropertiesList": list[Any]()}
    service.add_response(
        "list_entities_detection_v2_jobs", listing, {"Filter": {"JobName": "clinical-media-test-never-1"}}
    )
    expect_start(service, 1, base="never")
    assert start(NO_NEW)["id"] == "new"
    # Its owner answers for it already.
    assert advance_generation("batch").jobs == frozenset()


def test_where_all_jobs_have_ended_nothing_is_asked(service: Stubber) -> None:
    note_ended("d1", OUTPUT)
    assert start(NO_NEW)["expected_seconds"] == 0


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


def test_no_job_is_started_once_recordings_may_have_been_taken_over(service: Stubber) -> None:
    advance_generation("batch")
    with pytest.raises(TakenOver, match=r"taken over recordings of batch since their documents were prepared"):
        start()
    assert advance_generation("batch").jobs == frozenset()


def test_a_job_that_the_service_has_forgotten_fails_the_poll_and_no_redrive_starts_another(service: Stubber) -> None:
    note_started("d1", "job-3", 1)
    for redrive_count in (0, 1):
        service.add_client_error("describe_entities_detection_v2_job", "ResourceNotFoundException", "no such job")
        with pytest.raises(IncompleteOutput, match=r'no longer knows the job job-3.*"reprocess": true'):
            poll(redrive_count=redrive_count)


def test_nothing_is_answered_for_that_can_not_be_started(service: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_CEILING_USD", "0.1")
    with pytest.raises(CostCeilingExceeded):
        start()
    monkeypatch.setenv("BATCH_CEILING_USD", "100")
    monkeypatch.setenv("ENTITY_DETECTION_ROLE_ARN", "not-a-role")
    with pytest.raises(InvalidInput):
        start()
    assert advance_generation("batch").jobs == frozenset()


def test_above_the_cost_ceiling_nothing_is_asked_of_the_service(
    service: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_CEILING_USD", "2.14")
    said = (
        r"10 documents with 9000 characters.*0\.90 USD\. With the transcription, 1\.25 USD, the batch would cost 2\.15 "
    )
    with pytest.raises(CostCeilingExceeded, match=said + r"USD; costs\.batch_ceiling_usd is 2\.14\."):
        start()


def test_at_the_cost_ceiling_the_job_starts(service: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_CEILING_USD", "2.15")
    expect_listing(service, 1)
    expect_start(service, 1)
    assert start()["id"] == "new"


@pytest.mark.parametrize("status", ALL_STATUSES)
def test_every_status_of_the_service_is_mapped(service: Stubber, s3: Any, status: str) -> None:
    note_started("d1", "j", 1)
    expect_description(service, "j", status, Message="role cannot be assumed")
    if status in ("FAILED", "STOPPED", "STOP_REQUESTED"):
        with pytest.raises(JobFailed, match="job j failed: role cannot be assumed"):
            poll()
    elif status in ("COMPLETED", "PARTIAL_SUCCESS"):
        job = poll()
        assert job["status"] == "COMPLETED"
        assert job["result"] == {**OUTPUT, "service_status": status, "jobs": 1}
        assert job_of("d1").output == {**OUTPUT, "service_status": status}
    else:
        assert poll()["status"] == "IN_PROGRESS"
        return
    kept = s3.get_object(Bucket="clinical-bucket", Key="batches/batch/jobs/entity_detection/j.json")["Body"].read()
    assert json.loads(kept)["JobStatus"] == status


def test_a_redriven_poll_of_the_failed_job_starts_again(service: Stubber, s3: Any) -> None:
    note_started("d1", "j", 1)
    expect_description(service, "j", "FAILED")
    assert poll(redrive_count=1)["status"] == "START_AGAIN"


def test_all_jobs_are_waited_for_and_the_summary_tells_of_the_new_one(service: Stubber, s3: Any) -> None:
    put_jobs(s3, "d1", "other", "done")
    note_started("d1", "j", 1)
    note_started("other", "running", 1)
    note_ended("done", {**OUTPUT, "service_status": "PARTIAL_SUCCESS", "output_uri": "s3://clinical-bucket/done/"})
    expect_description(service, "j", "COMPLETED")
    expect_description(service, "running", "IN_PROGRESS")
    job = poll()
    assert (job["status"], job["id"]) == ("IN_PROGRESS", "running")
    expect_description(service, "running", "COMPLETED")
    assert poll()["result"] == {**OUTPUT, "service_status": "PARTIAL_SUCCESS", "jobs": 3}
