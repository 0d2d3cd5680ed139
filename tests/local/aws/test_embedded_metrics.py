import datetime
import json
import time
from typing import Any

import pytest

from local.aws.embedded_metrics import metrics_of
from local.server import LocalAws
from tests.local.aws.metric_points import recent_points

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)


def line(namespace: str, values: dict[str, Any], at: datetime.datetime | None = None, **dimensions: str) -> str:
    """A log line as Powertools writes it, with its metrics once by all dimensions and once by the first."""
    sets = [list(dimensions)[:1], list(dimensions)]
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    described = {"Namespace": namespace, "Dimensions": sets, "Metrics": metrics}
    moment = (at or datetime.datetime.now(datetime.UTC)).timestamp() * 1000
    return json.dumps({"_aws": {"Timestamp": int(moment), "CloudWatchMetrics": [described]}, **dimensions, **values})


def test_what_a_function_logs_in_the_format_becomes_metrics(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    name = make_function("def handler(event, context): print(event)")
    for values in ([1, 4], 7):
        invoke(name, line("Functions", {"Finished": values, "Other": 1}, environment="e", stage="s"))
    for dimensions in ({"environment": "e"}, {"stage": "s", "environment": "e"}):
        (point,) = recent_points(local_aws, "Functions", "Finished", **dimensions)
        assert (point["Sum"], point["SampleCount"], point["Minimum"], point["Maximum"]) == (12, 3, 1, 7)
        assert point["Unit"] == "Count"
    assert not recent_points(local_aws, "Functions", "Finished", stage="s")


def test_what_a_function_may_not_log_makes_no_metrics(local_aws: LocalAws, make_function: Any, invoke: Any) -> None:
    name = make_function("def handler(event, context): print(event)", [])
    invoke(name, line("Unlogged", {"Finished": 1}, environment="e"))
    assert not recent_points(local_aws, "Unlogged", "Finished", environment="e")


def test_values_are_kept_as_one_set_of_statistics_a_minute(local_aws: LocalAws) -> None:
    logs = local_aws.client("logs")
    logs.create_log_group(logGroupName="minutes")
    logs.create_log_stream(logGroupName="minutes", logStreamName="stream")
    now = datetime.datetime.now(datetime.UTC).replace(second=0)
    moments = [now, now + datetime.timedelta(seconds=59), now - datetime.timedelta(minutes=1)]
    messages = [line("Minutes", {"Finished": value}, at, d="v") for value, at in enumerate(moments, 1)]
    events = [{"timestamp": int(time.time() * 1000), "message": message} for message in messages]
    logs.put_log_events(logGroupName="minutes", logStreamName="stream", logEvents=events)
    query = {"Metric": {"Namespace": "Minutes", "MetricName": "Finished", "Dimensions": [{"Name": "d", "Value": "v"}]}}
    (found,) = local_aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": query | {"Period": 60, "Stat": "SampleCount"}}],
        StartTime=now - datetime.timedelta(minutes=5),
        EndTime=now + datetime.timedelta(minutes=5),
        ScanBy="TimestampAscending",
    )["MetricDataResults"]
    # With one dimension, both sets of a line are the same, so that each value counts twice.
    assert found["Values"] == [2, 4]


@pytest.mark.parametrize(
    "message",
    [
        'no JSON, but "_aws"',
        '["_aws"]',
        '{"_aws": {}}',
        '{"_aws": {"Timestamp": "today", "CloudWatchMetrics": []}}',
        '{"_aws": {"Timestamp": 1e300, "CloudWatchMetrics": []}}',
        line("N", {"Finished": "many"}, NOW, d="v"),
        line("N", {"Finished": []}, NOW, d="v"),
        line("N", {"Finished": 1}, NOW, d="v").replace('"d": "v"', '"c": "v"'),
        line("N", {"Finished": 1}, NOW, d="v").replace('"Finished": 1', '"Started": 1'),
    ],
)
def test_a_line_that_does_not_follow_the_format_holds_no_metrics(message: str) -> None:
    assert '"_aws"' in message
    assert metrics_of(message) == []


def test_a_metric_is_of_the_minute_that_the_line_names() -> None:
    (one, _) = metrics_of(line("N", {"Finished": 1}, NOW, d="v"))
    assert (one.namespace, one.name, one.timestamp) == ("N", "Finished", datetime.datetime(2026, 3, 4, 5, 6))
