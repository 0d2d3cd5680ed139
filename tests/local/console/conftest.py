"""A local AWS with buckets, and a state machine whose input decides whether it fails."""

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from werkzeug.test import Client, TestResponse

from lambdas.searching.categories import Buckets
from lambdas.searching.versions import list_versions
from lambdas.shared.identity import media_id
from local.aws.credentials import ACCOUNT_ID
from local.console.app import application
from local.server import REGION, LocalAws
from operations.deployed import Connection, Deployed
from operations.forgetting.versions import delete

_numbers = itertools.count()
COUNTS = {"received": 2, "transcribed": 1, "rejected": 1}
ORIGIN = {"Origin": "http://127.0.0.1:4567"}
DEFINITION = {
    "StartAt": "PlanBatch",
    "States": {
        "PlanBatch": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.succeeds", "IsPresent": True, "Next": "SummarizeBatch"}],
            "Default": "PrepareDocuments",
        },
        "PrepareDocuments": {
            "Type": "Fail",
            "Error": "ClientError",
            "Cause": '{"errorMessage": "s3:GetObject is missing."}',
        },
        "SummarizeBatch": {
            "Type": "Pass",
            "Result": {**COUNTS, "summary_uri": "s3://clinical/batches/drop-1/summary.json", "report_uri": "s3://c/r"},
            "End": True,
        },
    },
}


class Stage(NamedTuple):
    aws: LocalAws
    deployed: Deployed
    console: Client

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.console.get(path, base_url=ORIGIN["Origin"], headers=headers)

    def post(self, path: str, data: bytes = b"", **headers: str) -> TestResponse:
        return self.console.post(path, base_url=ORIGIN["Origin"], data=data, headers={**ORIGIN, **headers})

    def keys(self) -> list[str]:
        listed = self.deployed.client("s3").list_objects_v2(Bucket="media").get("Contents", ())
        return [item["Key"] for item in listed]

    def executions(self) -> list[dict[str, Any]]:
        arn = self.deployed.state_machine_arn
        found: list[dict[str, Any]] = self.deployed.client("stepfunctions").list_executions(stateMachineArn=arn)[
            "executions"
        ]
        return found

    def ended(self, name: str, request: Any) -> None:
        """An execution called `name` with the input `request`, which has ended."""
        states = self.deployed.client("stepfunctions")
        arn = states.start_execution(
            stateMachineArn=self.deployed.state_machine_arn, name=name, input=json.dumps(request)
        )["executionArn"]
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            pass

    def clinical(self, key: str, body: str) -> None:
        self.deployed.client("s3").put_object(Bucket="clinical", Key=key, Body=body.encode())

    def recorded(self, key: str, body: bytes, transcript_id: str, content_type: str = "audio/wav") -> None:
        """A recording, with its page and its entry in the plan of drop-1."""
        put = self.deployed.client("s3").put_object(Bucket="media", Key=key, Body=body, ContentType=content_type)
        planned = {
            "uri": f"s3://media/{key}",
            "media_id": media_id("media", key, put),
            "transcript_id": transcript_id,
        }
        self.clinical("batches/drop-1/plan.json", json.dumps({"recordings": [planned]}))
        self.clinical(f"reports/{transcript_id}.html", "<p>a transcript</p>")


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[LocalAws, Deployed]]:
    aws = LocalAws.start(services={}, time_scale=0.001, longest_wait=0.01)
    try:
        session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)
        buckets = ("media", "clinical", "audience")
        connection = Connection(session, aws.endpoint)
        deployed = Deployed(
            connection, "clinical-media-local", Buckets(*buckets, "operations", "logs"), "ledger", "members", "", {}
        )
        s3 = deployed.client("s3")
        for bucket in buckets:
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        aws.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument=document)
        yield aws, deployed
    finally:
        aws.stop()


@pytest.fixture
def stage(world: tuple[LocalAws, Deployed]) -> Iterator[Stage]:
    aws, deployed = world
    machine = deployed.client("stepfunctions").create_state_machine(
        name=f"pipeline-{next(_numbers)}",
        roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/states",
        definition=json.dumps(DEFINITION),
    )["stateMachineArn"]
    deployed = deployed._replace(state_machine_arn=machine)
    yield Stage(aws, deployed, Client(application(deployed)))
    aws.faults.clear()
    s3 = deployed.client("s3")
    for bucket in (deployed.media, deployed.clinical):
        delete(s3, list(list_versions(s3, bucket)))
