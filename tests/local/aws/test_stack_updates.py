import pytest
from botocore.exceptions import ClientError

from tests.local.aws.stacks import Stack, queue, template


def test_an_update_without_a_change_is_refused(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    update = stack.cloudformation.update_stack
    for same in ({"TemplateBody": template({"Queue": queue()})}, {"UsePreviousTemplate": True}):
        with pytest.raises(ClientError, match="No updates are to be performed") as refused:
            update(StackName=stack.name, **same)
        assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert stack.status == "CREATE_COMPLETE"


def test_an_output_alone_can_change(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    assert stack.update({"Queue": queue()}, Outputs={"Url": {"Value": {"Ref": "Queue"}}}) == "UPDATE_COMPLETE"
    assert stack.described["Outputs"][0]["OutputValue"] == stack.physical_ids()["Queue"]


def test_a_tag_alone_can_change_and_stays_without_another(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    tags = [{"Key": "k", "Value": "v"}]
    update = stack.cloudformation.update_stack
    update(StackName=stack.name, UsePreviousTemplate=True, Tags=tags)
    assert stack.update({"Queue": queue(DelaySeconds=1)}) == "UPDATE_COMPLETE"
    assert stack.described["Tags"] == tags
    with pytest.raises(ClientError, match="No updates are to be performed"):
        update(StackName=stack.name, UsePreviousTemplate=True, Tags=tags)


def test_a_stack_that_is_missing_is_answered_by_cloudformations_error(stack: Stack) -> None:
    with pytest.raises(ClientError, match="does not exist") as refused:
        stack.update({"Queue": queue()})
    assert refused.value.response["Error"]["Code"] == "ValidationError"
