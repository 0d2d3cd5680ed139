"""CloudFormation that deploys a template completely, or reports what it can't deploy.

moto skips resources of types it does not know and drops properties, and reports success all the same. Here every type
and every property is either applied or refused, with the logical id: see `ResourceType`. A refused or failed resource
fails CreateStack with a ValidationError, as does a template that names an unknown one.
"""

import contextlib
import json
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends

from local.aws import (
    analysis_resources,
    change_sets,
    container_resources,
    dynamodb_resources,
    function_resources,
    identity_resources,
    messaging_resources,
    monitoring_resources,
    rule_resources,
    s3_resources,
    stack_deletion,
    stack_updates,
    state_machine_resource,
    template_resources,
    termination_protection,
)
from local.aws.resource_types import ResourceType
from local.aws.stack_events import add_resource_event
from local.aws.template_changes import physical_id
from local.aws.template_resources import resolved

TYPES: dict[str, ResourceType] = {
    **analysis_resources.TYPES,
    **container_resources.TYPES,
    **dynamodb_resources.TYPES,
    **function_resources.TYPES,
    **identity_resources.TYPES,
    **messaging_resources.TYPES,
    **monitoring_resources.TYPES,
    **rule_resources.TYPES,
    **s3_resources.TYPES,
    **state_machine_resource.TYPES,
}

_moto_parse_template = Stack.parse_template
_moto_create = parsing.parse_and_create_resource
_moto_class_from_type = parsing.resource_class_from_type
_moto_name_property = parsing.resource_name_property_from_type


def install() -> None:
    """Make moto deploy strictly; repeating it changes nothing."""
    parsing.parse_and_create_resource = create_resource
    parsing.resource_class_from_type = _resource_class_from_type
    parsing.resource_name_property_from_type = _resource_name_property_from_type
    Stack.parse_template = staticmethod(_parse_template)  # type: ignore[method-assign]
    dynamodb_resources.install()
    function_resources.install()
    template_resources.install()
    stack_deletion.install(TYPES)
    stack_updates.install(TYPES)
    change_sets.install(TYPES)
    termination_protection.install()


def create_resource(
    logical_id: str,
    resource_json: dict[str, Any],
    resources_map: parsing.ResourceMap,
    account_id: str,
    region_name: str,
) -> Any:
    """Create one resource with all its properties.

    Raises ValidationError with the logical id and the type if the type or a property is not supported, or the creation
    fails.
    """
    resource_type = resource_json["Type"]
    supported, name = _supported(resource_type, logical_id), f"{logical_id} ({resource_type})"
    resource: Any = None
    try:
        condition = resource_json.get("Condition")
        if condition and not resources_map.lazy_condition_map[condition]:
            return None
        properties = resolved(resource_json, resources_map)
        supported.refuse_unsupported(properties, name)
        resource = _moto_create(logical_id, resource_json, resources_map, account_id, region_name)
        resource.deployed_properties = properties
        if supported.complete:
            supported.complete(resource, properties)
    except Exception as error:
        if resource is not None:
            with contextlib.suppress(Exception):
                supported.delete_resource(resource, account_id, region_name)
        if isinstance(error, ValidationError):
            raise
        raise ValidationError(message=f"{name}: {type(error).__name__}: {error}") from error
    if stack := cloudformation_backends[account_id][region_name].stacks.get(resources_map.stack_id):
        add_resource_event(stack, logical_id, physical_id(resource), resource_type, "CREATE_COMPLETE")
    return resource


def _parse_template(template: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(template)
    except ValueError:
        # moto would parse JSON as YAML, a hundred times slower.
        parsed = _moto_parse_template(template)
    return parsed


def _supported(resource_type: str, name: str) -> ResourceType:
    if resource_type not in TYPES:
        raise ValidationError(message=f"{name} ({resource_type}): the local AWS does not support this resource type")
    return TYPES[resource_type]


def _resource_class_from_type(resource_type: str) -> Any:
    supported = _supported(resource_type, "A resource")
    return supported if supported.create else _moto_class_from_type(resource_type)


def _resource_name_property_from_type(resource_type: str) -> str | None:
    supported = _supported(resource_type, "A resource")
    return (
        supported.name_property if supported.create else supported.name_property or _moto_name_property(resource_type)
    )
