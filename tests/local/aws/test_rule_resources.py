import json
import threading
import time
from typing import Any

from local.server import LocalAws
from tests.local.aws.stacks import Stack

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}


def arn(name: Any) -> Any:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_an_eventbridge_rule_with_its_targets(local_aws: LocalAws, create_stack: Any) -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": "recordings",
            "Description": "recordings uploaded",
            "EventPattern": {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "media/"}]}}},
            "State": "ENABLED",
            "Targets": [
                {
                    "Arn": arn("Queue"),
                    "Id": "Queue",
                    "DeadLetterConfig": {"Arn": arn("DeadLetters")},
                    "RetryPolicy": {"MaximumRetryAttempts": 3},
                }
            ],
        },
    }
    outputs = create_stack({"Queue": QUEUE, "DeadLetters": QUEUE, "Rule": rule}, {"Queue": arn("Queue")})
    events = local_aws.client("events")
    described = events.describe_rule(Name="recordings")
    assert json.loads(described["EventPattern"])["detail"]["object"]["key"] == [{"prefix": "media/"}]
    assert described["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule="recordings")["Targets"]
    assert target["Arn"] == outputs["Queue"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3


def test_a_rule_and_its_targets_are_changed_in_place_and_go_when_the_rule_leaves(
    local_aws: LocalAws, stack: Stack
) -> None:
    def resources(prefix: str, *targets: str) -> dict[str, Any]:
        properties = {
            "Name": stack.name,
            "EventPattern": {"source": [prefix]},
            "State": "ENABLED",
            "Targets": [{"Arn": arn(name), "Id": name} for name in targets],
        }
        return {"A": QUEUE, "B": QUEUE, "Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}

    events = local_aws.client("events")
    stack.create(resources("old", "A"))
    before = stack.physical_ids()
    assert stack.update(resources("new", "B")) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
    assert json.loads(events.describe_rule(Name=stack.name)["EventPattern"]) == {"source": ["new"]}
    (target,) = events.list_targets_by_rule(Rule=stack.name)["Targets"]
    assert target["Id"] == "B"
    stack.update({"A": QUEUE, "B": QUEUE})
    assert stack.name not in [rule["Name"] for rule in events.list_rules()["Rules"]]


def test_a_schedule_that_changes_calls_its_target_once_an_interval(local_aws: LocalAws, stack: Stack) -> None:
    def resources(expression: str) -> dict[str, Any]:
        properties = {"Name": stack.name, "ScheduleExpression": expression}
        return {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}

    def running() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == f"schedule-{stack.name}"]

    stack.create(resources("rate(1 minute)"))
    stack.update(resources("rate(2 minutes)"))
    end = time.monotonic() + 20
    while len(running()) > 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(running()) == 1
