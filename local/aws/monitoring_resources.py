"""CloudFormation's alarms, dashboards, parameters and the CDK's own metadata."""

from moto.cloudwatch.models import Dashboard, cloudwatch_backends
from moto.core.utils import utcnow
from moto.ssm.models import Parameter

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client, put_tags


def create_alarm(name: str, properties: Properties) -> AddedResource:
    """AWS::CloudWatch::Alarm"""
    cloudwatch = operator_client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**properties, "AlarmName": name})
    arn = f"arn:aws:cloudwatch:{cloudwatch.meta.region_name}:{ACCOUNT_ID}:alarm:{name}"
    return AddedResource(name, {"Arn": arn}, lambda: cloudwatch.delete_alarms(AlarmNames=[name]))


def update_alarm(alarm: AddedResource, properties: Properties, previous: Properties) -> None:
    """Change the alarm, whose state stays, unlike in moto.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    name = alarm.physical_resource_id
    alarms = cloudwatch_backends[ACCOUNT_ID]["us-east-1"].alarms
    before, cloudwatch = alarms[name], operator_client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**properties, "AlarmName": name})
    for member in ("history", "state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
        setattr(alarms[name], member, getattr(before, member))
    put_tags(
        properties,
        previous,
        lambda tags: cloudwatch.tag_resource(ResourceARN=alarm.attributes["Arn"], Tags=tags),
        lambda keys: cloudwatch.untag_resource(ResourceARN=alarm.attributes["Arn"], TagKeys=keys),
    )


def update_dashboard(dashboard: Dashboard, properties: Properties, previous: Properties) -> None:
    dashboard.body = properties["DashboardBody"]
    dashboard.last_modified = utcnow()


def update_parameter(parameter: Parameter, properties: Properties, previous: Properties) -> None:
    """Overwrite it, which makes a new version."""
    ssm, name = operator_client("ssm"), parameter.name
    ssm.put_parameter(**{member: properties[member] for member in properties if member != "Tags"}, Overwrite=True)
    put_tags(
        properties,
        previous,
        lambda tags: ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags),
        lambda keys: ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=keys),
    )


def update_metadata(metadata: AddedResource, properties: Properties, previous: Properties) -> None:
    """It has no effect here."""


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
        replaced_by=frozenset({"AlarmName"}),
        update=update_alarm,
    ),
    "AWS::CloudWatch::Dashboard": ResourceType(
        frozenset({"DashboardBody", "DashboardName"}),
        name_property="DashboardName",
        replaced_by=frozenset({"DashboardName"}),
        update=update_dashboard,
    ),
    "AWS::SSM::Parameter": ResourceType(
        frozenset({"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"}),
        replaced_by=frozenset({"Name"}),
        update=update_parameter,
    ),
    "AWS::CDK::Metadata": ResourceType(
        frozenset(),
        ignored={"Analytics": "Reports to AWS which constructs are in use"},
        create=lambda name, properties: AddedResource(name),
        update=update_metadata,
    ),
}
