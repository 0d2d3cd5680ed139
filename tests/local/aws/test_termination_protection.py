import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws

TEMPLATE = json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})


@pytest.fixture
def cloudformation(local_aws: LocalAws) -> Any:
    return local_aws.client("cloudformation")


@pytest.fixture
def protected(cloudformation: Any) -> str:
    """The name of a stack that is protected from deletion."""
    name = f"stack-{uuid.uuid4().hex[:8]}"
    cloudformation.create_stack(StackName=name, TemplateBody=TEMPLATE, EnableTerminationProtection=True)
    return name


def test_a_protected_stack_is_deleted_only_when_the_protection_is_lifted(cloudformation: Any, protected: str) -> None:
    (stack,) = cloudformation.describe_stacks(StackName=protected)["Stacks"]
    for name in (protected, stack["StackId"]):
        with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
            cloudformation.delete_stack(StackName=name)
    answer = cloudformation.update_termination_protection(StackName=protected, EnableTerminationProtection=False)
    assert answer["StackId"] == stack["StackId"]
    cloudformation.delete_stack(StackName=protected)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=protected)


def test_a_stack_can_be_protected_later(cloudformation: Any, protected: str) -> None:
    for wanted in (False, True):
        cloudformation.update_termination_protection(StackName=protected, EnableTerminationProtection=wanted)
        (stack,) = cloudformation.describe_stacks(StackName=protected)["Stacks"]
        assert stack["EnableTerminationProtection"] is wanted


def test_a_stack_that_is_not_there_is_named(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="nothing"):
        cloudformation.update_termination_protection(StackName="nothing", EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName="nothing")
