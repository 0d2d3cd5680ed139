import json
import time
from typing import Any

import pytest

from local.server import LocalAws
from tests.local.aws.stacks import Stack, parameter, queue, queue_attributes, queues


def test_a_changed_property_changes_the_resource_in_place(local_aws: LocalAws, stack: Stack) -> None:
    stack.create({"Queue": queue(VisibilityTimeout=10), "Other": queue()})
    before = stack.physical_ids()
    local_aws.client("sqs").send_message(QueueUrl=before["Queue"], MessageBody="kept")
    assert stack.update({"Queue": queue(VisibilityTimeout=20), "Other": queue()}) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
    assert stack.described["LastUpdatedTime"] >= stack.described["CreationTime"]
    attributes = queue_attributes(local_aws, before["Queue"])
    assert (attributes["VisibilityTimeout"], attributes["ApproximateNumberOfMessages"]) == ("20", "1")
    assert [status for status, _ in stack.events("Queue")] == [
        "UPDATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]
    assert [status for status, _ in stack.events("Other")] == ["CREATE_COMPLETE"]


def test_a_property_that_leaves_the_template_gets_its_initial_value(local_aws: LocalAws, stack: Stack) -> None:
    stack.create({"Queue": queue(VisibilityTimeout=10, DelaySeconds=5)})
    stack.update({"Queue": queue(DelaySeconds=5)})
    attributes = queue_attributes(local_aws, stack.physical_ids()["Queue"])
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("30", "5")


def test_a_new_name_replaces_the_resource_and_those_that_refer_to_it_follow(local_aws: LocalAws, stack: Stack) -> None:
    first, second = f"{stack.name}-1", f"{stack.name}-2"
    names = parameter({"Ref": "Queue"}, f"/{stack.name}")
    stack.create({"Names": names, "Queue": queue(QueueName=first)})
    assert stack.update({"Names": names, "Queue": queue(QueueName=second)}) == "UPDATE_COMPLETE"
    assert queues(local_aws, stack) == {second}
    url = stack.physical_ids()["Queue"]
    assert url.endswith(second)
    assert local_aws.client("ssm").get_parameter(Name=f"/{stack.name}")["Parameter"]["Value"] == url


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("RetainExceptOnCreate", True), ("Delete", False)])
def test_what_leaves_the_template_is_deleted_unless_its_policy_retains_it(
    local_aws: LocalAws, stack: Stack, policy: str, kept: bool
) -> None:
    stack.create({"Gone": {**queue(QueueName=stack.name), "DeletionPolicy": policy}, "Stays": queue()})
    assert stack.update({"Stays": queue()}) == "UPDATE_COMPLETE"
    assert (stack.name in queues(local_aws, stack)) == kept
    assert set(stack.physical_ids()) == {"Stays"}
    assert stack.events("Gone")[0][0] == ("DELETE_SKIPPED" if kept else "DELETE_COMPLETE")


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("Delete", False)])
def test_what_is_replaced_is_deleted_unless_its_policy_retains_it(
    local_aws: LocalAws, stack: Stack, policy: str, kept: bool
) -> None:
    stack.create({"Queue": {**queue(QueueName=f"{stack.name}-1"), "UpdateReplacePolicy": policy}})
    stack.update({"Queue": {**queue(QueueName=f"{stack.name}-2"), "UpdateReplacePolicy": policy}})
    assert len(queues(local_aws, stack)) == 1 + kept


def test_a_resource_with_a_name_of_its_own_is_not_replaced_under_that_name(stack: Stack) -> None:
    table = {
        "TableName": stack.name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    stack.create({"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}})
    other = json.loads(json.dumps(table).replace('"pk"', '"id"'))
    status = stack.update({"Table": {"Type": "AWS::DynamoDB::Table", "Properties": other}})
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.events("Table")[0] == (
        "UPDATE_FAILED",
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {stack.name} and update the stack again.",
    )


def test_a_failed_update_restores_all_that_it_changed(local_aws: LocalAws, stack: Stack) -> None:
    missing = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": f"alias/{stack.name}", "TargetKeyId": "none"}}
    before = {
        "Changed": queue(VisibilityTimeout=10),
        "Replaced": queue(QueueName=f"{stack.name}-1"),
        "Removed": queue(QueueName=f"{stack.name}-removed"),
    }
    stack.create(before, Outputs={"Url": {"Value": {"Ref": "Replaced"}}})
    ids, outputs = stack.physical_ids(), stack.described["Outputs"]
    after = {
        "Changed": queue(VisibilityTimeout=20),
        "Replaced": queue(QueueName=f"{stack.name}-2"),
        "Added": queue(QueueName=f"{stack.name}-added"),
        "Fails": {**missing, "DependsOn": ["Changed", "Replaced", "Added"]},
    }
    assert stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.physical_ids() == ids and stack.described["Outputs"] == outputs
    assert queue_attributes(local_aws, ids["Changed"])["VisibilityTimeout"] == "10"
    assert queues(local_aws, stack) == {url.rpartition("/")[2] for url in ids.values()}
    ((status, reason),) = stack.events("Fails")
    assert status == "CREATE_FAILED" and reason.startswith("Fails (AWS::KMS::Alias): NotFoundException")
    assert [status for status, _ in stack.events(stack.name)][:2] == [
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_IN_PROGRESS",
    ]
    # The next update begins from there.
    assert stack.update({**before, "Changed": queue(VisibilityTimeout=30)}) == "UPDATE_COMPLETE"


def test_a_property_that_would_be_dropped_fails_the_update_by_name(stack: Stack) -> None:
    bucket = {"Type": "AWS::S3::Bucket"}
    stack.create({"Bucket": bucket})
    properties: dict[str, Any] = {"ReplicationConfiguration": {}}
    assert stack.update({"Bucket": {**bucket, "Properties": properties}}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "does not support ReplicationConfiguration" in stack.events("Bucket")[0][1]


def test_a_running_execution_keeps_its_definition(local_aws: LocalAws, stack: Stack, make_role: Any) -> None:
    states = local_aws.client("stepfunctions")
    role = make_role(trusted="states.amazonaws.com").arn

    def machine(value: str) -> dict[str, Any]:
        definition = {
            "StartAt": "Wait",
            "States": {
                "Wait": {"Type": "Wait", "Seconds": 10, "Next": "Done"},
                "Done": {"Type": "Pass", "Result": value, "End": True},
            },
        }
        properties = {"RoleArn": role, "StateMachineName": stack.name, "DefinitionString": json.dumps(definition)}
        return {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}

    def finished(execution: str) -> Any:
        while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.05)
        return json.loads(described["output"])

    stack.create(machine("old"))
    arn = stack.physical_ids()["Machine"]
    running = states.start_execution(stateMachineArn=arn)["executionArn"]
    assert stack.update(machine("new")) == "UPDATE_COMPLETE"
    started = states.start_execution(stateMachineArn=arn)["executionArn"]
    assert (finished(running), finished(started)) == ("old", "new")


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("RetainExceptOnCreate", False), ("Delete", False)])
def test_what_a_failed_operation_made_is_deleted_unless_its_policy_is_to_retain_it(
    local_aws: LocalAws, stack: Stack, policy: str, kept: bool
) -> None:
    stack.create({"Queue": queue()})
    made = {**queue(QueueName=f"{stack.name}-made"), "DeletionPolicy": policy}
    fails = {"Type": "AWS::S3::Bucket", "Properties": {"ReplicationConfiguration": {}}, "DependsOn": "Made"}
    assert stack.update({"Queue": queue(), "Made": made, "Fails": fails}) == "UPDATE_ROLLBACK_COMPLETE"
    assert (f"{stack.name}-made" in queues(local_aws, stack)) == kept
    assert stack.events("Made")[0][0] == ("DELETE_SKIPPED" if kept else "DELETE_COMPLETE")


def test_what_leaves_the_template_goes_before_what_it_refers_to(stack: Stack) -> None:
    database = {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": stack.name}}
    table = {
        "CatalogId": {"Ref": "AWS::AccountId"},
        "DatabaseName": {"Ref": "Database"},
        "TableInput": {"Name": "t", "TableType": "EXTERNAL_TABLE"},
    }
    stays = {"Stays": queue()}
    stack.create(
        {
            **stays,
            "Database": {"Type": "AWS::Glue::Database", "Properties": database},
            "Table": {"Type": "AWS::Glue::Table", "Properties": table},
        }
    )
    assert stack.update(stays) == "UPDATE_COMPLETE"
    events = stack.cloudformation.describe_stack_events(StackName=stack.name)["StackEvents"]
    deleted = [event["LogicalResourceId"] for event in events if event["ResourceStatus"] == "DELETE_COMPLETE"]
    # The latest is the first.
    assert deleted == ["Database", "Table"]
