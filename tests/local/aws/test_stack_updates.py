import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.cloudformation import TYPES
from local.server import LocalAws
from tests.local.aws.stacks import Stack, template

NO_CHANGES = "The submitted information didn't contain changes"


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def parameter(value: Any, name: str | None = None) -> dict[str, Any]:
    properties = {"Type": "String", "Value": value, **({"Name": name} if name else {})}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties}


def queues(aws: LocalAws, stack: Stack) -> set[str]:
    """The names of the existing queues of the stack, which begin with its own."""
    urls = aws.client("sqs").list_queues(QueueNamePrefix=stack.name).get("QueueUrls", [])
    return {url.rpartition("/")[2] for url in urls}


def queue_attributes(aws: LocalAws, url: str) -> Any:
    return aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_a_changed_property_changes_the_resource_in_place(local_aws: LocalAws, stack: Stack) -> None:
    stack.create({"Queue": queue(VisibilityTimeout=10), "Other": queue()})
    before = stack.physical_ids()
    local_aws.client("sqs").send_message(QueueUrl=before["Queue"], MessageBody="kept")
    assert stack.update({"Queue": queue(VisibilityTimeout=20), "Other": queue()}) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
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


def test_another_type_under_the_same_logical_id_is_refused(stack: Stack) -> None:
    stack.create({"Thing": queue()})
    with pytest.raises(ClientError, match=r"Update of resource type is not permitted.*\[Thing\]"):
        stack.update({"Thing": {"Type": "AWS::S3::Bucket"}})
    assert stack.status == "CREATE_COMPLETE"


def test_an_update_without_a_change_is_refused(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    update = stack.cloudformation.update_stack
    for same in ({"TemplateBody": template({"Queue": queue()})}, {"UsePreviousTemplate": True}):
        with pytest.raises(ClientError, match="No updates are to be performed") as refused:
            update(StackName=stack.name, **same)
        assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert stack.status == "CREATE_COMPLETE"


def test_the_previous_template_is_used_with_other_parameters(local_aws: LocalAws, stack: Stack) -> None:
    declared = {"Seconds": {"Type": "Number", "Default": "10"}, "Delay": {"Type": "Number", "Default": "5"}}
    declared["Names"] = {"Type": "CommaDelimitedList", "Default": "a,b"}
    resources = {"Queue": queue(VisibilityTimeout={"Ref": "Seconds"}, DelaySeconds={"Ref": "Delay"})}
    stack.create(resources, Parameters=declared)
    stack.cloudformation.update_stack(
        StackName=stack.name,
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Seconds", "ParameterValue": "20"},
            {"ParameterKey": "Delay", "UsePreviousValue": True},
        ],
    )
    attributes = queue_attributes(local_aws, stack.physical_ids()["Queue"])
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("20", "5")
    values = {item["ParameterKey"]: item["ParameterValue"] for item in stack.described["Parameters"]}
    assert values == {"Seconds": "20", "Delay": "5", "Names": "a,b"}


def test_an_output_alone_can_change(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    assert stack.update({"Queue": queue()}, Outputs={"Url": {"Value": {"Ref": "Queue"}}}) == "UPDATE_COMPLETE"
    assert stack.described["Outputs"][0]["OutputValue"] == stack.physical_ids()["Queue"]


def change_set(stack: Stack, resources: dict[str, Any], kind: str = "UPDATE", **options: Any) -> Any:
    stack.cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName="changes",
        ChangeSetType=kind,
        TemplateBody=template(resources),
        **options,
    )
    return stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="changes")


def test_a_change_set_says_what_would_happen_and_does_it_when_executed(stack: Stack) -> None:
    names = parameter({"Ref": "Renamed"}, f"/{stack.name}")
    stack.create(
        {"Same": queue(), "Changed": queue(DelaySeconds=1), "Renamed": queue(), "Names": names, "Gone": queue()}
    )
    before = stack.physical_ids()
    after = {
        "Same": queue(),
        "Changed": queue(DelaySeconds=2),
        "Renamed": queue(QueueName=stack.name),
        "Names": names,
        "New": queue(),
    }
    described = change_set(stack, after)
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    changes = {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"] for item in described["Changes"]}
    assert {name: (change["Action"], change.get("Replacement")) for name, change in changes.items()} == {
        "Changed": ("Modify", "False"),
        "Renamed": ("Modify", "True"),
        "Names": ("Modify", "False"),
        "New": ("Add", None),
        "Gone": ("Remove", None),
    }
    assert changes["Renamed"]["Details"][0]["Target"] == {
        "Attribute": "Properties",
        "Name": "QueueName",
        "RequiresRecreation": "Always",
    }
    assert changes["Names"]["Details"][0]["Evaluation"] == "Dynamic"
    assert stack.physical_ids() == before and stack.status == "CREATE_COMPLETE"

    stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="changes")
    assert stack.status == "UPDATE_COMPLETE"
    assert set(stack.physical_ids()) == set(after)
    executed = stack.cloudformation.describe_change_set(ChangeSetName=described["ChangeSetId"])
    assert executed["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_change_set_without_a_change_has_failed(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    described = change_set(stack, {"Queue": queue()})
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"].startswith(NO_CHANGES)
    with pytest.raises(ClientError, match="cannot be executed in its current status"):
        stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="changes")


def test_change_sets_of_two_stacks_may_have_the_same_name(local_aws: LocalAws) -> None:
    stacks = [Stack(local_aws), Stack(local_aws)]
    for number, stack in enumerate(stacks):
        stack.create({"Queue": queue()})
        change_set(stack, {"Queue": queue(DelaySeconds=number + 1)})
    for number, stack in enumerate(stacks):
        stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="changes")
        attributes = queue_attributes(local_aws, stack.physical_ids()["Queue"])
        assert attributes["DelaySeconds"] == str(number + 1)


def test_a_change_set_creates_a_stack_or_rolls_it_back(local_aws: LocalAws, stack: Stack) -> None:
    change_set(stack, {"Queue": queue(QueueName=stack.name)}, kind="CREATE")
    assert stack.status == "REVIEW_IN_PROGRESS"
    stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="changes")
    assert stack.status == "CREATE_COMPLETE"
    other = Stack(local_aws)
    missing = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": f"alias/{other.name}", "TargetKeyId": "none"},
        "DependsOn": "Queue",
    }
    change_set(other, {"Queue": queue(QueueName=other.name), "Fails": missing}, kind="CREATE")
    other.cloudformation.execute_change_set(StackName=other.name, ChangeSetName="changes")
    assert other.status == "ROLLBACK_COMPLETE"
    assert queues(local_aws, other) == set()
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        other.update({"Queue": queue()})
    other.cloudformation.delete_stack(StackName=other.name)
    change_set(other, {"Queue": queue(QueueName=other.name)}, kind="CREATE")
    other.cloudformation.execute_change_set(StackName=other.name, ChangeSetName="changes")
    assert other.status == "CREATE_COMPLETE"


def test_what_is_missing_is_answered_by_cloudformations_errors(stack: Stack) -> None:
    with pytest.raises(ClientError, match="does not exist") as no_stack:
        stack.update({"Queue": queue()})
    assert no_stack.value.response["Error"]["Code"] == "ValidationError"
    stack.create({"Queue": queue()})
    with pytest.raises(stack.cloudformation.exceptions.ChangeSetNotFoundException):
        stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="none")
    stack.cloudformation.delete_change_set(StackName=stack.name, ChangeSetName="none")


def archive(source: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        package.writestr("handler.py", source)
    return written.getvalue()


def test_the_next_invocation_runs_the_new_code_with_the_new_settings(
    local_aws: LocalAws, stack: Stack, make_role: Any
) -> None:
    s3, functions = local_aws.client("s3"), local_aws.client("lambda")
    s3.create_bucket(Bucket=stack.name)
    source = "import os\ndef handler(event, context): return '{} ' + os.environ['NAME']"
    for version in ("old", "new"):
        s3.put_object(Bucket=stack.name, Key=version, Body=archive(source.format(version)))
    role = make_role({"Effect": "Allow", "Action": "logs:*", "Resource": "*"}).arn

    def function(version: str) -> dict[str, Any]:
        properties = {
            "Code": {"S3Bucket": stack.name, "S3Key": version},
            "Environment": {"Variables": {"NAME": version}},
            "Handler": "handler.handler",
            "Role": role,
            "Runtime": "python3.13",
            "Timeout": 30,
        }
        return {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}

    def invoke() -> Any:
        return json.loads(functions.invoke(FunctionName=stack.physical_ids()["Function"])["Payload"].read())

    stack.create(function("old"))
    name = stack.physical_ids()
    assert invoke() == "old old"
    assert stack.update(function("new")) == "UPDATE_COMPLETE"
    assert invoke() == "new new" and stack.physical_ids() == name


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


def test_every_type_is_changed_in_place_or_only_ever_replaced() -> None:
    for name, supported in TYPES.items():
        assert supported.update or supported.replaced_by == supported.applied, name


def test_what_replaces_a_resource_is_what_cloudformations_schema_says(schema: Callable[[str], Any]) -> None:
    for name, supported in TYPES.items():
        described = schema(name)
        paths = [
            *described.get("createOnlyProperties", []),
            *described.get("conditionalCreateOnlyProperties", []),
        ]
        expected = {path.removeprefix("/properties/").replace("/", ".") for path in paths}
        applied = {path for path in expected if path.partition(".")[0] in supported.applied}
        assert applied <= supported.replaced_by, name
        # Glue's schema has read-only names for the database's own, and lacks the catalog of one.
        assert supported.replaced_by - applied <= {"CatalogId", "DatabaseInput.Name"}, name


@pytest.fixture(scope="module")
def schema() -> Callable[[str], Any]:
    """schema(resource type) -> CloudFormation's schema of it, which cfn-lint has."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

    return lambda name: PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name).schema
