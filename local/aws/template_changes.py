"""What a template changes in a stack: which resources are added, changed in place, replaced and removed.

A change of a property replaces its resource if CloudFormation's reference says "Update requires: Replacement", which
`ResourceType.replaced_by` repeats.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack

from local.aws.resource_types import Properties, ResourceType
from local.aws.template_resources import Template, adopt, check_references, included, resolved

_KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
_ATTRIBUTES = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy")


class Difference(NamedTuple):
    """A property with another value; `replaces`: the resource must be replaced for it."""

    name: str
    replaces: bool
    known: bool = True


class Change(NamedTuple):
    """The change of one resource, as DescribeChangeSet has it. `action` is Add, Modify or Remove."""

    action: str
    logical_id: str
    resource_type: str
    physical_id: str | None = None
    differences: tuple[Difference, ...] = ()
    attributes: tuple[str, ...] = ()

    @property
    def replacement(self) -> str:
        """True, False or Conditional: a value that decides is known only when the change is executed."""
        replacing = [difference for difference in self.differences if difference.replaces]
        if not replacing:
            return "False"
        return "True" if any(difference.known for difference in replacing) else "Conditional"


class _Pending:
    """A resource that doesn't exist yet, whose id and attributes nobody knows."""

    physical_resource_id = _KNOWN_AFTER_APPLY

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return _KNOWN_AFTER_APPLY


def differences(supported: ResourceType, previous: Properties, properties: Properties) -> tuple[Difference, ...]:
    """The properties that differ, by name."""
    return tuple(
        Difference(
            name,
            replaces=any(
                _value(previous, path) != _value(properties, path)
                for path in supported.replaced_by
                if path.partition(".")[0] == name
            ),
            known=_KNOWN_AFTER_APPLY not in str(properties.get(name)),
        )
        for name in sorted(set(previous) | set(properties))
        if previous.get(name) != properties.get(name)
    )


def _value(properties: Any, path: str) -> Any:
    for name in path.split("."):
        properties = properties.get(name) if isinstance(properties, Mapping) else None
    return properties


def new_resources(stack: Stack, template: Template, parameters: Mapping[str, Any]) -> parsing.ResourceMap:
    """moto's resources of the template, none of which exists yet. Raises ValidationError for a wrong template."""
    check_references(template)
    resources = parsing.ResourceMap(
        stack.stack_id,
        stack.name,
        dict(parameters),
        stack.tags,
        account_id=stack.account_id,
        region_name=stack.region_name,
        template=dict(template),
        cross_stack_resources=stack.cross_stack_resources,
    )
    try:
        resources.load()
    except (KeyError, TypeError, AttributeError) as error:
        # moto's way with a name that the template doesn't have.
        raise ValidationError(message=f"Template validation error: {type(error).__name__}: {error}") from None
    for logical_id, declared in template["Resources"].items():
        existing = stack.resource_map.get(logical_id) if logical_id in stack.resource_map.resources else None
        if existing is not None and existing.cf_resource_type != declared["Type"]:
            raise ValidationError(
                message="Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{logical_id}]"
            )
    return resources


def changes(
    stack: Stack, template: Template, parameters: Mapping[str, Any], types: Mapping[str, ResourceType]
) -> list[Change]:
    """The changes of the stack's resources, in the order of the execution. Raises ValidationError."""
    resources, existing = new_resources(stack, template, parameters), stack_resources(stack)
    found, wanted = [], []
    # A resource whose condition is false is None to those who refer to it.
    for logical_id in template["Resources"]:
        adopt(resources, logical_id, None)
    for logical_id, declared in included(template, resources):
        wanted.append(logical_id)
        resource, resource_type = existing.get(logical_id), declared["Type"]
        if resource is None:
            found.append(Change("Add", logical_id, resource_type))
            adopt(resources, logical_id, _Pending())
            continue
        different = differences(types[resource_type], resource.deployed_properties, resolved(declared, resources))
        before = stack.template_dict["Resources"][logical_id]
        attributes = tuple(name for name in _ATTRIBUTES if before.get(name) != declared.get(name))
        change = Change("Modify", logical_id, resource_type, physical_id(resource), different, attributes)
        if different or attributes:
            found.append(change)
        adopt(resources, logical_id, resource if change.replacement == "False" else _Pending())
    for logical_id, resource in existing.items():
        if logical_id not in wanted:
            found.append(Change("Remove", logical_id, resource.cf_resource_type, physical_id(resource)))
    return found


def stack_resources(stack: Stack) -> dict[str, Any]:
    """The stack's resources by logical id."""
    return {logical_id: resource for logical_id in stack.resource_map if (resource := stack.resource_map[logical_id])}


def physical_id(resource: Any) -> str | None:
    """What Ref returns; None for moto's few resources without one."""
    return getattr(resource, "physical_resource_id", None)
