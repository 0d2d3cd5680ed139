"""Change sets, each of which belongs to one stack; moto finds them without their stack's name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from collections.abc import Mapping
from contextlib import suppress

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult

from local.aws.change_set import ChangeSet, ChangeSetNotFound
from local.aws.resource_types import ResourceType
from local.aws.stack_deployment import StackDeployment
from local.aws.stack_events import add_stack_event
from local.aws.stack_requests import check_state, parameters_of, refuse_unsupported, tags_of, template_of
from local.aws.stack_updates import changes_anything, execute
from local.aws.template_changes import changes

_types: Mapping[str, ResourceType] = {}


def install(types: Mapping[str, ResourceType]) -> None:
    """Put this into moto, for resources of these types; repeating it changes nothing."""
    global _types
    _types = types
    for operation in (create_change_set, describe_change_set, execute_change_set, delete_change_set, list_change_sets):
        setattr(CloudFormationResponse, operation.__name__, operation)


def create_change_set(self: CloudFormationResponse) -> ActionResult:
    """A change set that is FAILED, with the reason, if nothing changes.

    Raises ValidationError for a wrong template, AlreadyExistsException for a name that the stack has already.
    """
    backend, name, stack_name = self.cloudformation_backend, self._get_param("ChangeSetName"), _stack_name(self)
    refuse_unsupported(self)
    creates = self._get_param("ChangeSetType", "UPDATE") == "CREATE"
    stack = next((found for found in backend.stacks.values() if stack_name in (found.name, found.stack_id)), None)
    if not creates:
        check_state(stack or backend.get_stack(stack_name))
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
    template, parameters, tags = template_of(self, stack), parameters_of(self, stack), tags_of(self, stack)
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
    if not creates and not changes_anything(stack, template, parameters, tags, _types):
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
    refuse_unsupported(self)
    if change_set.execution_status != "AVAILABLE":
        raise ValidationError(
            message=f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
            f"[{change_set.status}]"
        )
    if change_set.change_set_type == "UPDATE":
        check_state(stack)
    deployment = StackDeployment(stack, change_set.template, change_set.parameters, _types)
    done = execute(deployment, stack, change_set.tags, change_set.role_arn, change_set.notification_arns)
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
