import json
import uuid
from typing import Any

import pytest

from tests.local.aws.in_process import ACCOUNT, REGION, InProcessAws, pass_state

ALL_LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
VALIDATION = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
SAID = "what was said"


def failing(error: str) -> dict[str, Any]:
    return {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": error, "Cause": "job j-1"}}}


class Logged:
    """A state machine with a log group of its own."""

    def __init__(self, aws: InProcessAws, definition: dict[str, Any], **settings: Any) -> None:
        self.aws = aws
        self.name = f"logged-{uuid.uuid4().hex[:8]}"
        self.group = f"/aws/vendedlogs/states/{self.name}"
        key = {"kmsKeyId": settings["group_key"]} if "group_key" in settings else {}
        if settings.get("has_group", True):
            aws.client("logs").create_log_group(logGroupName=self.group, **key)
        encryption = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": settings["key"]} if "key" in settings else None
        self.arn: str = aws.client("stepfunctions").create_state_machine(
            name=self.name,
            definition=json.dumps(definition),
            roleArn=settings.get("role") or aws.role("state-machine", "states.amazonaws.com"),
            loggingConfiguration={
                "level": settings.get("level", "ALL"),
                "includeExecutionData": settings.get("data", False),
                "destinations": [
                    {
                        "cloudWatchLogsLogGroup": {
                            "logGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}:*"
                        }
                    }
                ],
            },
            **({"encryptionConfiguration": encryption} if encryption else {}),
        )["stateMachineArn"]

    def events(self) -> list[dict[str, Any]]:
        """The log lines of all executions."""
        found = self.aws.client("logs").filter_log_events(logGroupName=self.group, limit=1000)["events"]
        return [json.loads(event["message"]) for event in found if event["logStreamName"] != VALIDATION]

    def streams(self) -> set[str]:
        described = self.aws.client("logs").describe_log_streams(logGroupName=self.group)["logStreams"]
        return {stream["logStreamName"] for stream in described}


def test_every_event_of_an_execution_is_logged_in_the_hours_stream(aws: InProcessAws, sfn: Any) -> None:
    logged = Logged(aws, pass_state())
    execution = aws.run(logged.arn, input={"text": SAID})
    history = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
    events = logged.events()
    assert [(event["id"], event["type"]) for event in events] == [(str(e["id"]), e["type"]) for e in history]
    assert events[0] == {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {"roleArn": aws.role("state-machine", "states.amazonaws.com")},
        "redrive_count": "0",
        "previous_event_id": "0",
        "event_timestamp": str(round(history[0]["timestamp"].timestamp() * 1000)),
        "execution_arn": execution["executionArn"],
    }
    hour = f"states/{logged.name}/{history[0]['timestamp'].astimezone():%Y-%m-%d-}"
    assert any(stream.startswith(hour) and stream.endswith("/00000000") for stream in logged.streams())


def test_what_an_execution_works_on_is_logged_only_if_that_was_asked_for(aws: InProcessAws) -> None:
    function = aws.function("echo-of-logs", lambda event: event)
    call = {"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}}}
    call["States"]["Call"] |= {"Parameters": {"FunctionName": function, "Payload.$": "$"}, "End": True}  # type: ignore[index]
    for data in (False, True):
        logged = Logged(aws, call, data=data)
        assert aws.run(logged.arn, input={"text": SAID})["status"] == "SUCCEEDED"
        text = json.dumps(logged.events())
        assert ("TaskSucceeded" in text, SAID in text) == (True, data)


def test_the_executions_of_a_distributed_map_are_logged_with_their_own_arns(aws: InProcessAws, sfn: Any) -> None:
    item = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **pass_state()}
    machine = {
        "StartAt": "Map",
        "States": {"Map": {"Type": "Map", "Label": "Each", "ItemProcessor": item, "End": True}},
    }
    logged = Logged(aws, machine)
    execution = aws.run(logged.arn, input=[SAID, SAID])
    [run] = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    children = {child["executionArn"] for child in sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]}
    ended = {event["execution_arn"] for event in logged.events() if event["type"] == "ExecutionSucceeded"}
    assert len(children) == 2 and ended == children | {execution["executionArn"]}
    assert SAID not in json.dumps(logged.events())


def test_a_redriven_execution_counts_in_its_log(aws: InProcessAws, sfn: Any) -> None:
    logged = Logged(aws, failing("Broken"))
    execution = aws.run(logged.arn)
    sfn.redrive_execution(executionArn=execution["executionArn"])
    aws.ended(execution["executionArn"])
    counts = [(event["type"], event["redrive_count"]) for event in logged.events()]
    assert ("ExecutionFailed", "0") in counts
    assert ("ExecutionRedriven", "1") in counts and ("ExecutionFailed", "1") in counts


def test_of_a_level_only_its_events_are_logged(aws: InProcessAws) -> None:
    logged = Logged(aws, failing("Broken"), level="FATAL")
    aws.run(logged.arn)
    (event,) = logged.events()
    assert (event["type"], event["details"]) == ("ExecutionFailed", {"error": "Broken", "cause": "job j-1"})


def test_setting_up_the_log_leaves_a_line_that_is_no_event(aws: InProcessAws) -> None:
    logged = Logged(aws, pass_state())
    assert logged.streams() == {VALIDATION}
    (line,) = aws.client("logs").filter_log_events(logGroupName=logged.group)["events"]
    assert line["message"].startswith("Permissions are set correctly to allow AWS CloudWatch Logs")


def role(aws: InProcessAws, *without: str) -> Any:
    """A role that may deliver logs under any key for logs, but lacks these actions."""
    name = f"role-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    deliver = {"Effect": "Allow", "Action": [a for a in DELIVERY if a not in without], "Resource": "*"}
    encrypt = {
        "Effect": "Deny" if "kms:GenerateDataKey" in without else "Allow",
        "Action": "kms:GenerateDataKey",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:SourceArn": ALL_LOGS}},
    }
    # With a customer managed key no execution runs without this.
    own = {
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": "*"}},
    }
    iam.put_role_policy(RoleName=name, PolicyName="deliver", PolicyDocument=policy(deliver, encrypt, own))
    return arn


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def key(aws: InProcessAws, service: str, action: str, **context: str) -> str:
    """A key that lets `service` do `action` in this encryption context."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": "*",
        "Condition": {"ArnLike": {f"kms:EncryptionContext:{name}": value for name, value in context.items()}},
    }
    arn: str = aws.client("kms").create_key(Policy=policy(statement))["KeyMetadata"]["Arn"]
    return arn


def delivery_key(aws: InProcessAws, service: str = "delivery.logs.amazonaws.com", logs: str = ALL_LOGS) -> str:
    return key(aws, service, "kms:Decrypt", SourceArn=logs)


def group_key(aws: InProcessAws, logs: str = ALL_LOGS) -> str:
    return key(aws, f"logs.{REGION}.amazonaws.com", "kms:GenerateDataKey", **{"aws:logs:arn": logs})


def test_the_rights_of_the_guide_deliver_a_log_under_keys_of_ones_own(aws: InProcessAws) -> None:
    logged = Logged(aws, pass_state(), role=role(aws), key=delivery_key(aws), group_key=group_key(aws))
    assert aws.run(logged.arn)["status"] == "SUCCEEDED"
    assert logged.events()


@pytest.mark.parametrize("missing", [*DELIVERY, "kms:GenerateDataKey"])
def test_without_a_right_of_the_role_the_execution_runs_and_its_log_is_lost(
    aws: InProcessAws, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    logged = Logged(aws, pass_state(), role=role(aws, missing), key=delivery_key(aws))
    assert aws.run(logged.arn)["status"] == "SUCCEEDED"
    assert logged.streams() == set()
    assert f"is not allowed {missing}" in caplog.text


@pytest.mark.parametrize("key_of", ["machine, for another service", "machine, for other logs", "log group"])
def test_without_the_policy_of_a_key_the_execution_runs_and_its_log_is_lost(aws: InProcessAws, key_of: str) -> None:
    other = "arn:aws:logs:eu-west-1:123456789012:*"
    keys = {
        "machine, for another service": lambda: {"key": delivery_key(aws, service="sns.amazonaws.com")},
        "machine, for other logs": lambda: {"key": delivery_key(aws, logs=other)},
        "log group": lambda: {"group_key": group_key(aws, logs=other)},
    }[key_of]()
    logged = Logged(aws, pass_state(), **keys)
    assert aws.run(logged.arn)["status"] == "SUCCEEDED"
    assert logged.streams() == set()


def test_a_machine_whose_log_group_is_missing_runs(aws: InProcessAws) -> None:
    logged = Logged(aws, pass_state(), has_group=False)
    assert aws.run(logged.arn)["status"] == "SUCCEEDED"


def test_rights_that_were_added_since_count_for_a_redrive(aws: InProcessAws, sfn: Any) -> None:
    arn = role(aws, "logs:CreateLogDelivery")
    logged = Logged(aws, failing("Broken"), role=arn)
    execution = aws.run(logged.arn)
    allow = policy({"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
    aws.client("iam").put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="all", PolicyDocument=allow)
    sfn.redrive_execution(executionArn=execution["executionArn"])
    aws.ended(execution["executionArn"])
    assert {event["redrive_count"] for event in logged.events()} == {"1"}
