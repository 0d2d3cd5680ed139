"""Names that a stack's resources and exports may not share with others."""

from collections.abc import Iterable, Mapping
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends

from local.aws.template_changes import stack_resources


def check_name(stack: Stack, logical_id: str, resource_type: str, properties: Mapping[str, Any]) -> None:
    """Raise ValidationError if another resource of the stack has the name, as after a new logical id for it.

    moto's queues, topics, rules and alarms would be taken for the new resource, and deleted as the old one.
    """
    property_name = parsing.resource_name_property_from_type(resource_type)
    name = properties.get(property_name) if property_name else None
    for other in stack_resources(stack).values():
        same = other.cf_resource_type == resource_type and other.logical_resource_id != logical_id
        if same and name is not None and other.deployed_properties.get(property_name) == name:
            raise ValidationError(message=f"{name} already exists in stack {stack.stack_id}")


def check_exports(stack: Stack, exports: Iterable[parsing.Export]) -> None:
    """Raise ValidationError if another stack of the account and region exports one of the names."""
    existing = cloudformation_backends[stack.account_id][stack.region_name].exports
    for export in exports:
        other = existing.get(export.name)
        if other and other.exporting_stack_id != stack.stack_id:
            raise ValidationError(message=f"Export with name {export.name} is already exported by another stack")
