from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError

from local.aws.template_resources import in_order
from local.server import LocalAws
from tests.local.aws.stacks import Stack, parameter, queue, template


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "First"},
        {"Fn::GetAtt": ["First", "Arn"]},
        {"Fn::GetAtt": "First.Arn"},
        {"Fn::Sub": "a ${First} b"},
        {"Fn::Sub": "a ${First.Arn} b"},
        {"Fn::Sub": ["${Name}", {"Name": {"Ref": "First"}}]},
        {"Fn::Join": ["", [{"Fn::If": ["C", "x", {"Ref": "First"}]}]]},
    ],
)
def test_a_resource_comes_after_those_that_it_refers_to(reference: Any) -> None:
    resources = {"Last": queue(QueueName=reference), "First": queue(), "Other": {**queue(), "DependsOn": ["Last"]}}
    assert in_order({"Resources": resources}) == ["First", "Last", "Other"]


def test_resources_that_need_each_other_are_named() -> None:
    resources = {"A": queue(QueueName={"Ref": "B"}), "B": {**queue(), "DependsOn": "A"}, "C": queue()}
    with pytest.raises(ValidationError, match=r"Circular dependency between resources: \[A, B\]"):
        in_order({"Resources": resources})


def test_no_value_in_a_list_is_left_out(local_aws: LocalAws, stack: Stack) -> None:
    joined = {"Fn::Join": ["-", ["a", {"Fn::If": ["Never", "b", {"Ref": "AWS::NoValue"}]}, "c"]]}
    stack.create({"P": parameter(joined, f"/{stack.name}")}, Conditions={"Never": {"Fn::Equals": ["x", "y"]}})
    assert local_aws.client("ssm").get_parameter(Name=f"/{stack.name}")["Parameter"]["Value"] == "a-c"


def test_a_reference_to_nothing_is_named(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[Nothing\] in the Resources block"):
        stack.cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName="wrong",
            TemplateBody=template({"Queue": queue(QueueName={"Fn::Sub": "${AWS::StackName}${Nothing}${!Text}"})}),
        )
