from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack, queue, queue_attributes, template


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


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566/{bucket}", "s3.us-east-1.amazonaws.com/{bucket}", "{bucket}.s3.us-east-1.amazonaws.com"],
)
def test_a_template_comes_from_s3_by_either_form_of_its_url(local_aws: LocalAws, stack: Stack, host: str) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=stack.name)
    s3.put_object(Bucket=stack.name, Key="folder/t.json", Body=template({"Queue": queue(DelaySeconds=7)}))
    stack.create({"Queue": queue()})
    url = f"https://{host.format(bucket=stack.name)}/folder/t.json"
    stack.cloudformation.update_stack(StackName=stack.name, TemplateURL=url)
    assert queue_attributes(local_aws, stack.physical_ids()["Queue"])["DelaySeconds"] == "7"
    with pytest.raises(ClientError, match=r"there is no template at .*/folder/none"):
        stack.cloudformation.update_stack(StackName=stack.name, TemplateURL=url.replace("t.json", "none"))


@pytest.mark.parametrize("given", [{}, {"UsePreviousTemplate": True, "TemplateBody": "{}"}])
def test_one_template_is_given(stack: Stack, given: dict[str, Any]) -> None:
    stack.create({"Queue": queue()})
    with pytest.raises(ClientError, match="Specify one of TemplateBody, TemplateURL and UsePreviousTemplate"):
        stack.cloudformation.update_stack(StackName=stack.name, **given)


def test_a_parameter_without_a_previous_value_is_named(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    previous = [{"ParameterKey": "Seconds", "UsePreviousValue": True}]
    with pytest.raises(ClientError, match="Missing parameter Seconds"):
        stack.cloudformation.update_stack(StackName=stack.name, UsePreviousTemplate=True, Parameters=previous)


def test_an_update_that_may_not_be_rolled_back_is_refused_by_name(stack: Stack) -> None:
    stack.create({"Queue": queue()})
    with pytest.raises(ClientError, match="The local AWS does not support DisableRollback"):
        stack.cloudformation.update_stack(
            StackName=stack.name, TemplateBody=template({"Queue": queue(DelaySeconds=1)}), DisableRollback=True
        )
