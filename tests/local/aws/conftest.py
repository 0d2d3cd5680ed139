import base64
import io
import json
import textwrap
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws import step_functions
from local.aws.credentials import assume_service_role
from local.server import LocalAws
from tests.local.aws.in_process import InProcessAws, in_process_aws
from tests.local.aws.stacks import Stack

WRITE_LOG = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    """A local AWS without the AI services, shared by the tests of one module."""
    aws = LocalAws.start(services={})
    try:
        yield aws
    finally:
        aws.stop()


@pytest.fixture(scope="module")
def aws() -> Iterator[InProcessAws]:
    """A server with our Step Functions, its Lambda functions in the test's process, and waits of a hundredth."""
    step_functions.install()
    with in_process_aws(time_scale=0.01) as aws:
        yield aws


@pytest.fixture
def sfn(aws: InProcessAws) -> Any:
    return aws.client("stepfunctions")


class Role:
    """A role that trusts `trusted`, with the given statements as its only policy."""

    def __init__(self, aws: LocalAws, statements: list[dict[str, Any]], trusted: str) -> None:
        self._aws, self._trusted = aws, trusted
        self.name = f"role-{uuid.uuid4().hex[:12]}"
        trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
        iam = aws.client("iam")
        created = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=_document([trust]))
        self.arn: str = created["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=self.name, PolicyName="policy", PolicyDocument=_document(statements))

    def client(self, service: str, **options: Any) -> Any:
        """A client that acts as this role; `options` are those of `boto3.client`."""
        return self._aws.client(service, **options, **assume_service_role(self.arn, self._trusted))


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def make_role(local_aws: LocalAws) -> Any:
    """make_role(*statements, trusted="lambda.amazonaws.com") -> Role"""

    def make(*statements: dict[str, Any], trusted: str = "lambda.amazonaws.com") -> Role:
        return Role(local_aws, list(statements), trusted)

    return make


@pytest.fixture
def stack(local_aws: LocalAws) -> Stack:
    """A stack that doesn't exist yet."""
    return Stack(local_aws)


@pytest.fixture
def create_stack(local_aws: LocalAws) -> Any:
    """create_stack(resources, outputs={}) -> its outputs as a dict; raises as CreateStack does."""
    cloudformation = local_aws.client("cloudformation")

    def create(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        template = {
            "Resources": resources,
            "Outputs": {output: {"Value": value} for output, value in (outputs or {}).items()},
        }
        name = f"stack-{uuid.uuid4().hex[:8]}"
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    return create


@pytest.fixture
def make_table(local_aws: LocalAws) -> Any:
    """make_table(SSESpecification=..., ...) -> the name of a table whose key is the string `pk`"""

    def make(**configuration: Any) -> str:
        name = f"table-{uuid.uuid4().hex[:8]}"
        local_aws.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **configuration,
        )
        return name

    return make


@pytest.fixture
def make_function(local_aws: LocalAws, make_role: Any) -> Any:
    """make_function(source, **configuration) -> the name of a function whose module `handler` has this source."""

    def make(
        source: str, statements: Any = (WRITE_LOG,), trusted: str = "lambda.amazonaws.com", **configuration: Any
    ) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("handler.py", textwrap.dedent(source))
        name = f"function-{uuid.uuid4().hex[:8]}"
        local_aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=make_role(*statements, trusted=trusted).arn,
            Handler="handler.handler",
            Code={"ZipFile": archive.getvalue()},
            **configuration,
        )
        return name

    return make


@pytest.fixture
def invoke(local_aws: LocalAws) -> Any:
    """invoke(name, event) -> (payload, FunctionError, log)"""
    client = local_aws.client("lambda")

    def call(name: str, event: Any = None) -> tuple[Any, str | None, str]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(answer["LogResult"]).decode()
        return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log

    return call
