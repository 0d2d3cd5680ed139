import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.aws.in_process import InProcessAws, pass_state

MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"
MAP = {
    "StartAt": "Map",
    "States": {
        "Map": {
            "Type": "Map",
            "Label": "Each",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **pass_state(),
            },
            "End": True,
        }
    },
}


class Machine:
    """A state machine with a role of its own, and with a key of its own if `encrypted`."""

    def __init__(self, aws: InProcessAws, definition: dict[str, Any], encrypted: bool = False) -> None:
        self.aws, self.iam, self.name = aws, aws.client("iam"), f"machine-{uuid.uuid4().hex[:8]}"
        more = {}
        if encrypted:
            self.key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
            more = {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": self.key}}
        self.role = aws.role(self.name, "states.amazonaws.com")
        self.arn = aws.client("stepfunctions").create_state_machine(
            name=self.name, definition=json.dumps(definition), roleArn=self.role, **more
        )["stateMachineArn"]

    def trust(self, *source_arns: str, service: str = "states.amazonaws.com") -> None:
        """Let the role be assumed for resources that match these patterns."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:SourceArn": source_arns}},
        }
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=document(statement))

    def allow_key(self, *actions: str, context: str | list[str] = "*") -> None:
        """Allow these actions on the key in this context, and all actions that aren't about keys."""
        names = {"kms:EncryptionContext:aws:states:stateMachineArn": context}
        use = {"Action": actions, "Resource": self.key, "Condition": {"StringLike": names}}
        statements = [{"Effect": "Allow", **part} for part in (use, {"Action": "states:*", "Resource": "*"})]
        self.iam.put_role_policy(RoleName=self.name, PolicyName="all", PolicyDocument=document(*statements))

    def run(self, item_count: int = 2) -> dict[str, Any]:
        return self.aws.run(self.arn, input=list(range(item_count)))

    def redrive(self, execution: dict[str, Any]) -> dict[str, Any]:
        self.aws.client("stepfunctions").redrive_execution(executionArn=execution["executionArn"])
        return self.aws.ended(execution["executionArn"])


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def events(aws: InProcessAws, execution: dict[str, Any]) -> list[str]:
    history = aws.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
    return [event["type"] for event in history["events"]]


@pytest.mark.parametrize(
    ("source", "service"),
    [(f"{MACHINES}:another", "states.amazonaws.com"), (f"{MACHINES}:*", "lambda.amazonaws.com")],
)
def test_an_execution_whose_role_cannot_be_assumed_fails_before_its_first_state(
    aws: InProcessAws, source: str, service: str
) -> None:
    machine = Machine(aws, pass_state())
    machine.trust(source, service=service)
    execution = machine.run()
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Permissions")
    assert f"states.amazonaws.com cannot assume {machine.role} on behalf of {machine.arn}" in execution["cause"]
    assert events(aws, execution) == ["ExecutionStarted", "ExecutionFailed"]


def test_a_redrive_is_held_against_the_role_again(aws: InProcessAws) -> None:
    machine = Machine(aws, pass_state())
    machine.trust(f"{MACHINES}:another")
    execution = machine.redrive(machine.run())
    assert (execution["status"], execution["redriveCount"]) == ("FAILED", 1)
    machine.trust(machine.arn)
    execution = machine.redrive(execution)
    assert (execution["status"], execution["redriveCount"]) == ("SUCCEEDED", 2)
    assert events(aws, execution).count("PassStateEntered") == 1


def test_the_role_must_be_allowed_both_uses_of_the_state_machine_s_key(aws: InProcessAws) -> None:
    machine = Machine(aws, pass_state(), encrypted=True)
    machine.allow_key("kms:GenerateDataKey", "kms:Decrypt", context=machine.arn)
    assert machine.run()["status"] == "SUCCEEDED"
    for allowed, missing in (("GenerateDataKey", "Decrypt"), ("Decrypt", "GenerateDataKey")):
        machine.allow_key(f"kms:{allowed}", context=machine.arn)
        execution = machine.run()
        assert execution["error"] == "States.Permissions"
        assert f"must be allowed kms:{missing} on {machine.key}" in execution["cause"]
    machine.allow_key("kms:GenerateDataKey", "kms:Decrypt", context=f"{MACHINES}:another")
    assert machine.run()["error"] == "States.Permissions"


def test_a_state_machine_without_a_key_of_its_own_needs_no_right_to_one(aws: InProcessAws) -> None:
    machine = Machine(aws, pass_state())
    machine.iam.delete_role_policy(RoleName=machine.name, PolicyName="all")
    assert machine.run()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("way", "trusted", "status"),
    [
        ("state-machine", "", "SUCCEEDED"),
        ("labelled", "", "FAILED"),
        ("labelled", "/Each", "SUCCEEDED"),
        ("labelled", "/Other", "FAILED"),
    ],
)
def test_children_send_the_state_machine_or_their_label(
    aws: InProcessAws, playing: Callable[..., None], way: str, trusted: str, status: str
) -> None:
    machine = Machine(aws, MAP)
    machine.trust(machine.arn, f"{machine.arn}{trusted}")
    playing(map_children=way)
    execution = machine.run()
    assert execution["status"] == status
    if status == "FAILED":
        assert execution["error"] == "States.Permissions"
        assert f"on behalf of {machine.arn}/Each" in execution["cause"]
        assert "MapRunFailed" in events(aws, execution)


@pytest.mark.parametrize(("way", "status"), [("state-machine", "SUCCEEDED"), ("labelled", "FAILED")])
def test_children_use_the_key_under_the_name_that_they_send(
    aws: InProcessAws, playing: Callable[..., None], way: str, status: str
) -> None:
    machine = Machine(aws, MAP, encrypted=True)
    machine.allow_key("kms:GenerateDataKey", "kms:Decrypt", context=machine.arn)
    playing(map_children=way)
    assert machine.run()["status"] == status
    machine.allow_key("kms:GenerateDataKey", "kms:Decrypt", context=[machine.arn, f"{machine.arn}/*"])
    assert machine.run()["status"] == "SUCCEEDED"


def test_redriven_children_are_held_against_the_role_again(aws: InProcessAws, playing: Callable[..., None]) -> None:
    machine = Machine(aws, MAP)
    machine.trust(machine.arn)
    playing(map_children="labelled")
    execution = machine.redrive(machine.run())
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Permissions")
    machine.trust(machine.arn, f"{machine.arn}/Each")
    execution = machine.redrive(execution)
    assert (execution["status"], json.loads(execution["output"])) == ("SUCCEEDED", [0, 1])
