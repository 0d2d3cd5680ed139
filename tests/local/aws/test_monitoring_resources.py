import json
from typing import Any

from local.server import LocalAws
from tests.local.aws.stacks import Stack

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


def test_an_alarm_is_changed_in_place_and_keeps_its_state(local_aws: LocalAws, stack: Stack) -> None:
    cloudwatch = local_aws.client("cloudwatch")

    def resources(threshold: int) -> dict[str, Any]:
        alarm = {**ALARM, "Properties": {**ALARM["Properties"], "Threshold": threshold}}  # type: ignore[dict-item]
        body = json.dumps({"widgets": [], "start": f"-PT{threshold}H"})
        dashboard = {"DashboardName": stack.name, "DashboardBody": body}
        return {"Alarm": alarm, "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": dashboard}}

    stack.create(resources(1))
    before = stack.physical_ids()
    cloudwatch.set_alarm_state(AlarmName=before["Alarm"], StateValue="ALARM", StateReason="a test")
    assert stack.update(resources(2)) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[before["Alarm"]])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["StateValue"], alarm["StateReason"]) == (2, "ALARM", "a test")
    shown = json.loads(cloudwatch.get_dashboard(DashboardName=stack.name)["DashboardBody"])
    assert shown["start"] == "-PT2H"


def test_a_parameter_gets_another_value_and_another_name_replaces_it(local_aws: LocalAws, stack: Stack) -> None:
    ssm = local_aws.client("ssm")

    def resources(name: str, value: str) -> dict[str, Any]:
        properties = {"Name": f"/{stack.name}/{name}", "Type": "String", "Value": value}
        return {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": properties}}

    stack.create(resources("a", "1"))
    stack.update(resources("a", "2"))
    found = ssm.get_parameter(Name=f"/{stack.name}/a")["Parameter"]
    assert (found["Value"], found["Version"]) == ("2", 2)
    stack.update(resources("b", "2"))
    names = [item["Name"] for item in ssm.get_parameters_by_path(Path=f"/{stack.name}")["Parameters"]]
    assert names == [f"/{stack.name}/b"]
