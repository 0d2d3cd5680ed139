from typing import Any

import pytest

from local.server import LocalAws

WRITE = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


def log_of(aws: LocalAws, name: Any) -> Any:
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return [event["message"] for event in events]


def test_logs_go_to_the_functions_log_group_in_one_stream_per_sandbox(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    name = make_function("def handler(event, context): print('heard', event)")
    for number in (1, 2):
        assert f"heard {number}\n" in invoke(name, number)[2]
    messages = log_of(local_aws, name)
    assert [message for message in messages if message.startswith("heard")] == ["heard 1", "heard 2"]
    assert [message.split(" ")[0] for message in messages].count("START") == 2
    streams = local_aws.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert len(streams) == 1
    assert "/[$LATEST]" in streams[0]["logStreamName"]


@pytest.mark.parametrize("missing", WRITE[1:])
def test_a_function_that_may_not_write_its_log_runs_without_one(
    local_aws: LocalAws, make_function: Any, invoke: Any, caplog: pytest.LogCaptureFixture, missing: Any
) -> None:
    rights = [action for action in WRITE if action != missing]
    name = make_function(
        "def handler(event, context): return 1", [{"Effect": "Allow", "Action": rights, "Resource": "*"}]
    )
    assert invoke(name)[0] == 1
    assert log_of(local_aws, name) == []
    assert f"{name} may not write to its log group" in caplog.text


def test_a_function_that_may_not_create_its_missing_log_group_runs_without_one(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    statement = {"Effect": "Allow", "Action": WRITE[1:], "Resource": "*"}
    name = make_function("def handler(event, context): return 1", [statement])
    assert invoke(name)[0] == 1
    assert not local_aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]


def test_a_line_that_contains_carriage_returns_is_one_event(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    """awslambdaric writes a traceback as one line, so that it stays together."""
    name = make_function("def handler(event, context): raise ValueError('together')")
    invoke(name)
    (message,) = [message for message in log_of(local_aws, name) if "ValueError" in message]
    assert "handler.py" in message
