import datetime
import json
import uuid
from typing import Any

import pytest
from moto.cloudwatch.models import MetricDatum

from local.aws.alarm_evaluation import state_of
from local.server import LocalAws
from tests.local.aws.in_process import eventually

NOW = datetime.datetime(2026, 11, 27, 12, 0, 30)


class Alarm:
    """An alarm's settings, as moto stores them."""

    def __init__(self, **settings: Any) -> None:
        self.comparison_operator = "GreaterThanOrEqualToThreshold"
        self.evaluation_periods, self.period, self.threshold = 1, 300, 1.0
        self.datapoints_to_alarm, self.treat_missing_data, self.statistic = None, None, "Sum"
        for name, value in settings.items():
            setattr(self, name, value)


def state(values: dict[int, float], **settings: Any) -> str | None:
    """The state for values by the minutes for which they are old."""
    data = [
        MetricDatum("n", "m", value, [], NOW - datetime.timedelta(minutes=minutes)) for minutes, value in values.items()
    ]
    alarm: Any = Alarm(**settings)
    found = state_of(alarm, data, NOW)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        ({}, {}, "INSUFFICIENT_DATA"),
        ({}, {"treat_missing_data": "notBreaching"}, "OK"),
        ({}, {"treat_missing_data": "breaching"}, "ALARM"),
        ({}, {"treat_missing_data": "ignore"}, None),
        ({0: 1.0}, {}, "ALARM"),
        ({0: 0.5, 1: 0.5}, {}, "ALARM"),
        ({0: 0.5, 1: 0.4}, {}, "OK"),
        ({6: 5.0}, {}, "INSUFFICIENT_DATA"),
        ({0: 5.0}, {"comparison_operator": "LessThanThreshold"}, "OK"),
        ({0: 0.0}, {"comparison_operator": "LessThanThreshold"}, "ALARM"),
        ({0: 1.0}, {"comparison_operator": "GreaterThanThreshold"}, "OK"),
        ({0: 1.0, 1: 3.0}, {"statistic": "Average", "threshold": 2.0}, "ALARM"),
        ({0: 1.0, 1: 3.0}, {"statistic": "Maximum", "threshold": 3.0}, "ALARM"),
        ({0: 1.0, 1: 3.0}, {"statistic": "Minimum", "threshold": 2.0}, "OK"),
        ({0: 9.0, 1: 9.0}, {"statistic": "SampleCount", "threshold": 3.0}, "OK"),
        ({0: 1.0}, {"evaluation_periods": 2}, "OK"),
        ({0: 1.0, 6: 1.0}, {"evaluation_periods": 2}, "ALARM"),
        ({0: 1.0}, {"evaluation_periods": 3, "datapoints_to_alarm": 1}, "ALARM"),
        ({0: 1.0}, {"evaluation_periods": 2, "treat_missing_data": "breaching"}, "ALARM"),
        ({0: 1.0}, {"evaluation_periods": 2, "treat_missing_data": "ignore"}, None),
    ],
)
def test_the_state_follows_from_the_values(values: dict[int, float], settings: Any, expected: str | None) -> None:
    assert state(values, **settings) == expected


class Put:
    """An alarm on a metric of its own."""

    def __init__(self, aws: LocalAws, **settings: Any) -> None:
        self.cloudwatch, self.name = aws.client("cloudwatch"), f"alarm-{uuid.uuid4().hex[:8]}"
        metric = {"Namespace": "Tests", "MetricName": self.name, "Dimensions": [{"Name": "d", "Value": "v"}]}
        rule = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Period": 60, "Threshold": 5}
        self.cloudwatch.put_metric_alarm(AlarmName=self.name, Statistic="Sum", **{**metric, **rule, **settings})

    def value(self, value: float, dimension: str = "v") -> None:
        datum = {"MetricName": self.name, "Value": value, "Dimensions": [{"Name": "d", "Value": dimension}]}
        self.cloudwatch.put_metric_data(Namespace="Tests", MetricData=[datum])

    def state(self) -> Any:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return alarm["StateValue"]


def test_an_alarm_begins_without_data_and_follows_its_metric(local_aws: LocalAws) -> None:
    alarm = Put(local_aws)
    assert alarm.state() == "INSUFFICIENT_DATA"
    alarm.value(9, dimension="another")
    assert alarm.state() == "INSUFFICIENT_DATA"
    alarm.value(1)
    assert alarm.state() == "OK"
    alarm.value(5)
    assert alarm.state() == "ALARM"
    items = alarm.cloudwatch.describe_alarm_history(AlarmName=alarm.name, HistoryItemType="StateUpdate")
    assert [item["HistorySummary"] for item in items["AlarmHistoryItems"]] == [
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]


def test_a_metric_in_a_log_line_raises_its_alarm(local_aws: LocalAws) -> None:
    alarm, logs = Put(local_aws), local_aws.client("logs")
    described = {"Namespace": "Tests", "Dimensions": [["d"]], "Metrics": [{"Name": alarm.name}]}
    now = int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)
    line = json.dumps({"_aws": {"Timestamp": now, "CloudWatchMetrics": [described]}, "d": "v", alarm.name: 6})
    logs.create_log_group(logGroupName=alarm.name)
    logs.create_log_stream(logGroupName=alarm.name, logStreamName="s")
    events = [{"timestamp": now, "message": line}]
    logs.put_log_events(logGroupName=alarm.name, logStreamName="s", logEvents=events)
    assert alarm.state() == "ALARM"


@pytest.mark.parametrize(("kind", "expected"), [("Fail", "ALARM"), ("Succeed", "OK")])
def test_a_failed_execution_raises_the_alarm_of_its_state_machine(
    local_aws: LocalAws, make_role: Any, kind: str, expected: str
) -> None:
    states = local_aws.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}",
        roleArn=make_role(trusted="states.amazonaws.com").arn,
        definition=json.dumps({"StartAt": "Only", "States": {"Only": {"Type": kind}}}),
    )["stateMachineArn"]
    dimensions = [{"Name": "StateMachineArn", "Value": machine}]
    alarm = Put(local_aws, Namespace="AWS/States", MetricName="ExecutionsFailed", Dimensions=dimensions, Threshold=0.5)
    states.start_execution(stateMachineArn=machine)
    eventually(lambda: alarm.state() == expected)


def test_a_failed_invocation_raises_the_alarm_of_its_function(
    local_aws: LocalAws, make_function: Any, invoke: Any
) -> None:
    name = make_function("def handler(event, context): return 1 / event")
    dimensions = [{"Name": "FunctionName", "Value": name}]
    alarm = Put(local_aws, Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dimensions, Threshold=0.5)
    invoke(name, 1)
    assert alarm.state() == "OK"
    invoke(name, 0)
    assert alarm.state() == "ALARM"
