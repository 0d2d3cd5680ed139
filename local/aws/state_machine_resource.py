"""`AWS::StepFunctions::StateMachine` with the definition's location, substitutions, logging and encryption.

moto reads DefinitionString only and drops the rest of the properties.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
"""

import json
import re
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.s3.models import s3_backends
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.utils import cfn_to_api_tags

from local.aws.resource_types import Properties, ResourceType, put_tags

_SUBSTITUTION = re.compile(r"\$\{(\w+)\}")
_moto_get_cfn_attribute = StateMachine.get_cfn_attribute
_moto_has_cfn_attr = StateMachine.has_cfn_attr


def create_from_cloudformation_json(
    cls: type[StateMachine],
    resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **_: Any,
) -> StateMachine:
    """StateMachine.create_from_cloudformation_json. Raises ValidationError as `definition` does."""
    properties = cloudformation_json["Properties"]
    return stepfunctions_parser_backends[account_id][region_name].create_state_machine(
        name=properties.get("StateMachineName", resource_name),
        definition=definition(resource_name, properties, account_id),
        roleArn=properties["RoleArn"],
        tags=cfn_to_api_tags(properties.get("Tags", [])),
        sm_type=properties.get("StateMachineType"),
        **{member: _api_names(properties.get(member[0].upper() + member[1:])) for member in _CONFIGURATIONS},
    )


def update_from_cloudformation_json(
    cls: type[StateMachine],
    original_resource: StateMachine,
    new_resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
) -> StateMachine:
    """StateMachine.update_from_cloudformation_json: in place, or a replacement under another name."""
    properties = cloudformation_json["Properties"]
    if properties.get("StateMachineName", original_resource.name) != original_resource.name:
        replacement = create_from_cloudformation_json(
            cls, new_resource_name, cloudformation_json, account_id, region_name
        )
        stepfunctions_parser_backends[account_id][region_name].delete_state_machine(original_resource.arn)
        return replacement
    update_state_machine(original_resource, properties, {})
    return original_resource


def update_state_machine(machine: StateMachine, properties: Properties, previous: Properties) -> None:
    """Change the definition and the settings; running executions keep those with which they started."""
    account_id, region_name = machine.arn.split(":")[4], machine.arn.split(":")[3]
    backend = stepfunctions_parser_backends[account_id][region_name]
    backend.update_state_machine(
        machine.arn,
        definition=definition(machine.name, dict(properties), account_id),
        role_arn=properties["RoleArn"],
        logging_configuration=_api_names(properties.get("LoggingConfiguration", {"Level": "OFF"})),
        tracing_configuration=_api_names(properties.get("TracingConfiguration", {"Enabled": False})),
        encryption_configuration=_api_names(properties.get("EncryptionConfiguration", {"Type": "AWS_OWNED_KEY"})),
    )
    put_tags(
        properties,
        previous,
        lambda tags: backend.tagger.tag_resource(machine.arn, cfn_to_api_tags(tags)),
        lambda keys: backend.tagger.untag_resource_using_names(machine.arn, keys),
    )


_CONFIGURATIONS = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")


def definition(resource_name: str, properties: dict[str, Any], account_id: str) -> str:
    """The definition that the properties give as a string, an object or an S3 location, with substitutions made.

    Raises ValidationError if there is none or more than one, if the S3 object is missing, or if a `${name}` in it has
    no substitution (AWS deploys that and fails when the state runs).
    """
    given = [name for name in ("DefinitionString", "Definition", "DefinitionS3Location") if name in properties]
    if len(given) != 1:
        raise ValidationError(
            resource_name,
            f"{resource_name} must have one of DefinitionString, Definition and DefinitionS3Location, "
            f"not {' and '.join(given) or 'none'}",
        )
    value = properties[given[0]]
    if given == ["DefinitionS3Location"]:
        value = _read(resource_name, value, account_id)
    text: str = json.dumps(value) if isinstance(value, dict) else value
    substitutions = properties.get("DefinitionSubstitutions", {})
    missing = sorted({name for name in _SUBSTITUTION.findall(text) if name not in substitutions})
    if missing:
        raise ValidationError(
            resource_name,
            f"The definition of {resource_name} refers to {', '.join(missing)}, "
            "which its DefinitionSubstitutions do not give",
        )
    return _SUBSTITUTION.sub(lambda match: _as_text(substitutions[match[1]]), text)


def _read(resource_name: str, location: dict[str, Any], account_id: str) -> str:
    bucket, key = location["Bucket"], location["Key"]
    stored = s3_backends[account_id]["aws"].get_object(bucket, key, location.get("Version"))
    if stored is None:
        raise ValidationError(resource_name, f"The definition of {resource_name} is not at s3://{bucket}/{key}")
    return stored.value.decode()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _api_names(value: Any) -> Any:
    """The members' names for the API, in camelCase instead of CloudFormation's PascalCase."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _api_names(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_api_names(item) for item in value]
    return value


def has_cfn_attr(cls: type[StateMachine], attr: str) -> bool:
    """StateMachine.has_cfn_attr, which lacks Arn."""
    return attr == "Arn" or _moto_has_cfn_attr(attr)


def get_cfn_attribute(self: StateMachine, attribute_name: str) -> Any:
    """StateMachine.get_cfn_attribute, which lacks Arn."""
    return self.arn if attribute_name == "Arn" else _moto_get_cfn_attribute(self, attribute_name)


TYPES = {
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
        ),
        name_property="StateMachineName",
        replaced_by=frozenset({"StateMachineName", "StateMachineType"}),
        update=update_state_machine,
    )
}


def install() -> None:
    """Make moto's CloudFormation create and update state machines with these."""
    StateMachine.create_from_cloudformation_json = classmethod(create_from_cloudformation_json)  # type: ignore[method-assign,assignment,arg-type]
    StateMachine.update_from_cloudformation_json = classmethod(update_from_cloudformation_json)  # type: ignore[method-assign,assignment]
    StateMachine.has_cfn_attr = classmethod(has_cfn_attr)  # type: ignore[method-assign,assignment]
    StateMachine.get_cfn_attribute = get_cfn_attribute  # type: ignore[method-assign]
