"""The rights that a state machine's role needs for Distributed Maps and nested executions."""

import json
from typing import Any

import pytest

from local.server import LocalAws
from tests.local.aws.in_process import eventually, pass_state
from tests.local.aws.maps import distributed_map_of, starting

START = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}
WATCH = {"Effect": "Allow", "Action": ["states:DescribeExecution", "states:StopExecution"], "Resource": "*"}
MANAGED_RULE = {
    "Effect": "Allow",
    "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
    "Resource": "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
}


class Machines:
    """State machines, each with a role of its own."""

    def __init__(self, aws: LocalAws, make_role: Any) -> None:
        self.sfn = aws.client("stepfunctions")
        self._make_role = make_role

    def create(self, name: str, definition: dict[str, Any], *statements: Any) -> str:
        role = self._make_role(*statements, trusted="states.amazonaws.com")
        created = self.sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role.arn)
        arn: str = created["stateMachineArn"]
        return arn

    def run(self, machine: str, **given: Any) -> Any:
        started = self.sfn.start_execution(stateMachineArn=machine, input=json.dumps(given))
        return self.ended(started["executionArn"])

    def ended(self, arn: str) -> Any:
        eventually(lambda: self.sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
        return self.sfn.describe_execution(executionArn=arn)


@pytest.fixture
def machines(local_aws: LocalAws, make_role: Any) -> Machines:
    return Machines(local_aws, make_role)


def test_a_list_of_objects_needs_the_right_to_list_the_bucket(local_aws: LocalAws, machines: Machines) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="listed")
    for key in ("media/p/a.wav", "other/x.wav"):
        s3.put_object(Bucket="listed", Key=key, Body=b"")
    listing = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::listed",
        "Condition": {"StringLike": {"s3:prefix": "media/*"}},
    }
    keys = {"StartAt": "Key", "States": {"Key": {"Type": "Pass", "OutputPath": "$.Key", "End": True}}}
    parameters = {"Bucket": "listed", "Prefix.$": "$.prefix"}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": parameters}
    machine = machines.create("lists", distributed_map_of(keys, ItemReader=reader), START, listing)
    assert json.loads(machines.run(machine, prefix="media/p")["output"]) == ["media/p/a.wav"]
    refused = machines.run(machine, prefix="other/")
    assert refused["error"] == "States.ItemReaderFailed"
    assert "AccessDenied" in refused["cause"]


def test_a_map_run_is_redriven_with_the_right_to_redrive_its_children(machines: Machines) -> None:
    fails = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken"}}}
    redrives = {
        "Effect": "Allow",
        "Action": "states:RedriveExecution",
        "Resource": "arn:aws:states:us-east-1:123456789012:execution:may-redrive/Each:*",
    }
    outcomes = {}
    for name, statements in (("may-redrive", [START, redrives]), ("may-not-redrive", [START])):
        machine = machines.create(name, distributed_map_of(fails, ItemsPath="$.items"), *statements)
        failed = machines.run(machine, items=[1])
        assert failed["error"] == "States.ExceedToleratedFailureThreshold"
        machines.sfn.redrive_execution(executionArn=failed["executionArn"])
        outcomes[name] = machines.ended(failed["executionArn"])["error"]
    assert outcomes == {
        "may-redrive": "States.ExceedToleratedFailureThreshold",
        "may-not-redrive": "States.Permissions",
    }


def test_waiting_for_an_execution_needs_the_managed_rule_and_the_rights_of_the_call(machines: Machines) -> None:
    inner = machines.create("inner-of-roles", pass_state(), START)
    with pytest.raises(machines.sfn.exceptions.ClientError, match="not authorized to create managed-rule"):
        machines.create("no-rule", starting(inner), START, WATCH)
    assert machines.run(machines.create("all-rights", starting(inner), START, WATCH, MANAGED_RULE))["status"] == (
        "SUCCEEDED"
    )
    for name, missing in (("no-start", WATCH), ("no-watch", START)):
        refused = machines.run(machines.create(name, starting(inner), missing, MANAGED_RULE))
        assert (refused["status"], refused["error"]) == ("FAILED", "StepFunctions.AWSStepFunctionsException")
    machine = machines.create("asynchronous", starting(inner, kind=""), START)
    assert machines.run(machine)["status"] == "SUCCEEDED"
    with pytest.raises(machines.sfn.exceptions.ClientError, match="not authorized to create managed-rule"):
        machines.sfn.update_state_machine(stateMachineArn=machine, definition=json.dumps(starting(inner)))
