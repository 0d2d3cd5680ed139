"""Deletes stacks, as far as their resources can be deleted.

Resources go before those that they refer to. One that can't be deleted stays, with all that it refers to, in a stack
that is DELETE_FAILED; moto deletes such a stack, and answers with the error of the resource's service, which no client
of CloudFormation can read.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-delete-stack-fails
"""

from collections.abc import Mapping

from moto.cloudformation.models import CloudFormationBackend, Stack

from local.aws.resource_types import ResourceType
from local.aws.stack_events import add_resource_event, add_stack_event
from local.aws.template_changes import new_resources, physical_id, stack_resources
from local.aws.template_resources import adopt, in_order, references

_FAILED = "DELETE_FAILED"
KEPT = ("Retain", "RetainExceptOnCreate")
"""The policies of a resource that outlives its stack."""

_moto_delete_stack = CloudFormationBackend.delete_stack
_types: Mapping[str, ResourceType] = {}


def install(types: Mapping[str, ResourceType]) -> None:
    """Put this into moto, for resources of these types; repeating it changes nothing."""
    global _types
    _types = types
    Stack.delete = delete  # type: ignore[method-assign]
    CloudFormationBackend.delete_stack = delete_stack  # type: ignore[method-assign]


def delete(self: Stack) -> None:
    """Stack.delete, which raises no error for resources that are left."""
    add_stack_event(self, "DELETE_IN_PROGRESS", "User Initiated")
    declared, existing = self.template_dict.get("Resources", {}), stack_resources(self)
    left: set[str] = set()
    needed: set[str] = set()
    failures: dict[str, str] = {}
    for logical_id in reversed(in_order(self.template_dict)):
        resource = existing.get(logical_id)
        if resource is None:
            continue
        retained = declared[logical_id].get("DeletionPolicy") in KEPT
        status, reason = "DELETE_SKIPPED" if retained else "DELETE_COMPLETE", None
        if not retained and logical_id not in needed:
            try:
                _types[resource.cf_resource_type].delete_resource(resource, self.account_id, self.region_name)
            except Exception as error:
                status, reason = _FAILED, f"{type(error).__name__}: {error}"
                failures[logical_id] = reason
        if retained or logical_id in failures or logical_id in needed:
            left.add(logical_id)
        if not retained and logical_id in left:
            needed |= references(declared[logical_id])
        if logical_id not in needed or logical_id in failures:
            resource_type = resource.cf_resource_type
            add_resource_event(self, logical_id, physical_id(resource), resource_type, status, reason)
    if not failures:
        add_stack_event(self, "DELETE_COMPLETE")
        return
    self.template_dict = {
        **{section: value for section, value in self.template_dict.items() if section != "Outputs"},
        "Resources": {logical_id: declared[logical_id] for logical_id in declared if logical_id in left},
    }
    resources = new_resources(self, self.template_dict, self.parameters)
    for logical_id in left:
        adopt(resources, logical_id, existing[logical_id])
    self.resource_map = resources
    reasons = ". ".join(failures.values())
    add_stack_event(
        self, _FAILED, f"The following resource(s) failed to delete: [{', '.join(sorted(failures))}]. {reasons}"
    )


def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    """CloudFormationBackend.delete_stack."""
    _moto_delete_stack(self, name_or_stack_id)
    for stack_id, stack in list(self.deleted_stacks.items()):
        if stack.status == _FAILED:
            self.stacks[stack_id] = self.deleted_stacks.pop(stack_id)
