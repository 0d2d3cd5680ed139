import inspect
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from moto.events.models import Rule, events_backends

from local.aws import schedules, step_functions
from tests.local.aws.in_process import InProcessAws, eventually, in_process_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[InProcessAws]:
    step_functions.install()
    schedules.install()
    with in_process_aws(time_scale=0.01) as aws:
        yield aws
        schedules.stop()


def scheduled(aws: InProcessAws, name: str, *, allowed: bool = True, **target: Any) -> str:
    """The ARN of a rule that calls a function of the same name once a minute, by the clock of these tests."""
    function = aws.function(name, lambda event: None)
    events = aws.client("events")
    rule: str = events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": function, **target}])
    if allowed:
        aws.client("lambda").add_permission(
            FunctionName=name,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )
    return rule


def test_a_function_is_called_again_and_again_with_the_scheduled_event(aws: InProcessAws) -> None:
    rule = scheduled(aws, "ticking")
    first, second, *_ = eventually(lambda: len(found := aws.events("ticking")) > 1 and found)
    assert (first["source"], first["detail-type"], first["resources"]) == ("aws.events", "Scheduled Event", [rule])
    assert first["id"] != second["id"]


def test_a_target_gets_the_input_that_it_names(aws: InProcessAws) -> None:
    scheduled(aws, "told", Input='{"say": "this"}')
    assert eventually(lambda: aws.events("told"))[0] == {"say": "this"}


def test_a_disabled_rule_and_one_that_is_deleted_call_nothing(aws: InProcessAws) -> None:
    events = aws.client("events")
    scheduled(aws, "disabled")
    events.disable_rule(Name="disabled")
    scheduled(aws, "deleted")
    events.remove_targets(Rule="deleted", Ids=["f"])
    events.delete_rule(Name="deleted")
    scheduled(aws, "witness")
    eventually(lambda: len(aws.events("witness")) > 1)
    assert aws.events("disabled") == aws.events("deleted") == []


def test_a_function_that_does_not_let_the_rule_invoke_it_is_not_called(
    aws: InProcessAws, caplog: pytest.LogCaptureFixture
) -> None:
    scheduled(aws, "closed", allowed=False)
    eventually(lambda: "rule closed could not call" in caplog.text)
    assert "NoPermissions" in caplog.text
    assert aws.events("closed") == []


def test_an_expression_that_would_never_run_is_refused(aws: InProcessAws) -> None:
    backend = events_backends["123456789012"]["us-east-1"]
    with pytest.raises(ValueError, match=r"knows rate\(\.\.\.\) and .* only, not cron\(0 1 1 \* \? \*\)"):
        backend.put_rule("monthly", scheduled_expression="cron(0 1 1 * ? *)")
    assert "monthly" not in backend.event_buses["default"].rules


@pytest.mark.parametrize(("now", "seconds"), [("06:59:30", 30), ("07:00:00", 86_400), ("08:00:00", 23 * 3600)])
def test_a_daily_call_comes_at_its_time_and_then_once_a_day(now: str, seconds: float) -> None:
    assert schedules.until(7, 0, datetime.fromisoformat(f"2026-11-27T{now}+00:00")) == seconds
    first, second = itertools.islice(schedules.pauses_of("cron(0 7 * * ? *)"), 2)
    assert 0 < first <= 86_400 == second


PASS = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


@pytest.mark.parametrize(
    ("principal", "action", "starts"),
    [
        ("events.amazonaws.com", "states:StartExecution", True),
        ("events.amazonaws.com", "states:StopExecution", False),
        ("lambda.amazonaws.com", "states:StartExecution", False),
    ],
)
def test_a_state_machine_is_started_with_the_role_of_the_target(
    aws: InProcessAws, caplog: pytest.LogCaptureFixture, principal: str, action: str, starts: bool
) -> None:
    name = f"machine-{uuid.uuid4().hex[:8]}"
    iam, stepfunctions, events = aws.client("iam"), aws.client("stepfunctions"), aws.client("events")
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
    iam.put_role_policy(
        RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    machine = stepfunctions.create_state_machine(name=name, definition=PASS, roleArn=role)["stateMachineArn"]
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
    target = {"Id": "m", "Arn": machine, "RoleArn": role, "Input": '{"rebuild": false}'}
    events.put_targets(Rule=name, Targets=[target])

    def started() -> list[Any]:
        found: list[Any] = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        return found

    if starts:
        execution, *_ = eventually(started)
        described = stepfunctions.describe_execution(executionArn=execution["executionArn"])
        assert described["input"] == '{"rebuild": false}'
    else:
        eventually(lambda: f"rule {name} could not call" in caplog.text)
        assert "NoPermissions" in caplog.text and started() == []
    events.remove_targets(Rule=name, Ids=["m"])
    events.delete_rule(Name=name)


def test_after_stop_nothing_is_called(aws: InProcessAws) -> None:
    scheduled(aws, "stopped")
    eventually(lambda: aws.events("stopped"))
    schedules.stop()
    called = len(aws.events("stopped"))
    time.sleep(2 * schedules._SHORTEST_SECONDS)
    assert len(aws.events("stopped")) == called


def test_moto_itself_still_keeps_schedules_without_running_them() -> None:
    source = inspect.getsource(schedules._moto_put_rule)
    assert "scheduled_expression" in source
    assert "Thread" not in source + inspect.getsource(Rule)
