"""CloudFormation that deploys a template completely, or reports what it can't deploy.

moto skips resources of types it does not know and drops properties, and reports success all the same. Here every type
and every property is either applied or refused, with the logical id: see `ResourceType`. A refused or failed resource
fails CreateStack with a ValidationError, as does a template that names an unknown one.
"""

import json
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack

from local.aws import (
    analysis_resources,
    dynamodb_resources,
    function_resources,
    identity_resources,
    messaging_resources,
    monitoring_resources,
    s3_resources,
    stack_deletion,
    termination_protection,
)
from local.aws.resource_types import ResourceType

TYPES: dict[str, ResourceType] = {
    **analysis_resources.TYPES,
    **dynamodb_resources.TYPES,
    **function_resources.TYPES,
    **identity_resources.TYPES,
    **messaging_resources.TYPES,
    **monitoring_resources.TYPES,
    **s3_resources.TYPES,
    "AWS::StepFunctions::StateMachine": ResourceType(
        frozenset(
            {
                "Definition",
                "DefinitionS3Location",
                "DefinitionString",
                "DefinitionSubstitutions",
                "EncryptionConfiguration",
                "LoggingConfiguration",
                "RoleArn",
                "StateMachineName",
                "StateMachineType",
                "Tags",
                "TracingConfiguration",
            }
        )
    ),
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
    stack_deletion.install()
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
    supported = _supported(resource_type, logical_id)
    refuse_unsupported_properties(supported, resource_json.get("Properties", {}), f"{logical_id} ({resource_type})")
    try:
        resource = _moto_create(logical_id, resource_json, resources_map, account_id, region_name)
        if resource is not None and supported.complete:
            supported.complete(resource, parsing.clean_json(resource_json.get("Properties", {}), resources_map))
    except ValidationError:
        raise
    except Exception as error:
        raise ValidationError(message=f"{logical_id} ({resource_type}): {type(error).__name__}: {error}") from error
    return resource


def refuse_unsupported_properties(supported: ResourceType, properties: dict[str, Any], resource: str) -> None:
    """Raise ValidationError naming the properties of `resource` that would be dropped."""
    unsupported = sorted(set(properties) - supported.applied - set(supported.ignored))
    if unsupported:
        raise ValidationError(
            message=f"{resource}: the local AWS does not support {', '.join(unsupported)}; "
            "apply the property in local/aws, or list it as ignored with the reason"
        )


def _parse_template(template: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(template)
    except ValueError:
        # moto would parse JSON as YAML, a hundred times slower.
        parsed = _moto_parse_template(template)
    for resource in parsed.get("Resources", {}).values():
        # moto knows Retain only, and creates nothing of a stack whose creation fails.
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            resource["DeletionPolicy"] = "Retain"
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
    return supported.name_property if supported.create else _moto_name_property(resource_type)
