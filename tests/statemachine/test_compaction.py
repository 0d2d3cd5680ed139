"""Compactions of the synthesized stack: from dropped recordings to answers of Athena for an analyst."""

import json
import re
import uuid
from typing import Any

import pytest

from local.pipeline import PROJECT, Pipeline
from tests.statemachine.conftest import Engines, Run

PAGE = PROJECT / "docs" / "analysis.md"
FINDINGS = "SELECT month, category, user_id, text FROM findings WHERE user_id = 'p-sql' ORDER BY text"
WORDS = "SELECT text FROM utterances WHERE strpos(text, 'hypertension') > 0 AND user_id = 'p-sql'"
RECORDS = "SELECT count(*) FROM entity_records WHERE user_id = 'p-sql'"


@pytest.fixture(scope="module")
def compacted(pipeline: Pipeline, instant: Engines) -> Run:
    run = Run(pipeline, instant)
    uri = run.drop("media/p-sql/visit.wav", instant.recording("She has hypertension and fever. It hurts."))
    assert run.execution_of(uri)["status"] == "SUCCEEDED"
    execution = run.compact()
    assert execution["status"] == "SUCCEEDED", run.causes(execution)
    return run


def statements(optional: bool) -> list[Any]:
    """The statements of the page for an analyst's role; `optional`: also those that let it read what was said."""
    first, second = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    found: list[Any] = json.loads(first)["Statement"]
    return [*found, *(json.loads(second) if optional else [])]


class Analyst:
    """Somebody with the role of the page, or with one statement less."""

    def __init__(self, run: Run, statements: list[Any]) -> None:
        clinical = run.pipeline.clinical_bucket
        encryption = run.s3.get_bucket_encryption(Bucket=clinical)["ServerSideEncryptionConfiguration"]
        (rule,) = encryption["Rules"]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        for placeholder, value in {
            "CLINICAL_KEY_ARN": rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"],
            "CLINICAL_BUCKET": clinical,
            "REGION": "us-east-1",
            "ACCOUNT": "123456789012",
            "clinical-media-ENV": "clinical-media-local",
            "clinical_media_ENV": "clinical_media_local",
        }.items():
            text = text.replace(placeholder, value)
        name = f"analyst-{uuid.uuid4().hex[:8]}"
        iam, sts = run.pipeline.aws.client("iam"), run.pipeline.aws.client("sts")
        trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="page", PolicyDocument=text)
        given = sts.assume_role(RoleArn=role, RoleSessionName="analyst")["Credentials"]
        self._run, self._athena = (
            run,
            run.pipeline.aws.client(
                "athena",
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
            ),
        )

    def ask(self, statement: str) -> tuple[str, Any]:
        """The state of the query, with its rows or the reason why there are none."""
        started = self._athena.start_query_execution(
            QueryString=statement,
            WorkGroup="clinical-media-local",
            QueryExecutionContext={"Database": "clinical_media_local"},
        )["QueryExecutionId"]
        described: dict[str, Any] = {}

        def has_ended() -> bool:
            described.update(self._athena.get_query_execution(QueryExecutionId=started)["QueryExecution"])
            return described["Status"]["State"] not in ("QUEUED", "RUNNING")

        self._run.until(has_ended)
        state: str = described["Status"]["State"]
        if state != "SUCCEEDED":
            return state, described["Status"]["StateChangeReason"]
        _, *rows = self._athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return state, [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def test_an_analyst_with_the_role_of_the_page_reads_the_tables_of_findings(compacted: Run) -> None:
    analyst = Analyst(compacted, statements(optional=False))
    state, rows = analyst.ask(FINDINGS)
    assert state == "SUCCEEDED", rows
    assert [row[1:] for row in rows] == [
        ["MEDICAL_CONDITION", "p-sql", "fever"],
        ["MEDICAL_CONDITION", "p-sql", "hypertension"],
    ]
    assert analyst.ask(RECORDS) == ("SUCCEEDED", [["2"]])


def test_what_was_said_needs_the_optional_statements(compacted: Run) -> None:
    state, reason = Analyst(compacted, statements(optional=False)).ask(WORDS)
    assert state == "FAILED" and "PERMISSION_DENIED" in reason
    state, rows = Analyst(compacted, statements(optional=True)).ask(WORDS)
    assert (state, rows) == ("SUCCEEDED", [["She has hypertension and fever. It hurts."]])


@pytest.mark.parametrize("prefix", ["analysis/findings/", "records/"])
def test_without_the_objects_of_a_table_its_query_fails(compacted: Run, prefix: str) -> None:
    kept = json.loads(json.dumps(statements(optional=False)))
    for statement in kept:
        if statement["Action"] == "s3:GetObject":
            statement["Resource"] = [one for one in statement["Resource"] if prefix not in one]
    query, other = (FINDINGS, RECORDS) if prefix.startswith("analysis") else (RECORDS, FINDINGS)
    state, reason = Analyst(compacted, kept).ask(query)
    assert state == "FAILED" and "PERMISSION_DENIED" in reason
    assert Analyst(compacted, kept).ask(other)[0] == "SUCCEEDED"


def test_every_digit_is_compacted_by_a_child_of_its_own(compacted: Run) -> None:
    execution = compacted.compact()
    children = compacted.children(execution, "CompactDigits")
    assert len(children) == 16 and {child["status"] for child in children} == {"SUCCEEDED"}
    assert sorted(json.loads(child["input"])["digit"] for child in children) == list("0123456789abcdef")


def test_a_rebuild_reads_records_that_no_commit_has_listed(compacted: Run) -> None:
    listed = compacted.s3.list_objects_v2(Bucket=compacted.pipeline.clinical_bucket, Prefix="records/")["Contents"]
    (key,) = (item["Key"] for item in listed if "p-sql" in compacted.clinical(item["Key"]))
    body = compacted.clinical(key)
    try:
        changed = body.replace('"text":"fever"', '"text":"high fever"')
        compacted.s3.put_object(Bucket=compacted.pipeline.clinical_bucket, Key=key, Body=changed.encode())
        analyst = Analyst(compacted, statements(optional=False))
        assert compacted.compact()["status"] == "SUCCEEDED"
        assert [row[3] for row in analyst.ask(FINDINGS)[1]] == ["fever", "hypertension"]
        execution = compacted.compact(rebuild=True)
        assert execution["status"] == "SUCCEEDED", compacted.causes(execution)
        assert [row[3] for row in analyst.ask(FINDINGS)[1]] == ["high fever", "hypertension"]
    finally:
        compacted.s3.put_object(Bucket=compacted.pipeline.clinical_bucket, Key=key, Body=body.encode())
        compacted.compact(rebuild=True)


def test_a_redrive_continues_a_compaction_whose_cause_is_repaired(compacted: Run) -> None:
    bucket, prefix = compacted.pipeline.clinical_bucket, "analysis/findings/"
    (key, *_) = (item["Key"] for item in compacted.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"])
    good = compacted.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    compacted.s3.put_object(Bucket=bucket, Key=key, Body=b"p-sql said that it hurts")
    try:
        failed = compacted.compact(rebuild=True)
        assert failed["status"] == "FAILED"
        cause = dict(compacted.causes(failed))["UnreadableRows"]
        assert "DuckDB failed with" in cause and "hurts" not in cause and "p-sql" not in cause
    finally:
        compacted.s3.put_object(Bucket=bucket, Key=key, Body=good)
    compacted.stepfunctions.redrive_execution(executionArn=failed["executionArn"])
    assert compacted.ended(failed["executionArn"])["status"] == "SUCCEEDED"
    assert len(Analyst(compacted, statements(optional=False)).ask(FINDINGS)[1]) == 2
