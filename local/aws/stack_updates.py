"""UpdateStack and change sets, which deploy by `local.aws.stack_deployment`.

moto's update reports success without a change, changes resources by making them anew, doesn't know which need a
replacement, and leaves a stack half changed when one fails. Its change sets are found without their stack's name.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.cloudformation.exceptions import AlreadyExistsException, MissingParameterError, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from local.aws.change_set import ChangeSet, ChangeSetNotFound
from local.aws.resource_types import ResourceType
from local.aws.stack_deployment import StackDeployment
from local.aws.stack_events import add_stack_event
from local.aws.template_changes import changes

_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
# ImportExistingResources, which `cdk bootstrap` sets, has no effect: a resource whose name exists isn't imported, but
# fails to be created, by name.
_NOT_SUPPORTED = ("DisableRollback",)

_types: Mapping[str, ResourceType] = {}


def install(types: Mapping[str, ResourceType]) -> None:
    """Put this into moto, for resources of these types; repeating it changes nothing."""
    global _types
    _types = types
    for operation in (
        update_stack,
        create_change_set,
        describe_change_set,
        execute_change_set,
        delete_change_set,
        list_change_sets,
    ):
        setattr(CloudFormationResponse, operation.__name__, operation)
    Stack.parameter_list = property(_parameter_list)  # type: ignore[assignment,method-assign]


def update_stack(self: CloudFormationResponse) -> ActionResult:
    """Raises ValidationError if the stack is missing or not in a state for it, and if nothing changes."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    _check_state(stack)
    _refuse_unsupported(self)
    template, parameters, tags = _template(self, stack), _parameters(self, stack), _tags(self, stack)
    deployment = StackDeployment(stack, template, parameters, _types)
    if not _changes_anything(stack, template, parameters, tags):
        raise ValidationError(message="No updates are to be performed.")
    _execute(deployment, stack, tags, self._get_param("RoleARN"))
    return ActionResult({"StackId": stack.stack_id})


def create_change_set(self: CloudFormationResponse) -> ActionResult:
    """A change set that is FAILED, with the reason, if nothing changes.

    Raises ValidationError for a wrong template, AlreadyExistsException for a name that the stack has already.
    """
    backend, name, stack_name = self.cloudformation_backend, self._get_param("ChangeSetName"), _stack_name(self)
    _refuse_unsupported(self)
    creates = self._get_param("ChangeSetType", "UPDATE") == "CREATE"
    stack = next((found for found in backend.stacks.values() if stack_name in (found.name, found.stack_id)), None)
    if not creates:
        _check_state(stack or backend.get_stack(stack_name))
    elif stack is None:
        stack = _reviewed_stack(self, stack_name)
    elif stack.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(
            message=f"Stack [{stack.name}] already exists and cannot be created again with the changeSet"
        )
    assert stack
    others = [found for found in _change_sets(self).values() if found.stack is stack and not found.executed]
    if name in [found.change_set_name for found in others]:
        raise AlreadyExistsException(
            f"ChangeSet {name} cannot be created due to a mismatch with existing attribute Name"
        )
    template, parameters, tags = _template(self, stack), _parameters(self, stack), _tags(self, stack)
    change_set = ChangeSet(
        change_set_id=generate_changeset_id(name, self.region, self.current_account),
        change_set_name=name,
        change_set_type="CREATE" if creates else "UPDATE",
        stack=stack,
        template=template,
        parameters=parameters,
        tags=tags,
        description=self._get_param("Description"),
        role_arn=self._get_param("RoleARN"),
        notification_arns=self._get_param("NotificationARNs"),
        changes=changes(stack, Stack.parse_template(template), parameters, _types),
    )
    if not creates and not _changes_anything(stack, template, parameters, tags):
        change_set.fail(
            "The submitted information didn't contain changes. Submit different information to create a change set."
        )
    _change_sets(self)[change_set.change_set_id] = change_set
    return ActionResult({"Id": change_set.change_set_id, "StackId": stack.stack_id})


def describe_change_set(self: CloudFormationResponse) -> ActionResult:
    """Raises ChangeSetNotFound."""
    return ActionResult(_change_set(self).described())


def execute_change_set(self: CloudFormationResponse) -> EmptyResult:
    """Deploys before it answers. The outcome is the stack's status, as on AWS. Raises ChangeSetNotFound."""
    change_set, stack = _change_set(self), _change_set(self).stack
    _refuse_unsupported(self)
    if change_set.execution_status != "AVAILABLE":
        raise ValidationError(
            message=f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
            f"[{change_set.status}]"
        )
    if change_set.change_set_type == "UPDATE":
        _check_state(stack)
    deployment = StackDeployment(stack, change_set.template, change_set.parameters, _types)
    done = _execute(deployment, stack, change_set.tags, change_set.role_arn, change_set.notification_arns)
    change_set.execution_status = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"
    # The others aren't valid for the changed stack.
    for other in [found for found in _change_sets(self).values() if found.stack is stack and not found.executed]:
        del _change_sets(self)[other.change_set_id]
    return EmptyResult()


def delete_change_set(self: CloudFormationResponse) -> EmptyResult:
    """A change set that doesn't exist counts as deleted."""
    with suppress(ChangeSetNotFound):
        del _change_sets(self)[_change_set(self).change_set_id]
    return EmptyResult()


def list_change_sets(self: CloudFormationResponse) -> ActionResult:
    """The change sets of one stack. Raises ValidationError if there is no such stack."""
    stack = self.cloudformation_backend.get_stack(_stack_name(self))
    found = [change_set.summary() for change_set in _change_sets(self).values() if change_set.stack is stack]
    return ActionResult({"Summaries": found})


def _execute(
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


def _changes_anything(stack: Stack, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Whether a resource, an output, a parameter's value or a tag changes: nothing else of a template can alone."""
    parsed = Stack.parse_template(template)
    if parsed.get("Outputs", {}) != stack.template_dict.get("Outputs", {}) or dict(tags) != dict(stack.tags):
        return True
    before, after = _with_defaults(stack.template_dict, stack.parameters), _with_defaults(parsed, parameters)
    return before != after or bool(changes(stack, parsed, parameters, _types))


def _parameter_list(self: Stack) -> list[dict[str, Any]]:
    """Stack.parameter_list, with the values as they were given: moto has lists and numbers, and shows secrets."""
    declared = self.template_dict.get("Parameters", {})
    values = _with_defaults(self.template_dict, self.parameters)
    return [
        {"ParameterKey": name, "ParameterValue": "****" if declared[name].get("NoEcho") else str(value)}
        for name, value in values.items()
    ]


def _with_defaults(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = template.get("Parameters", {})
    return {name: given.get(name, parameter.get("Default")) for name, parameter in declared.items()}


def _template(response: CloudFormationResponse, stack: Stack) -> str:
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


def _parameters(response: CloudFormationResponse, stack: Stack) -> dict[str, str]:
    """The values that are given, and the previous ones where these shall be used; defaults are the template's."""
    previous = _with_defaults(stack.template_dict, stack.parameters)
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


def _tags(response: CloudFormationResponse, stack: Stack) -> dict[str, str]:
    """The stack's tags, which stay if none are given: the wire has no difference between none and an empty list."""
    given = {item["Key"]: item["Value"] for item in response._get_param("Tags", [])}
    return given or dict(stack.tags)


def _check_state(stack: Stack) -> None:
    if stack.status not in _UPDATABLE:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def _refuse_unsupported(response: CloudFormationResponse) -> None:
    if given := [name for name in _NOT_SUPPORTED if response._get_bool_param(name, False)]:
        raise ValidationError(message=f"The local AWS does not support {', '.join(given)}")


def _reviewed_stack(response: CloudFormationResponse, name: str) -> Stack:
    """A stack without resources, until its first change set is executed."""
    backend = response.cloudformation_backend
    stack = Stack(  # type: ignore[abstract]
        stack_id=generate_stack_id(name, response.region, response.current_account),
        name=name,
        template={},
        parameters={},
        account_id=response.current_account,
        region_name=response.region,
        cross_stack_resources=backend.exports,
    )
    backend.stacks[stack.stack_id] = stack
    add_stack_event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
    return stack


def _stack_name(response: CloudFormationResponse) -> str:
    return str(response._get_param("StackName"))


def _change_sets(response: CloudFormationResponse) -> dict[str, ChangeSet]:
    change_sets: dict[str, ChangeSet] = response.cloudformation_backend.change_sets  # type: ignore[assignment]
    return change_sets


def _change_set(response: CloudFormationResponse) -> ChangeSet:
    """The change set of an ARN, or the latest of a name in a stack that exists."""
    name, stack_name = response._get_param("ChangeSetName"), response._get_param("StackName")
    if found := _change_sets(response).get(name):
        return found
    for change_set in reversed(_change_sets(response).values()):
        stack = change_set.stack
        exists = stack.stack_id in response.cloudformation_backend.stacks
        if change_set.change_set_name == name and exists and stack_name in (stack.name, stack.stack_id):
            return change_set
    raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")
