"""Termination protection of stacks, which moto stores from CreateStack, but can't change and doesn't enforce.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
"""

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

_moto_delete_stack = CloudFormationResponse.delete_stack


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    CloudFormationResponse.update_termination_protection = update_termination_protection  # type: ignore[attr-defined]
    CloudFormationResponse.delete_stack = delete_stack  # type: ignore[method-assign]


def update_termination_protection(self: CloudFormationResponse) -> ActionResult:
    """Raises ValidationError if there is no such stack."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
    return ActionResult({"StackId": stack.stack_id})


def delete_stack(self: CloudFormationResponse) -> ActionResult:
    """Raises ValidationError if the stack is protected; a missing stack counts as deleted."""
    name = self._get_param("StackName")
    for stack in self.cloudformation_backend.stacks.values():
        if name in (stack.name, stack.stack_id) and stack.enable_termination_protection:
            message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            raise ValidationError(name, message=message)
    return _moto_delete_stack(self)
