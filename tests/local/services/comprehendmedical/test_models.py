"""The rules of the operations: tokens, quotas, filters, pages, limits."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.engines import entities
from local.services.comprehendmedical import jobs

UNKNOWN_JOB = "0" * 32
LISTED = "ComprehendMedicalAsyncJobPropertiesList"


def test_the_same_token_and_parameters_answer_with_the_same_job(client: Any, request_for: Any, documents: Any) -> None:
    request = request_for(documents({"a.txt": b"asthma"}), ClientRequestToken="token-1", JobName="visit")
    first = client.start_entities_detection_v2_job(**request)["JobId"]
    assert client.start_entities_detection_v2_job(**request)["JobId"] == first
    with pytest.raises(client.exceptions.InvalidRequestException, match="with other parameters"):
        client.start_entities_detection_v2_job(**{**request, "JobName": "another"})


def test_two_starts_without_a_token_are_two_jobs(client: Any, request_for: Any, documents: Any) -> None:
    request = request_for(documents({"a.txt": b"asthma"}))
    ids = {client.start_entities_detection_v2_job(**request)["JobId"] for _ in range(2)}
    assert len(ids) == 2


def test_an_eleventh_active_job_is_refused(
    client: Any, request_for: Any, wait: Any, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    fast = jobs.engine

    def slow(text: str) -> dict[str, Any]:
        assert go_on.wait(20)
        return fast(text)

    prefix = documents({"a.txt": b"asthma"})
    started = [summary["JobId"] for summary in client.list_entities_detection_v2_jobs()[LISTED]]
    for job_id in started:
        wait(job_id)
    monkeypatch.setattr(jobs, "engine", slow)
    ids = [client.start_entities_detection_v2_job(**request_for(prefix))["JobId"] for _ in range(10)]
    try:
        with pytest.raises(client.exceptions.TooManyRequestsException, match="10 entity detection jobs are active"):
            client.start_entities_detection_v2_job(**request_for(prefix))
    finally:
        go_on.set()
    for job_id in ids:
        wait(job_id)
    client.start_entities_detection_v2_job(**request_for(prefix))


def test_jobs_are_found_by_name_by_status_and_by_time(client: Any, run: Any, documents: Any) -> None:
    prefix = documents({"a.txt": b"asthma"})
    before = datetime.now(UTC) - timedelta(seconds=1)
    done = run(prefix, JobName="listed by name")
    failed = run("documents/nothing-here/", JobName="listed as failed")

    def ids(**criteria: Any) -> list[str]:
        answer = client.list_entities_detection_v2_jobs(Filter=criteria)[LISTED]
        return [job["JobId"] for job in answer]

    assert ids(JobName="listed by name") == [done["JobId"]]
    assert ids(JobName="no such name") == []
    assert failed["JobId"] in ids(JobStatus="FAILED")
    assert done["JobId"] not in ids(JobStatus="FAILED")
    newest_first = ids(SubmitTimeAfter=before)
    assert newest_first.index(failed["JobId"]) < newest_first.index(done["JobId"])
    oldest_first = ids(SubmitTimeBefore=datetime.now(UTC) + timedelta(seconds=1))
    assert oldest_first.index(done["JobId"]) < oldest_first.index(failed["JobId"])
    assert done["JobId"] not in ids(SubmitTimeBefore=before)
    with pytest.raises(client.exceptions.ValidationException, match="only one at a time"):
        ids(JobName="a", JobStatus="FAILED")


def test_a_list_comes_in_pages(client: Any, run: Any, documents: Any) -> None:
    prefix = documents({"a.txt": b"asthma"})
    expected = [run(prefix, JobName="paged")["JobId"] for _ in range(3)][::-1]
    found: list[str] = []
    token: dict[str, str] = {}
    for size in (2, 1):
        page = client.list_entities_detection_v2_jobs(Filter={"JobName": "paged"}, MaxResults=2, **token)
        assert len(page[LISTED]) == size
        found += [job["JobId"] for job in page[LISTED]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert (found, token) == (expected, {})
    with pytest.raises(client.exceptions.ValidationException, match="NextToken"):
        client.list_entities_detection_v2_jobs(NextToken="made up")


def test_a_job_that_does_not_exist_is_not_found(client: Any) -> None:
    for operation in (client.describe_entities_detection_v2_job, client.stop_entities_detection_v2_job):
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=UNKNOWN_JOB):
            operation(JobId=UNKNOWN_JOB)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"LanguageCode": "es"}, "LanguageCode"),
        ({"JobName": "visit; drop"}, "JobName"),
        ({"JobName": "visit \U0001fa7a"}, "JobName"),
        ({"ClientRequestToken": "a_b"}, "ClientRequestToken"),
        ({"ClientRequestToken": "é"}, "ClientRequestToken"),
        ({"DataAccessRoleArn": "arn:aws:iam::123456789012:user/somebody"}, "DataAccessRoleArn"),
        ({"DataAccessRoleArn": "arn:aws:iam::999999999999:role/foreign"}, "DataAccessRoleArn"),
        ({"OutputDataConfig": {"S3Bucket": "Clinical"}}, "OutputDataConfig.S3Bucket"),
        ({"InputDataConfig": {"S3Bucket": "s3://clinical"}}, "InputDataConfig.S3Bucket"),
        ({"InputDataConfig": {"S3Bucket": "clinical/documents"}}, "InputDataConfig.S3Bucket"),
        ({"InputDataConfig": {"S3Bucket": "clinical", "S3Key": "a\nb"}}, "InputDataConfig.S3Key"),
        ({"InputDataConfig": {"S3Bucket": "clinical", "S3Key": "a//b"}}, "InputDataConfig.S3Key"),
    ],
)
def test_an_undocumented_parameter_is_refused_by_name(
    client: Any, request_for: Any, parameters: dict[str, Any], named: str
) -> None:
    with pytest.raises(client.exceptions.InvalidRequestException, match=named):
        client.start_entities_detection_v2_job(**request_for("documents/", **parameters))


@pytest.mark.parametrize("config", ["InputDataConfig", "OutputDataConfig"])
def test_a_bucket_is_of_the_region_that_is_called(aws: Any, client: Any, request_for: Any, config: str) -> None:
    bucket = f"west-{config.lower()}"
    aws.client("s3", "us-west-2").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    request = request_for("documents/nothing-here/", **{config: {"S3Bucket": bucket}})
    with pytest.raises(client.exceptions.InvalidRequestException, match=f"{config}.S3Bucket {bucket} is in us-west-2"):
        client.start_entities_detection_v2_job(**request)


@pytest.mark.parametrize("job_id", ["0" * 33, "a;b"])
def test_an_impossible_job_id_is_no_request(client: Any, job_id: str) -> None:
    with pytest.raises(client.exceptions.InvalidRequestException, match="JobId"):
        client.describe_entities_detection_v2_job(JobId=job_id)


def test_a_job_name_may_have_letters_of_any_language(client: Any, run: Any, documents: Any) -> None:
    assert run(documents({"a.txt": b"asthma"}), JobName="visité 2025_1-é@x")["JobName"] == "visité 2025_1-é@x"


def test_a_list_of_more_than_500_is_a_validation_error(client: Any) -> None:
    client.list_entities_detection_v2_jobs(MaxResults=500)
    with pytest.raises(client.exceptions.ValidationException, match="MaxResults"):
        client.list_entities_detection_v2_jobs(MaxResults=501)


def test_detection_at_once_answers_with_the_engines_entities(client: Any) -> None:
    answer = client.detect_entities_v2(Text="naïve asthma")
    assert answer["Entities"][0]["Text"] == "naïve asthma"
    assert answer["ModelVersion"] == "test"


def test_the_real_engine_answers_in_the_documented_shape(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "engine", entities.detect)
    answer = client.detect_entities_v2(Text="She denies chest pain and takes lisinopril ten milligrams daily.")
    assert [entity["Text"] for entity in answer["Entities"]] == ["chest pain", "lisinopril"]
    assert [trait["Name"] for trait in answer["Entities"][0]["Traits"]] == ["SYMPTOM", "NEGATION"]
    assert [a["Text"] for a in answer["Entities"][1]["Attributes"]] == ["ten milligrams", "daily"]


def test_detection_at_once_takes_20000_bytes_and_no_more(client: Any) -> None:
    assert client.detect_entities_v2(Text="é" * 10_000)["Entities"]
    with pytest.raises(client.exceptions.TextSizeLimitExceededException, match="20001 bytes"):
        client.detect_entities_v2(Text="é" * 10_000 + "x")
