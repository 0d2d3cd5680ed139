import json
from typing import Any

from local.server import LocalAws


def resources(protected: bool) -> dict[str, Any]:
    table = {
        "TableName": "ledger",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": protected,
    }
    return {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
        "Kept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"QueueName": "kept"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
    }


def test_a_stack_stays_with_what_could_not_be_deleted_and_goes_when_it_can(local_aws: LocalAws) -> None:
    cloudformation, sqs = local_aws.client("cloudformation"), local_aws.client("sqs")
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps({"Resources": resources(protected=True)}))
    cloudformation.delete_stack(StackName="stack")
    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    events = cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    failed = {event["LogicalResourceId"]: event for event in events if event["ResourceStatus"] == "DELETE_FAILED"}
    assert failed["Table"]["ResourceStatusReason"].startswith("DeletionProtectedException")
    reason = failed["stack"]["ResourceStatusReason"]
    assert reason.startswith("The following resource(s) failed to delete: [Table]. DeletionProtectedException")
    left = cloudformation.list_stack_resources(StackName="stack")["StackResourceSummaries"]
    assert {resource["LogicalResourceId"] for resource in left} == {"Table", "Kept"}
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]

    local_aws.client("dynamodb").update_table(TableName="ledger", DeletionProtectionEnabled=False)
    cloudformation.delete_stack(StackName="stack")
    assert local_aws.client("dynamodb").list_tables()["TableNames"] == []
    names = {summary["StackName"]: summary["StackStatus"] for summary in cloudformation.list_stacks()["StackSummaries"]}
    assert names["stack"] == "DELETE_COMPLETE"
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]
