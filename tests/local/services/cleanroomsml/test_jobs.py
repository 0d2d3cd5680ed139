import json
from collections.abc import Callable
from typing import Any

import pytest

from local.services.cleanroomsml import jobs, storage
from samples.make_interactions import HYPERTENSION_PATIENTS

Run = Callable[..., dict[str, Any]]


def exported_ids(aws: Any, location: str) -> list[str]:
    bucket, prefix = location.removeprefix("s3://").split("/", 1)
    keys = [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    assert len(keys) == 1
    body = aws.client("s3").get_object(Bucket=bucket, Key=keys[0])["Body"].read().decode()
    return [json.loads(line)["user_id"] for line in body.splitlines()]


def test_a_generation_job_becomes_active_with_metrics_in_the_range_of_the_api(generate: Run) -> None:
    job = generate()
    assert job["status"] == "ACTIVE"
    assert "statusDetails" not in job
    assert job["startedBy"] == "123456789012"
    assert job["includeSeedInOutput"] is False
    scores = [metric["score"] for metric in job["metrics"]["relevanceMetrics"]]
    sizes = [metric["audienceSize"] for metric in job["metrics"]["relevanceMetrics"]]
    assert sizes == [{"type": "PERCENTAGE", "value": percent} for percent in (1, 2, 5, 10, 20)]
    assert scores == sorted(scores, reverse=True)
    # More similar than the seed at 1 %, less at 20 %, on the API's scale of 0 to 10.
    assert 10 >= scores[0] > 5 > scores[-1] >= 0
    assert 0.2 < job["metrics"]["recallMetric"] <= 1


def test_an_export_has_the_size_asked_for_and_none_of_the_seed(aws: Any, generate: Run, export: Run) -> None:
    finished = export(generate(), 20)
    assert finished["status"] == "ACTIVE"
    user_ids = exported_ids(aws, finished["outputLocation"])
    assert len(user_ids) == len(set(user_ids)) == 130  # 20 % of 649 users, rounded up
    assert not set(user_ids) & set(HYPERTENSION_PATIENTS)


def test_a_seed_that_is_included_comes_first(aws: Any, generate: Run, export: Run) -> None:
    finished = export(generate(includeSeedInOutput=True), 10)
    user_ids = exported_ids(aws, finished["outputLocation"])
    assert len(user_ids) == 65
    assert user_ids[:32] == sorted(HYPERTENSION_PATIENTS)
    assert not set(user_ids[32:]) & set(HYPERTENSION_PATIENTS)


def test_two_exports_of_one_audience_have_locations_of_their_own(aws: Any, generate: Run, export: Run) -> None:
    job = generate()
    small, large = export(job, 5)["outputLocation"], export(job, 10)["outputLocation"]
    assert small != large
    assert set(exported_ids(aws, small)) < set(exported_ids(aws, large))


def test_the_same_seed_gives_the_same_audience(aws: Any, generate: Run, export: Run, name: str) -> None:
    first = export(generate(), 10)
    second = export(generate(name=f"{name}-2"), 10)
    assert exported_ids(aws, first["outputLocation"]) == exported_ids(aws, second["outputLocation"])


@pytest.mark.parametrize(
    ("content", "status_code", "message"),
    [
        (["p-001"] * 40, "INVALID_SEED_SIZE", "has 1 unique user ids"),
        (HYPERTENSION_PATIENTS[:24], "INVALID_SEED_SIZE", "has 24 unique user ids"),
        ([*HYPERTENSION_PATIENTS[:24], "x-1", "x-2"], "INSUFFICIENT_MATCHING_SEED", "24 user ids"),
        ('{"user_id": "p-001"}\n{"user_id": "p-002"', "INVALID_SEED", "line 2"),
        ('{"user_id": "p-001"}\n{"patient": "p-002"}', "INVALID_SEED", "line 2"),
        ('{"user_id": 7}', "INVALID_SEED", "line 1"),
        ('{"user_id": ""}', "INVALID_SEED", "line 1"),
        ('["p-001"]', "INVALID_SEED", "line 1"),
        ('\n"p-001"', "INVALID_SEED", "line 2"),
        ('{"user_id": "p-001"} {"user_id": "p-002"}', "INVALID_SEED", "line 1"),
        ("", "INVALID_SEED_SIZE", "has 0 unique user ids"),
    ],
)
def test_an_unusable_seed_fails_the_job_and_the_message_names_no_user(
    generate: Run, seed: Run, content: Any, status_code: str, message: str
) -> None:
    job = generate(seedAudience=seed(content))
    assert job["status"] == "CREATE_FAILED"
    assert job["statusDetails"]["statusCode"] == status_code
    assert message in job["statusDetails"]["message"]
    assert "p-0" not in job["statusDetails"]["message"]
    assert "metrics" not in job


def test_exactly_as_many_matching_users_as_the_model_needs_are_enough(generate: Run, seed: Run) -> None:
    assert generate(seedAudience=seed(HYPERTENSION_PATIENTS[:25]))["status"] == "ACTIVE"


def test_a_larger_seed_than_the_service_takes_fails(
    generate: Run, seed: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jobs.MAXIMUM_SEED == 500_000
    monkeypatch.setattr(jobs, "MAXIMUM_SEED", 31)
    assert generate(seedAudience=seed(HYPERTENSION_PATIENTS[:31]))["status"] == "ACTIVE"
    larger = generate(name=f"{name}-larger", seedAudience=seed(HYPERTENSION_PATIENTS[:32]))
    assert larger["statusDetails"]["statusCode"] == "INVALID_SEED_SIZE"


def test_empty_lines_and_line_ends_of_windows_are_no_fault_of_a_seed(generate: Run, seed: Run) -> None:
    content = "\r\n\r\n".join(json.dumps({"user_id": user_id}) for user_id in HYPERTENSION_PATIENTS)
    assert generate(seedAudience=seed(content))["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "uri", ["s3://seeds-of-nobody/none.jsonl", "s3://seeds/none.jsonl", "s3://seeds", "s3://seeds/", "s3://No bucket/a"]
)
def test_a_seed_that_does_not_exist_fails_the_job(generate: Run, seed: Run, uri: str) -> None:
    details = generate(seedAudience=seed() | {"dataSource": {"s3Uri": uri}})["statusDetails"]
    assert details["statusCode"] in ("ACCESS_DENIED", "DATA_UNAVAILABLE")
    assert f"seed-reader cannot read {uri}: " in details["message"]


def test_a_seed_of_another_region_fails_the_job(aws: Any, generate: Run, seed: Run) -> None:
    location = {"LocationConstraint": "us-west-2"}
    aws.client("s3").create_bucket(Bucket="western-seeds", CreateBucketConfiguration=location)
    details = generate(seedAudience=seed() | {"dataSource": {"s3Uri": "s3://western-seeds/a.jsonl"}})["statusDetails"]
    assert details["statusCode"] == "DATA_UNAVAILABLE"
    assert details["message"].startswith("s3://western-seeds/a.jsonl is in us-west-2")


def test_a_role_that_does_not_exist_fails_the_job(generate: Run, seed: Run) -> None:
    details = generate(seedAudience=seed(role="not-there"))["statusDetails"]
    assert details["statusCode"] == "ACCESS_DENIED"
    assert "there is no such role" in details["message"]


def test_a_role_that_may_not_read_the_seed_fails_the_job(aws: Any, generate: Run, seed: Run) -> None:
    aws.role("reads-nothing", {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    details = generate(seedAudience=seed(role="reads-nothing"))["statusDetails"]
    assert details["statusCode"] == "ACCESS_DENIED"
    assert "reads-nothing cannot read s3://seeds/" in details["message"]


def test_a_role_that_does_not_trust_the_service_fails_the_job(aws: Any, generate: Run, seed: Run) -> None:
    aws.role("trusts-lambda", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, service="lambda.amazonaws.com")
    details = generate(seedAudience=seed(role="trusts-lambda"))["statusDetails"]
    assert details["statusCode"] == "ACCESS_DENIED"
    assert "trust" in details["message"]


@pytest.mark.parametrize("way", ["sent", "withheld"])
def test_a_role_that_needs_a_source_is_assumed_if_the_service_sends_one(
    aws: Any, generate: Run, seed: Run, playing: Callable[..., None], way: str
) -> None:
    for suffix, status in (("", "ACTIVE" if way == "sent" else "CREATE_FAILED"), ("IfExists", "ACTIVE")):
        role = f"source-{way}-{suffix}"
        aws.role(role, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "cleanrooms-ml.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                f"StringEquals{suffix}": {"aws:SourceAccount": "123456789012"},
                f"ArnLike{suffix}": {"aws:SourceArn": "arn:aws:cleanrooms-ml:*:123456789012:audience-generation-job/*"},
            },
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=document)
        playing(clean_rooms_ml_source=way)
        assert generate(name=f"test-{role}", seedAudience=seed(role=role))["status"] == status, role


def test_a_defect_ends_the_job_instead_of_leaving_it_in_progress(
    generate: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    user_id = "p-001"

    def defective(*_: object) -> None:
        raise ZeroDivisionError(user_id)

    monkeypatch.setattr(storage, "read_seed", defective)
    job = generate()
    assert job["status"] == "CREATE_FAILED"
    assert job["statusDetails"]["statusCode"] == "INTERNAL_ERROR"
    assert "ZeroDivisionError" in caplog.text and "defective" in caplog.text
    assert user_id not in caplog.text + job["statusDetails"]["message"]


def test_an_export_fails_if_the_models_role_may_not_write(aws: Any, client: Any, generate: Run, export: Run) -> None:
    job = generate()
    iam = aws.client("iam")
    writer = "audience-model-owner-writer"
    policy = iam.get_role_policy(RoleName=writer, PolicyName=writer)["PolicyDocument"]
    iam.delete_role_policy(RoleName=writer, PolicyName=writer)
    try:
        finished = export(job, 1)
    finally:
        iam.put_role_policy(RoleName=writer, PolicyName=writer, PolicyDocument=json.dumps(policy))
    assert finished["status"] == "CREATE_FAILED"
    assert finished["statusDetails"]["statusCode"] == "ACCESS_DENIED"
    assert "outputLocation" not in finished
