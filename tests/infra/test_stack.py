import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from aws_cdk.assertions import Template

from infra.stack import PipelineStack
from tests.infra.conftest import Deployed

NAME_PROPERTIES = {
    "AWS::Athena::WorkGroup": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Events::Rule": "Name",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


def test_outputs_are_what_an_operator_and_the_local_aws_ask_for(local: Deployed) -> None:
    assert local.outputs == {
        "MediaBucketName": "Storage/Media/Bucket",
        "ClinicalBucketName": "Storage/Clinical/Bucket",
        "AudienceBucketName": "Storage/Audience/Bucket",
        "OperationsBucketName": "Storage/Operations/Bucket",
        "AccessLogsBucketName": "Storage/AccessLogs",
        "LedgerTableName": "Ledger/Table",
        "MembersTableName": "Ledger/Members",
        "StateMachineArn": "Workflow/StateMachine",
        "BackfillStateMachineArn": "Backfill/StateMachine",
        "SearchStateMachineArn": "Search/StateMachine",
        "AnalysisStateMachineArn": "Compaction/StateMachine",
        "IngestQueueUrl": "Ingest/Queue",
        "IngestDeadLetterQueueUrl": "Ingest/DeadLetterQueue",
        "AlarmTopicArn": "Monitoring/Topic",
        "DatabaseName": "clinical_media_local",
        "RegionName": {"Fn::FindInMap": ["OnlyRegionsWithAllThreeServices", "us-east-1", "Name"]},
    }


def chosen_names(deployed: Deployed) -> list[tuple[str, str]]:
    """Resource type and name of every resource with an explicit name."""
    return [
        (resource_type, properties[key])
        for resource_type, key in NAME_PROPERTIES.items()
        for properties in deployed.of_type(resource_type).values()
    ]


def test_environments_share_an_account_without_sharing_a_name(deploy: Callable[..., Deployed]) -> None:
    names = {environment: chosen_names(deploy(environment)) for environment in ("dev", "prod", "local")}
    for environment, found in names.items():
        assert all(f"clinical-media-{environment}" in name for _, name in found)
    together = [name for found in names.values() for name in found]
    assert all(names.values()) and len(set(together)) == len(together)


def test_no_bucket_table_role_or_policy_has_a_name_that_may_be_taken(local: Deployed) -> None:
    for resource_type, key in {
        "AWS::S3::Bucket": "BucketName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::IAM::Role": "RoleName",
        "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    }.items():
        found = local.of_type(resource_type).values()
        assert found
        assert not [properties for properties in found if key in properties]


@pytest.mark.parametrize(("environment", "protected"), [("dev", False), ("prod", True)])
def test_what_outlives_its_stack_is_also_hard_to_delete(
    deploy: Callable[..., Deployed], environment: str, protected: bool
) -> None:
    stack = deploy(environment).stack
    assert stack.stack_name == f"clinical-media-{environment}"
    assert stack.termination_protection is protected


def test_nothing_but_plain_resources_is_deployed(local: Deployed) -> None:
    """A custom resource would bring a function and a role that infra/permissions.py does not list."""
    types = {resource["Type"] for resource in local.resources.values()}
    assert {resource_type.split("::")[0] for resource_type in types} == {"AWS"}
    assert "AWS::CloudFormation::CustomResource" not in types


def test_log_groups_queues_and_the_state_machine_are_encrypted_with_our_keys(local: Deployed) -> None:
    used = [group["KmsKeyId"] for group in local.of_type("AWS::Logs::LogGroup").values()]
    used += [queue["KmsMasterKeyId"] for queue in local.of_type("AWS::SQS::Queue").values()]
    used += [
        machine["EncryptionConfiguration"]["KmsKeyId"]
        for machine in local.of_type("AWS::StepFunctions::StateMachine").values()
    ]
    assert set(used) == {"Storage/Operations/Key.Arn"}


def test_the_stack_fits_cloudformation_with_room_for_growth(local: Deployed) -> None:
    template: dict[str, Any] = dict(Template.from_stack(local.stack).to_json())
    assert len(json.dumps(template, indent=1)) < 500_000
    assert len(template["Resources"]) < 250


def test_no_account_and_no_region_is_written_into_the_template(new_stack: Callable[..., PipelineStack]) -> None:
    template = dict(Template.from_stack(new_stack("dev")).to_json())
    # Except the map by which CloudFormation refuses other Regions.
    assert template.pop("Mappings") == {
        "OnlyRegionsWithAllThreeServices": {
            "us-east-1": {"Name": "US East (N. Virginia)"},
            "us-east-2": {"Name": "US East (Ohio)"},
            "us-west-2": {"Name": "US West (Oregon)"},
        }
    }
    text = json.dumps(template)
    assert "123456789012" not in text
    assert not [region for region in boto3.Session().get_available_regions("s3") if region in text]


def test_the_region_is_looked_up_where_it_is_deployed(new_stack: Callable[..., PipelineStack]) -> None:
    outputs = Template.from_stack(new_stack("dev")).to_json()["Outputs"]
    asked = ["OnlyRegionsWithAllThreeServices", {"Ref": "AWS::Region"}, "Name"]
    assert outputs["RegionName"]["Value"] == {"Fn::FindInMap": asked}
