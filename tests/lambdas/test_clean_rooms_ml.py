import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import clean_rooms_ml
from lambdas.cohorts.audience_attempts import name_of as attempts_name
from lambdas.shared import jobs
from lambdas.shared.errors import InvalidInput, JobFailed
from lambdas.shared.identity import digest

MODEL = "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/m"
ARN = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/j"
SEED: dict[str, Any] = {
    "cohort": "hypertension",
    "seed_id": "0123456789abcdef0123456789abcdef",
    "seed_uri": "s3://audience-bucket/seeds/hypertension/0123.jsonl",
    "export": {"type": "PERCENTAGE", "value": 20},
}
PARAMETERS = {"configuredAudienceModelArn": MODEL}
COLLABORATION = "01234567-89ab-cdef-0123-456789abcdef"


def name_of(collaboration_id: str = "", include_seed: bool = False, reprocess_id: str = "") -> str:
    parts = (SEED["cohort"], SEED["seed_id"], MODEL, collaboration_id, str(include_seed), reprocess_id)
    return f"clinical-media-test-{digest(*parts)[:16]}-"


NAME = name_of()
EXPORT = f"clinical-media-test-{digest(ARN, 'PERCENTAGE', '20')[:16]}-"
MODEL_SHAPES = botocore.session.get_session().get_service_model("cleanroomsml")


@pytest.fixture
def service(stubbed: Callable[[Any], Stubber], s3: Any) -> Stubber:
    s3.put_object(Bucket="audience-bucket", Key="seeds/hypertension/0123.jsonl", Body=b"{}")
    return stubbed(clean_rooms_ml.clean_rooms_ml)


def generation(name: str, status: str) -> dict[str, Any]:
    return {
        "name": name, "status": status, "audienceGenerationJobArn": ARN, "configuredAudienceModelArn": MODEL,
        "createTime": 0, "updateTime": 0,
    }  # fmt: skip


def export(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "status": status, "audienceGenerationJobArn": ARN, "createTime": 0, "updateTime": 0,
        "audienceSize": {"type": "PERCENTAGE", "value": 20}, **more,
    }  # fmt: skip


def list_generations(service: Stubber, *known: dict[str, Any]) -> None:
    # By no model: another account's can't be listed by.
    service.add_response("list_audience_generation_jobs", {"audienceGenerationJobs": list(known)}, {"maxResults": 100})


def list_exports(service: Stubber, *known: dict[str, Any]) -> None:
    service.add_response(
        "list_audience_export_jobs",
        {"audienceExportJobs": list(known)},
        {"audienceGenerationJobArn": ARN, "maxResults": 100},
    )


def expect_start(service: Stubber, attempt: int, base: str = NAME, **more: Any) -> None:
    service.add_response(
        "start_audience_generation_job",
        {"audienceGenerationJobArn": ARN},
        {
            "name": f"{base}{attempt}",
            "description": "cohort hypertension",
            "configuredAudienceModelArn": MODEL,
            "seedAudience": {
                "roleArn": "arn:aws:iam::123456789012:role/seed-reader",
                "dataSource": {"s3Uri": SEED["seed_uri"]},
            },
            **more,
        },
    )


def start(reprocess_id: str = "", seed: dict[str, Any] = SEED, **parameters: Any) -> jobs.Job:
    event = {
        "seed": seed,
        "parameters": {**PARAMETERS, **parameters},
        "reprocess_id": reprocess_id,
        "redrive_count": 0,
    }
    return clean_rooms_ml.start(event, None)


def test_a_generation_is_started_under_a_name_that_the_seed_gives(service: Stubber) -> None:
    list_generations(service, generation("somebody-else-s", "ACTIVE"))
    expect_start(service, 1)
    assert start()["id"] == ARN
    assert len(f"clinical-media-{'e' * 20}-{NAME.split('-')[-2]}-9999") <= 63


def test_every_parameter_that_was_asked_for_is_passed_on(service: Stubber) -> None:
    asked: dict[str, Any] = {
        "collaborationId": COLLABORATION,
        "description": "for the cardiology study",
        "includeSeedInOutput": True,
        "tags": {"study": "7"},
    }
    list_generations(service)
    expect_start(service, 1, name_of(COLLABORATION, include_seed=True), **asked)
    start(**asked)


@pytest.mark.parametrize(
    "asked", [{"collaborationId": COLLABORATION}, {"includeSeedInOutput": True}, {"reprocess_id": "e-2"}]
)
def test_what_makes_another_audience_makes_another_name(service: Stubber, asked: dict[str, Any]) -> None:
    list_generations(service, generation(f"{NAME}1", "ACTIVE"))
    service.add_response("start_audience_generation_job", {"audienceGenerationJobArn": ARN})
    start(**asked)


@pytest.mark.parametrize("asked", [{"description": "other"}, {"tags": {"study": "8"}}])
def test_what_makes_no_other_audience_adopts_the_job_there_is(service: Stubber, asked: dict[str, Any]) -> None:
    list_generations(service, generation(f"{NAME}1", "ACTIVE"))
    assert start(**asked)["id"] == ARN


def test_a_seed_that_a_query_selects_is_described_by_the_environment(
    service: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_audience = {
        "sqlParameters": {"queryString": "SELECT user_id FROM claims"},
        "sqlComputeConfiguration": {"worker": {"type": "CR.1X", "number": 2}},
    }
    cohorts = [{"name": "other", "seedAudience": {}}, {"name": "hypertension", "seedAudience": seed_audience}]
    monkeypatch.setenv("SQL_COHORTS", json.dumps(cohorts))
    list_generations(service)
    role = {"roleArn": "arn:aws:iam::123456789012:role/seed-reader"}
    expect_start(
        service, 1, name_of(COLLABORATION), collaborationId=COLLABORATION, seedAudience={**seed_audience, **role}
    )
    start(seed={**SEED, "seed_uri": None}, collaborationId=COLLABORATION)


def test_a_name_that_was_taken_since_the_listing_is_looked_up_again(service: Stubber) -> None:
    list_generations(service)
    service.add_client_error("start_audience_generation_job", "ConflictException")
    list_generations(service, generation(f"{NAME}1", "CREATE_IN_PROGRESS"))
    assert start()["id"] == ARN


def test_a_conflict_that_the_listing_does_not_explain_is_left_to_the_state_machine(service: Stubber) -> None:
    list_generations(service)
    service.add_client_error("start_audience_generation_job", "ConflictException")
    list_generations(service)
    with pytest.raises(ClientError, match="ConflictException"):
        start()


def test_a_seed_that_was_deleted_after_it_was_selected_is_a_rejection(service: Stubber, s3: Any) -> None:
    """Forgetting a patient deletes it while the execution waits for its redrive."""
    s3.delete_object(Bucket="audience-bucket", Key="seeds/hypertension/0123.jsonl")
    list_generations(service, generation(f"{NAME}1", "CREATE_FAILED"))
    job = start()
    assert (job["status"], job["result"]["reason"]) == ("REJECTED", clean_rooms_ml.SEED_DELETED)


def test_a_request_that_breaks_a_rule_is_never_sent(service: Stubber) -> None:
    list_generations(service)
    with pytest.raises(InvalidInput, match="description"):
        start(description="x" * 256)


def test_another_model_makes_another_name() -> None:
    names = {attempts_name("c", "seed", model, "") for model in ("model-1", "model-2")}
    assert len(names) == 2


@pytest.mark.parametrize("status", ["CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"])
def test_a_generation_that_did_not_fail_is_adopted(service: Stubber, status: str) -> None:
    list_generations(service, generation(f"{NAME}1", status))
    assert start()["id"] == ARN


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETE_PENDING", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
def test_after_a_failed_or_deleted_generation_comes_the_next_attempt(service: Stubber, status: str) -> None:
    list_generations(service, generation(f"{NAME}1", status))
    expect_start(service, 2)
    start()


def test_a_listing_is_read_no_further_than_to_the_job_that_is_adopted(service: Stubber) -> None:
    page = {"audienceGenerationJobs": [generation("other-1", "ACTIVE"), generation(f"{NAME}1", "ACTIVE")]}
    # Of a second page the script has none: to ask for it would fail.
    service.add_response("list_audience_generation_jobs", page | {"nextToken": "more"})
    assert start()["id"] == ARN


def test_a_job_on_a_later_page_is_found(service: Stubber) -> None:
    first = {"audienceGenerationJobs": [generation("other-1", "ACTIVE")], "nextToken": "more"}
    service.add_response("list_audience_generation_jobs", first, {"maxResults": 100})
    second = {"audienceGenerationJobs": [generation(f"{NAME}1", "ACTIVE")]}
    service.add_response("list_audience_generation_jobs", second, {"maxResults": 100, "nextToken": "more"})
    assert start()["id"] == ARN


def test_a_later_attempt_is_adopted_although_the_failed_one_before_it_was_deleted(service: Stubber) -> None:
    list_generations(service, generation(f"{NAME}2", "ACTIVE"))
    assert start()["id"] == ARN


def test_a_job_of_our_name_for_another_model_only_takes_the_name(service: Stubber) -> None:
    stranger = generation(f"{NAME}1", "ACTIVE") | {"configuredAudienceModelArn": f"{MODEL}-other"}
    list_generations(service, stranger)
    expect_start(service, 2)
    start()


FOREIGN_MODEL = MODEL.replace("123456789012", "222233334444")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_what_the_owner_of_another_account_s_model_refuses_is_a_rejection_that_names_them(
    service: Stubber, code: str
) -> None:
    list_generations(service)
    service.add_client_error("start_audience_generation_job", code, "no policy allows it.")
    job = start(configuredAudienceModelArn=FOREIGN_MODEL)
    assert job["status"] == "REJECTED"
    reason = str(job["result"]["reason"])
    assert reason.startswith(f"{code}: no policy allows it. The model belongs to account 222233334444: ")
    assert "account 123456789012" in reason
    event = {"batch_id": "b", "job": job, "redrive_count": 0}
    assert clean_rooms_ml.poll(event, None) == job, "there is no job to ask about"


@pytest.mark.parametrize(
    ("model", "code"),
    [(MODEL, "AccessDeniedException"), (FOREIGN_MODEL, "ThrottlingException"), (MODEL, "ValidationException")],
)
def test_what_is_ours_to_repair_or_passes_by_itself_fails_the_start(service: Stubber, model: str, code: str) -> None:
    list_generations(service)
    service.add_client_error("start_audience_generation_job", code, "no")
    with pytest.raises(ClientError, match=code):
        start(configuredAudienceModelArn=model)


@pytest.mark.parametrize("status", MODEL_SHAPES.shape_for("AudienceGenerationJobStatus").enum)  # type: ignore[attr-defined]
def test_every_status_of_a_generation_is_mapped(service: Stubber, s3: Any, status: str) -> None:
    metrics = {"relevanceMetrics": [{"audienceSize": {"type": "PERCENTAGE", "value": 20}, "score": 0.4}]}
    details = {"statusCode": "SEED_TOO_SMALL", "message": "25 needed"}
    answer = {**generation(f"{NAME}1", status), "metrics": {**metrics, "recallMetric": 0.7}, "statusDetails": details}
    service.add_response("get_audience_generation_job", answer, {"audienceGenerationJobArn": ARN})
    event = {"batch_id": "b", "job": jobs.started(ARN, 3600, 0), "redrive_count": 0}
    if status == "ACTIVE":
        job = clean_rooms_ml.poll(event, None)
        assert (job["status"], job["result"]) == ("COMPLETED", {"metrics": {**metrics, "recallMetric": 0.7}})
    elif status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        assert clean_rooms_ml.poll(event, None)["status"] == "IN_PROGRESS"
    elif status == "CREATE_FAILED":
        job = clean_rooms_ml.poll(event, None)
        assert (job["status"], job["result"]) == ("REJECTED", {"reason": "CREATE_FAILED SEED_TOO_SMALL 25 needed"})
    else:
        with pytest.raises(JobFailed, match=f"{status} SEED_TOO_SMALL 25 needed"):
            clean_rooms_ml.poll(event, None)


def test_a_generation_that_failed_for_a_reason_of_ours_fails_the_poll_and_a_redrive_starts_again(
    service: Stubber, s3: Any
) -> None:
    details = {"statusCode": "ACCESS_DENIED", "message": "the role can't be assumed"}
    answer = {**generation(f"{NAME}1", "CREATE_FAILED"), "statusDetails": details}
    for redrive_count in (0, 1):
        service.add_response("get_audience_generation_job", answer, {"audienceGenerationJobArn": ARN})
        event = {"batch_id": "b", "job": jobs.started(ARN, 3600, 0), "redrive_count": redrive_count}
        if redrive_count:
            assert clean_rooms_ml.poll(event, None)["status"] == "START_AGAIN"
        else:
            with pytest.raises(JobFailed, match="ACCESS_DENIED"):
                clean_rooms_ml.poll(event, None)


def test_what_the_service_says_of_an_ended_generation_is_kept_whole(service: Stubber, s3: Any) -> None:
    seed = {"roleArn": "arn:aws:iam::123456789012:role/seed-reader", "dataSource": {"s3Uri": SEED["seed_uri"]}}
    more = {"seedAudience": seed, "includeSeedInOutput": True, "startedBy": "123456789012", "tags": {"study": "7"}}
    answer = {**generation(f"{NAME}1", "ACTIVE"), **more, "metrics": {"relevanceMetrics": [], "recallMetric": 0.7}}
    service.add_response("get_audience_generation_job", answer, {"audienceGenerationJobArn": ARN})
    clean_rooms_ml.poll({"batch_id": "b", "job": jobs.started(ARN, 3600, 0), "redrive_count": 0}, None)
    key = f"batches/b/jobs/audience_generation/{NAME}1.json"
    assert json.loads(s3.get_object(Bucket="clinical-bucket", Key=key)["Body"].read()) == answer


def test_a_generation_that_is_gone_fails_the_poll_and_a_redrive_starts_again(service: Stubber) -> None:
    event = {"batch_id": "b", "job": jobs.started(ARN, 3600, 0), "redrive_count": 0}
    service.add_client_error("get_audience_generation_job", "ResourceNotFoundException", "no such job")
    with pytest.raises(JobFailed, match="no such job"):
        clean_rooms_ml.poll(event, None)
    service.add_client_error("get_audience_generation_job", "ResourceNotFoundException", "no such job")
    assert clean_rooms_ml.poll({**event, "redrive_count": 1}, None)["status"] == "START_AGAIN"


def start_export() -> jobs.Job:
    return clean_rooms_ml.start_export({"seed": SEED, "generation": {"id": ARN}, "redrive_count": 0}, None)


def test_an_export_is_started_in_the_cohort_s_size(service: Stubber) -> None:
    list_exports(service)
    service.add_response(
        "start_audience_export_job",
        {},
        {"name": f"{EXPORT}1", "audienceGenerationJobArn": ARN, "audienceSize": {"type": "PERCENTAGE", "value": 20}},
    )
    assert start_export()["id"] == f"{EXPORT}1"


def test_an_export_that_did_not_fail_is_adopted(service: Stubber) -> None:
    list_exports(service, export(f"{EXPORT}1", "CREATE_FAILED"), export(f"{EXPORT}2", "ACTIVE"))
    assert start_export()["id"] == f"{EXPORT}2"


@pytest.mark.parametrize("status", MODEL_SHAPES.shape_for("AudienceExportJobStatus").enum)  # type: ignore[attr-defined]
def test_every_status_of_an_export_is_mapped(service: Stubber, s3: Any, status: str) -> None:
    list_exports(service, export(f"{EXPORT}1", status, outputLocation="s3://owner/audience/"))
    job = {**jobs.started(f"{EXPORT}1", 600, 0), "result": {"audience_generation_job_arn": ARN}}
    event = {"batch_id": "b", "job": job, "redrive_count": 0}
    if status == "ACTIVE":
        assert clean_rooms_ml.poll_export(event, None)["result"]["output_uri"] == "s3://owner/audience/"
    elif status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        assert clean_rooms_ml.poll_export(event, None)["status"] == "IN_PROGRESS"
    else:
        assert clean_rooms_ml.poll_export(event, None)["result"] == {"reason": status}


def test_a_size_that_the_model_does_not_offer_is_told_and_fails_nothing(service: Stubber) -> None:
    list_exports(service)
    service.add_client_error("start_audience_export_job", "ValidationException", "20 is not among the bins 1, 5")
    job = start_export()
    assert (job["status"], job["result"]) == ("REJECTED", {"reason": "20 is not among the bins 1, 5"})
    assert clean_rooms_ml.poll_export({"batch_id": "b", "job": job, "redrive_count": 0}, None) == job


def test_an_export_that_is_no_longer_listed_is_a_failure(service: Stubber) -> None:
    list_exports(service)
    job = {**jobs.started(f"{EXPORT}1", 600, 0), "result": {"audience_generation_job_arn": ARN}}
    with pytest.raises(JobFailed, match="has no export of that name"):
        clean_rooms_ml.poll_export({"batch_id": "b", "job": job, "redrive_count": 0}, None)
