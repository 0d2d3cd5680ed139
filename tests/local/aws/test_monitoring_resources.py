import json
from typing import Any

from local.server import LocalAws

ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmDescription": "events that never reached the queue",
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "RuleName", "Value": "recordings"}],
        "EvaluationPeriods": 1,
        "MetricName": "FailedInvocations",
        "Namespace": "AWS/Events",
        "Period": 300,
        "Statistic": "Sum",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
    },
}


def test_an_alarm_and_a_dashboard_that_shows_it(local_aws: LocalAws, create_stack: Any) -> None:
    before, after = '{"widgets":[{"type":"alarm","properties":{"alarms":["', '"]}}]}'
    body = {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Alarm", "Arn"]}, after]]}
    dashboard = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardName": "d", "DashboardBody": body}}
    outputs = create_stack({"Alarm": ALARM, "Dashboard": dashboard}, {"Alarm": {"Ref": "Alarm"}})
    cloudwatch = local_aws.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Events", "FailedInvocations", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": "recordings"}]
    shown = json.loads(cloudwatch.get_dashboard(DashboardName="d")["DashboardBody"])
    assert shown["widgets"][0]["properties"]["alarms"] == [alarm["AlarmArn"]]


def test_an_alarm_on_an_expression(local_aws: LocalAws, create_stack: Any) -> None:
    statistic = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    properties = {
        "AlarmName": "ratio",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [
            {"Id": "m", "MetricStat": statistic, "ReturnData": False},
            {"Id": "e", "Expression": "m * 2"},
        ],
        "Threshold": 1.5,
    }
    create_stack({"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}})
    (alarm,) = local_aws.client("cloudwatch").describe_alarms(AlarmNames=["ratio"])["MetricAlarms"]
    assert [metric["Id"] for metric in alarm["Metrics"]] == ["m", "e"]
    assert alarm["Threshold"] == 1.5


def test_a_parameter_and_the_cdk_metadata(local_aws: LocalAws, create_stack: Any) -> None:
    create_stack(
        {
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/p", "Type": "String", "Value": "v"},
            },
            "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:H4sI"}},
        }
    )
    assert local_aws.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
