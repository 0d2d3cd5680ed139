import json
from typing import Any

import moto.cloudformation.parsing as parsing
import pytest
from botocore.exceptions import ClientError

from local.aws import cloudformation
from local.server import LocalAws

BUCKET = {"Type": "AWS::S3::Bucket"}


def test_an_unknown_resource_type_is_refused_by_name(create_stack: Any) -> None:
    with pytest.raises(ClientError, match=r"Stream \(AWS::Kinesis::Stream\).*does not support this resource type"):
        create_stack({"Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "s"}}})


def test_a_property_that_would_be_dropped_is_refused_by_name(create_stack: Any) -> None:
    resource = {**BUCKET, "Properties": {"ReplicationConfiguration": {}, "BucketName": "b"}}
    with pytest.raises(ClientError, match=r"Media \(AWS::S3::Bucket\).*does not support ReplicationConfiguration"):
        create_stack({"Media": resource})


def test_a_resource_that_cannot_be_created_is_named_with_the_reason(create_stack: Any) -> None:
    alias = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/a", "TargetKeyId": "missing"}}
    with pytest.raises(ClientError, match=r"Alias \(AWS::KMS::Alias\)"):
        create_stack({"Alias": alias})


def test_an_ignored_property_has_a_reason() -> None:
    for name, supported in cloudformation.TYPES.items():
        for ignored, reason in supported.ignored.items():
            assert len(reason.split()) > 3, f"{name}.{ignored}"
            assert ignored not in supported.applied


def test_every_type_is_created_by_moto_or_here() -> None:
    for name, supported in cloudformation.TYPES.items():
        assert (supported.create is None) == (name in parsing.get_model_map()), name


def test_moto_still_looks_up_what_is_replaced(local_aws: LocalAws) -> None:
    """The functions are called by their module's name, so that replacing them there reaches every caller."""
    replaced = (
        parsing.parse_and_create_resource,
        parsing.resource_class_from_type,
        parsing.resource_name_property_from_type,
    )
    assert {function.__module__ for function in replaced} == {"local.aws.cloudformation"}
    assert "parse_and_create_resource" in parsing.ResourceMap.__getitem__.__code__.co_names
    assert "resource_class_from_type" in parsing.parse_resource.__code__.co_names
    assert "resource_name_property_from_type" in parsing.parse_resource_and_generate_name.__code__.co_names


@pytest.mark.parametrize(("policy", "kept"), [("RetainExceptOnCreate", True), ("Retain", True), ("Delete", False)])
def test_what_is_retained_outlives_its_stack(local_aws: LocalAws, policy: str, kept: bool) -> None:
    cloudformation, name = local_aws.client("cloudformation"), f"fate-{policy.lower()}"
    properties = {"QueueName": name}
    resources = {"Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": policy, "Properties": properties}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.delete_stack(StackName=name)
    left = local_aws.client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", [])
    assert bool(left) == kept


def test_a_resource_whose_condition_is_false_is_left_out(local_aws: LocalAws) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Kept": BUCKET, "Left": {**BUCKET, "Condition": "Never"}},
    }
    client = local_aws.client("cloudformation")
    client.create_stack(StackName="conditional", TemplateBody=json.dumps(template))
    resources = client.list_stack_resources(StackName="conditional")["StackResourceSummaries"]
    # moto lists a nameless summary instead of the one that was left out.
    assert {resource["LogicalResourceId"] for resource in resources} - {""} == {"Kept"}


def test_deleting_a_stack_deletes_what_was_added_to_moto(local_aws: LocalAws) -> None:
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "deleted",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "MetricName": "m",
            "Namespace": "n",
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 0,
        },
    }
    client, cloudwatch = local_aws.client("cloudformation"), local_aws.client("cloudwatch")
    client.create_stack(StackName="deleted", TemplateBody=json.dumps({"Resources": {"Alarm": alarm}}))
    assert cloudwatch.describe_alarms(AlarmNames=["deleted"])["MetricAlarms"]
    client.delete_stack(StackName="deleted")
    assert not cloudwatch.describe_alarms(AlarmNames=["deleted"])["MetricAlarms"]
