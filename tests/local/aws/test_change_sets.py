import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack, change_set, parameter, queue, queue_attributes, queues, template

NO_CHANGES = "The submitted information didn't contain changes"


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


def test_a_change_set_uses_the_previous_template(local_aws: LocalAws, stack: Stack) -> None:
    declared = {"Seconds": {"Type": "Number", "Default": "10"}}
    stack.create({"Queue": queue(DelaySeconds={"Ref": "Seconds"})}, Parameters=declared)
    stack.cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName="changes",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Seconds", "ParameterValue": "20"}],
    )
    stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="changes")
    assert queue_attributes(local_aws, stack.physical_ids()["Queue"])["DelaySeconds"] == "20"


def test_executing_one_change_set_removes_the_others_of_its_stack(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    for number in (1, 2):
        stack.cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"c{number}",
            TemplateBody=template({"Queue": queue(DelaySeconds=number)}),
        )
    found = stack.cloudformation.list_change_sets(StackName=stack.name)["Summaries"]
    assert {item["ChangeSetName"] for item in found} == {"c1", "c2"}
    stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="c1")
    with pytest.raises(stack.cloudformation.exceptions.ChangeSetNotFoundException):
        stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="c2")


def test_a_change_set_that_is_missing_is_answered_by_cloudformations_error(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    with pytest.raises(stack.cloudformation.exceptions.ChangeSetNotFoundException):
        stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="none")
    stack.cloudformation.delete_change_set(StackName=stack.name, ChangeSetName="none")


def test_two_change_sets_of_a_stack_have_two_names(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    change_set(stack, {"Queue": queue(DelaySeconds=1)})
    with pytest.raises(stack.cloudformation.exceptions.AlreadyExistsException):
        change_set(stack, {"Queue": queue(DelaySeconds=2)})
