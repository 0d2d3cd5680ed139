"""CloudFormation's alarms, dashboards, parameters and the CDK's own metadata."""

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client


def create_alarm(name: str, properties: Properties) -> AddedResource:
    """AWS::CloudWatch::Alarm"""
    cloudwatch = operator_client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**properties, "AlarmName": name})
    arn = f"arn:aws:cloudwatch:{cloudwatch.meta.region_name}:{ACCOUNT_ID}:alarm:{name}"
    return AddedResource(name, {"Arn": arn}, lambda: cloudwatch.delete_alarms(AlarmNames=[name]))


TYPES = {
    "AWS::CloudWatch::Alarm": ResourceType(
        frozenset(
            {
                "ActionsEnabled",
                "AlarmActions",
                "AlarmDescription",
                "AlarmName",
                "ComparisonOperator",
                "DatapointsToAlarm",
                "Dimensions",
                "EvaluationPeriods",
                "ExtendedStatistic",
                "InsufficientDataActions",
                "MetricName",
                "Metrics",
                "Namespace",
                "OKActions",
                "Period",
                "Statistic",
                "Tags",
                "Threshold",
                "TreatMissingData",
                "Unit",
            }
        ),
        create=create_alarm,
        name_property="AlarmName",
        attributes=("Arn",),
    ),
    "AWS::CloudWatch::Dashboard": ResourceType(frozenset({"DashboardBody", "DashboardName"})),
    "AWS::SSM::Parameter": ResourceType(
        frozenset({"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"})
    ),
    "AWS::CDK::Metadata": ResourceType(
        frozenset(),
        ignored={"Analytics": "Reports to AWS which constructs are in use"},
        create=lambda name, properties: AddedResource(name),
    ),
}
