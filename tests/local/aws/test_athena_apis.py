import threading
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engines import athena_sql
from local.server import LocalAws
from tests.local.aws.in_process import eventually

NUMBERS = "SELECT * FROM (VALUES 1, 2, 3) AS t(n) ORDER BY n"


@pytest.fixture(scope="module")
def bucket(local_aws: LocalAws) -> str:
    name = f"results-{uuid.uuid4().hex[:8]}"
    local_aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def athena(local_aws: LocalAws) -> Any:
    return local_aws.client("athena")


@pytest.fixture
def group(athena: Any, bucket: str) -> Any:
    """group(enforced, **result configuration) -> the name of a workgroup"""

    def make(enforced: bool, **result: Any) -> str:
        name = f"group-{uuid.uuid4().hex[:8]}"
        configuration = {"EnforceWorkGroupConfiguration": enforced, "ResultConfiguration": result}
        athena.create_work_group(Name=name, Configuration=configuration)
        return name

    return make


def finished(athena: Any, **request: Any) -> dict[str, Any]:
    query = athena.start_query_execution(**{"QueryString": NUMBERS, **request})["QueryExecutionId"]

    def described() -> dict[str, Any]:
        answer: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        return answer

    eventually(lambda: described()["Status"]["State"] not in ("QUEUED", "RUNNING"))
    return described()


def test_a_workgroup_that_enforces_its_settings_overrules_the_callers(athena: Any, bucket: str, group: Any) -> None:
    own, asked = f"s3://{bucket}/own/", {"OutputLocation": f"s3://{bucket}/asked"}
    for enforced, prefix in ((True, own), (False, f"s3://{bucket}/asked/")):
        name = group(enforced, OutputLocation=own)
        query = finished(athena, WorkGroup=name, ResultConfiguration=asked)
        assert query["ResultConfiguration"]["OutputLocation"] == f"{prefix}{query['QueryExecutionId']}.csv"
        assert query["WorkGroup"] == name
    assert finished(athena, WorkGroup=name)["ResultConfiguration"]["OutputLocation"].startswith(own)


def test_one_without_a_group_is_of_the_primary_one(athena: Any, bucket: str) -> None:
    asked = {"OutputLocation": f"s3://{bucket}/", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    query = finished(athena, ResultConfiguration=asked)
    assert (query["WorkGroup"], query["Status"]["State"]) == ("primary", "SUCCEEDED")
    assert query["QueryExecutionId"] in athena.list_query_executions(WorkGroup="primary")["QueryExecutionIds"]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"WorkGroup": "none"}, "WorkGroup none is not found"),
        ({}, "No output location provided"),
        ({"ResultConfiguration": {"OutputLocation": "s3://no-such-bucket/"}}, "Unable to verify/create output bucket"),
        ({"ExecutionParameters": ["1"]}, "ExecutionParameters"),
    ],
)
def test_what_cannot_be_started_is_refused(athena: Any, request_: Any, error: str) -> None:
    with pytest.raises(athena.exceptions.InvalidRequestException, match=error):
        athena.start_query_execution(QueryString="SELECT 1", **request_)


def test_who_may_not_ask_where_the_bucket_is_cannot_start(make_role: Any, group: Any, bucket: str) -> None:
    name = group(True, OutputLocation=f"s3://{bucket}/")
    client = make_role({"Effect": "Allow", "Action": "athena:*", "Resource": "*"}).client("athena")
    with pytest.raises(client.exceptions.InvalidRequestException, match=f"output bucket {bucket}"):
        client.start_query_execution(QueryString="SELECT 1", WorkGroup=name)


def test_an_encryption_that_is_not_there_fails_the_query(athena: Any, group: Any, bucket: str) -> None:
    encryption = {"EncryptionOption": "CSE_KMS", "KmsKey": "arn:aws:kms:us-east-1:123456789012:key/k"}
    name = group(True, OutputLocation=f"s3://{bucket}/", EncryptionConfiguration=encryption)
    status = finished(athena, WorkGroup=name)["Status"]
    assert status["State"] == "FAILED" and "CSE_KMS" in status["StateChangeReason"]


def test_rows_come_in_pages_the_names_of_the_columns_first(athena: Any, group: Any, bucket: str) -> None:
    query = finished(athena, WorkGroup=group(True, OutputLocation=f"s3://{bucket}/"))["QueryExecutionId"]
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query, PaginationConfig={"PageSize": 3})
    rows = [[row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] for page in pages]
    assert rows == [["n", "1", "2"], ["3"]]


def test_a_query_that_runs_has_no_result_yet_and_can_be_stopped(
    athena: Any, group: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.aws.athena_queries.QueryExecution.start", lambda *_: None)
    query = athena.start_query_execution(QueryString=NUMBERS, WorkGroup=group(True, OutputLocation=f"s3://{bucket}/"))[
        "QueryExecutionId"
    ]
    with pytest.raises(athena.exceptions.InvalidRequestException, match=r"not yet finished.*QUEUED"):
        athena.get_query_results(QueryExecutionId=query)
    athena.stop_query_execution(QueryExecutionId=query)
    described = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert described["Status"]["State"] == "CANCELLED"
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Final query state: CANCELLED"):
        athena.get_query_results(QueryExecutionId=query)


def test_a_query_that_is_stopped_while_it_runs_has_no_result(
    athena: Any, group: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()
    run = athena_sql.run

    def run_until_stopped(*arguments: Any) -> Any:
        begun.set()
        assert stopped.wait(10)
        return run(*arguments)

    monkeypatch.setattr(athena_sql, "run", run_until_stopped)
    query = athena.start_query_execution(QueryString=NUMBERS, WorkGroup=group(True, OutputLocation=f"s3://{bucket}/"))[
        "QueryExecutionId"
    ]
    assert begun.wait(10)
    athena.stop_query_execution(QueryExecutionId=query)
    stopped.set()
    for thread in threading.enumerate():
        if thread.name == f"athena-{query}":
            thread.join(10)
    state = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]
    assert state == "CANCELLED"


def test_stopping_a_query_that_has_ended_changes_nothing(athena: Any, group: Any, bucket: str) -> None:
    query = finished(athena, WorkGroup=group(True, OutputLocation=f"s3://{bucket}/"))["QueryExecutionId"]
    athena.stop_query_execution(QueryExecutionId=query)
    assert athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]


def test_an_unknown_query_is_refused(athena: Any) -> None:
    for call in (athena.get_query_execution, athena.get_query_results):
        with pytest.raises(ClientError, match="QueryExecution none was not found"):
            call(QueryExecutionId="none")
