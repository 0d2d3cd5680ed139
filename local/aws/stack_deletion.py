"""A stack with a resource that can't be deleted stays in DELETE_FAILED, with the remaining resources.

moto deletes such a stack, and answers with the error of the resource's service, which no client of CloudFormation can
read.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-delete-stack-fails
"""

from moto.cloudformation.models import CloudFormationBackend, Stack

_FAILED = "DELETE_FAILED"

_moto_delete = Stack.delete
_moto_delete_stack = CloudFormationBackend.delete_stack


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    Stack.delete = delete  # type: ignore[method-assign]
    CloudFormationBackend.delete_stack = delete_stack  # type: ignore[method-assign]


def delete(self: Stack) -> None:
    """Stack.delete, which raises no error for resources that are left."""
    try:
        _moto_delete(self)
    except Exception as error:
        resources = self.resource_map
        for logical_id in set(resources._resource_json_map) - set(resources._parsed_resources):
            # Otherwise moto would create the resource again when it is read.
            del resources._resource_json_map[logical_id]
        self.status = _FAILED
        left = ", ".join(
            logical_id
            for logical_id, resource in resources._resource_json_map.items()
            if resource.get("DeletionPolicy") != "Retain"
        )
        reason = f"The following resource(s) failed to delete: [{left}]. {type(error).__name__}: {error}"
        self._add_stack_event(_FAILED, resource_status_reason=reason)


def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    """CloudFormationBackend.delete_stack."""
    _moto_delete_stack(self, name_or_stack_id)
    for stack_id, stack in list(self.deleted_stacks.items()):
        if stack.status == _FAILED:
            self.stacks[stack_id] = self.deleted_stacks.pop(stack_id)
