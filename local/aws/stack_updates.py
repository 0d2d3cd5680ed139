"""UpdateStack, which deploys by `local.aws.stack_deployment`.

moto's update reports success without a change, changes resources by making them anew, doesn't know which need a
replacement, and leaves a stack half changed when one fails.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html
"""

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from local.aws.resource_types import ResourceType
from local.aws.stack_deployment import StackDeployment
from local.aws.stack_requests import (
    check_state,
    parameters_of,
    refuse_unsupported,
    tags_of,
    template_of,
    with_defaults,
)
from local.aws.template_changes import changes

_types: Mapping[str, ResourceType] = {}


def install(types: Mapping[str, ResourceType]) -> None:
    """Put this into moto, for resources of these types; repeating it changes nothing."""
    global _types
    _types = types
    CloudFormationResponse.update_stack = update_stack  # type: ignore[method-assign]
    Stack.parameter_list = property(parameter_list)  # type: ignore[assignment,method-assign]


def update_stack(self: CloudFormationResponse) -> ActionResult:
    """Raises ValidationError if the stack is missing or not in a state for it, and if nothing changes."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    check_state(stack)
    refuse_unsupported(self)
    template, parameters, tags = template_of(self, stack), parameters_of(self, stack), tags_of(self, stack)
    deployment = StackDeployment(stack, template, parameters, _types)
    if not changes_anything(stack, template, parameters, tags, _types):
        raise ValidationError(message="No updates are to be performed.")
    execute(deployment, stack, tags, self._get_param("RoleARN"))
    return ActionResult({"StackId": stack.stack_id})


def execute(
    deployment: StackDeployment,
    stack: Stack,
    tags: dict[str, str],
    role_arn: str | None,
    notification_arns: list[str] | None = None,
) -> bool:
    stack.role_arn, stack.notification_arns = role_arn or stack.role_arn, notification_arns or stack.notification_arns
    done = deployment.execute()
    if done:
        stack.tags = tags
    return done


def changes_anything(
    stack: Stack,
    template: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    types: Mapping[str, ResourceType],
) -> bool:
    """Whether a resource, an output, a parameter's value or a tag changes: nothing else of a template can alone."""
    parsed = Stack.parse_template(template)
    if parsed.get("Outputs", {}) != stack.template_dict.get("Outputs", {}) or dict(tags) != dict(stack.tags):
        return True
    before, after = with_defaults(stack.template_dict, stack.parameters), with_defaults(parsed, parameters)
    return before != after or bool(changes(stack, parsed, parameters, types))


def parameter_list(self: Stack) -> list[dict[str, Any]]:
    """Stack.parameter_list, with the values as they were given: moto has lists and numbers, and shows secrets."""
    declared = self.template_dict.get("Parameters", {})
    values = with_defaults(self.template_dict, self.parameters)
    return [
        {"ParameterKey": name, "ParameterValue": "****" if declared[name].get("NoEcho") else str(value)}
        for name, value in values.items()
    ]
