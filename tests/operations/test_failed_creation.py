"""A protected stack whose creation failed, with the rights that a deployment from continuous integration has."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.models import cloudformation_backends
from typer.testing import CliRunner

from local.aws.credentials import ACCOUNT_ID
from local.server import REGION, LocalAws
from operations.__main__ import app
from operations.failed_creation import unblock
from tests.statemachine.assembly import local_assembly

STACK = "clinical-media-prod"
TEMPLATE = json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
DEPLOY_ROLE = f"cdk-hnb659fds-deploy-role-{ACCOUNT_ID}-{REGION}"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT_ID}:role/{DEPLOY_ROLE}"}
# The rights of the bootstrap's deploy role that are needed here.
PROTECT = {
    "Effect": "Allow",
    "Action": ["cloudformation:DescribeStacks", "cloudformation:UpdateTerminationProtection"],
    "Resource": "*",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    running = LocalAws.start(services={})
    iam = running.client("iam")
    users: dict[str, list[dict[str, Any]]] = {"workflow": [ASSUME], "developer": [PROTECT], "nobody": []}
    for name, statements in users.items():
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document(statements))
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": user_arn("workflow")}}
    iam.create_role(RoleName=DEPLOY_ROLE, AssumeRolePolicyDocument=document([trust]))
    iam.put_role_policy(RoleName=DEPLOY_ROLE, PolicyName="rights", PolicyDocument=document([PROTECT]))
    try:
        yield running
    finally:
        running.stop()


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:user/{name}"


def document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def access_keys(aws: LocalAws) -> dict[str, dict[str, str]]:
    create = aws.client("iam").create_access_key
    return {name: create(UserName=name)["AccessKey"] for name in ("workflow", "developer", "nobody")}


@pytest.fixture
def log_in(access_keys: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Any:
    """log_in(user): the environment's credentials are that user's."""

    def log_in(user: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_keys[user]["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access_keys[user]["SecretAccessKey"])
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_REGION", REGION)
    return log_in


class Stack:
    """A protected stack that the deployment has made."""

    def __init__(self, aws: LocalAws, status: str) -> None:
        self.cloudformation = aws.client("cloudformation")
        self.cloudformation.create_stack(
            StackName=STACK, TemplateBody=TEMPLATE, EnableTerminationProtection=True, Tags=[]
        )
        self._stacks = cloudformation_backends[ACCOUNT_ID][REGION].stacks
        (self._stack,) = [stack for stack in self._stacks.values() if stack.name == STACK]
        self._stack.status = status

    @property
    def protected(self) -> bool:
        (stack,) = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        return bool(stack["EnableTerminationProtection"])

    def delete(self) -> None:
        """Delete the stack, as the CDK CLI does before it tries again."""
        self.cloudformation.delete_stack(StackName=STACK)

    def remove(self) -> None:
        self._stack.enable_termination_protection = False
        self.delete()


@pytest.fixture
def make_stack(aws: LocalAws) -> Iterator[Any]:
    made: list[Stack] = []

    def make(status: str) -> Stack:
        made.append(Stack(aws, status))
        return made[-1]

    yield make
    for stack in made:
        stack.remove()


@pytest.mark.parametrize("user", ["workflow", "developer"])
@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_a_stack_that_failed_to_be_created_can_be_deleted_afterwards(
    aws: LocalAws, log_in: Any, make_stack: Any, status: str, user: str
) -> None:
    stack = make_stack(status)
    log_in(user)
    with pytest.raises(ClientError, match="TerminationProtection"):
        stack.delete()
    told = unblock("prod", aws.endpoint)
    assert told is not None and told.startswith(f"The creation of {STACK} failed ({status}), so its termination")
    stack.delete()


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_COMPLETE",
        "CREATE_FAILED",
        "CREATE_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "IMPORT_ROLLBACK_COMPLETE",
        "DELETE_FAILED",
        "REVIEW_IN_PROGRESS",
    ],
)
def test_every_other_stack_stays_protected(aws: LocalAws, log_in: Any, make_stack: Any, status: str) -> None:
    stack = make_stack(status)
    log_in("workflow")
    assert unblock("prod", aws.endpoint) is None
    assert stack.protected


def test_without_a_stack_or_a_protection_nothing_is_done(aws: LocalAws, log_in: Any, make_stack: Any) -> None:
    log_in("workflow")
    assert unblock("prod", aws.endpoint) is None
    stack = make_stack("ROLLBACK_COMPLETE")
    stack.cloudformation.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)
    assert unblock("prod", aws.endpoint) is None


def test_the_command_says_what_it_did_and_nothing_otherwise(aws: LocalAws, log_in: Any, make_stack: Any) -> None:
    log_in("workflow")
    make_stack("ROLLBACK_COMPLETE")
    arguments = ["unblock", "--env", "prod", "--endpoint-url", aws.endpoint]
    answers = [CliRunner().invoke(app, arguments, catch_exceptions=False) for _ in range(2)]
    assert [answer.exit_code for answer in answers] == [0, 0]
    assert answers[0].stdout.count("\n") == 1 and "protection was lifted" in answers[0].stdout
    assert answers[1].stdout == answers[1].stderr == ""


def test_missing_rights_are_told(aws: LocalAws, log_in: Any, make_stack: Any) -> None:
    log_in("nobody")
    make_stack("ROLLBACK_COMPLETE")
    answer = CliRunner().invoke(app, ["unblock", "--env", "prod", "--endpoint-url", aws.endpoint])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("AWS refused DescribeStacks")


def test_the_local_aws_has_no_roles_of_a_bootstrap(aws: LocalAws) -> None:
    assert unblock("local", aws.endpoint) is None


def test_the_role_is_the_one_that_the_cdk_cli_deploys_with() -> None:
    manifest = json.loads((local_assembly() / "manifest.json").read_text())
    (role,) = {
        artifact["properties"]["assumeRoleArn"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    filled = role.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", ACCOUNT_ID)
    assert filled.replace("${AWS::Region}", REGION) == ASSUME["Resource"]


def test_make_deploy_unblocks_first() -> None:
    made = subprocess.run(["make", "--dry-run", "deploy", "ENV=prod"], capture_output=True, text=True, check=True)
    # Called by `make test`, make also prints the folder that it enters and leaves.
    first, second = [line for line in made.stdout.splitlines() if not line.startswith("make")][-2:]
    assert first.endswith("python -m operations unblock --env prod")
    assert second.endswith(" deploy -c env=prod")
