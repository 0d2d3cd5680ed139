"""The parameters of a request to create or update a stack, as UpdateStack and CreateChangeSet share them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.cloudformation.exceptions import MissingParameterError, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
# ImportExistingResources, which `cdk bootstrap` sets, has no effect: nothing is imported.
_NOT_SUPPORTED = ("DisableRollback",)


def template_of(response: CloudFormationResponse, stack: Stack) -> str:
    body, url = response._get_param("TemplateBody"), response._get_param("TemplateURL")
    previous = response._get_bool_param("UsePreviousTemplate", False)
    if bool(body) + bool(url) + bool(previous) != 1:
        raise ValidationError(message="Specify one of TemplateBody, TemplateURL and UsePreviousTemplate")
    if url:
        return _read(url, response.current_account)
    if previous and not stack.template_dict:
        raise ValidationError(message=f"Stack [{stack.name}] has no previous template")
    return str(stack.template if previous else body)


def _read(url: str, account_id: str) -> str:
    """The template at an S3 URL, whose host is the bucket's or, as with an endpoint of one's own, the service's."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    bucket, _, key = path.partition("/")
    if ".s3." in host:
        bucket, key = host.partition(".s3.")[0], path
    try:
        stored = s3_backends[account_id]["aws"].get_object(bucket, key)
    except S3ClientError:
        stored = None
    if stored is None:
        raise ValidationError(message=f"S3 error: there is no template at {url}")
    return stored.value.decode()


def parameters_of(response: CloudFormationResponse, stack: Stack) -> dict[str, str]:
    """The values that are given, and the previous ones where these shall be used; defaults are the template's."""
    previous = with_defaults(stack.template_dict, stack.parameters)
    values: dict[str, str] = {}
    for parameter in response._get_param("Parameters", []):
        name = parameter["ParameterKey"]
        if not parameter.get("UsePreviousValue"):
            values[name] = parameter["ParameterValue"]
        elif parameter.get("ParameterValue"):
            raise ValidationError(
                message=f"Invalid input for parameter key {name}. "
                "Cannot specify usePreviousValue as true and non empty value for a parameter"
            )
        elif previous.get(name) is None:
            raise MissingParameterError(name)
        else:
            values[name] = previous[name]
    return values


def with_defaults(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = template.get("Parameters", {})
    return {name: given.get(name, parameter.get("Default")) for name, parameter in declared.items()}


def tags_of(response: CloudFormationResponse, stack: Stack) -> dict[str, str]:
    """The stack's tags, which stay if none are given: the wire has no difference between none and an empty list."""
    given = {item["Key"]: item["Value"] for item in response._get_param("Tags", [])}
    return given or dict(stack.tags)


def check_state(stack: Stack) -> None:
    if stack.status not in _UPDATABLE:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def refuse_unsupported(response: CloudFormationResponse) -> None:
    if given := [name for name in _NOT_SUPPORTED if response._get_bool_param(name, False)]:
        raise ValidationError(message=f"The local AWS does not support {', '.join(given)}")
