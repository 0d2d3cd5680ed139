"""Events of stacks and of their resources, as DescribeStackEvents returns them; moto has those of some stacks only."""

from moto.cloudformation.models import Event, Stack


def add_stack_event(stack: Stack, status: str, reason: str | None = None) -> None:
    """Set the stack's status, and add its event."""
    stack.status = status
    _add(stack, stack.name, stack.stack_id, "AWS::CloudFormation::Stack", status, reason)


def add_resource_event(
    stack: Stack, logical_id: str, physical_id: str | None, resource_type: str, status: str, reason: str | None = None
) -> None:
    """Add an event of one resource; `physical_id` is None if it was not created."""
    _add(stack, logical_id, physical_id or "", resource_type, status, reason)


def _add(stack: Stack, logical_id: str, physical_id: str, resource_type: str, status: str, reason: str | None) -> None:
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=logical_id,
        physical_resource_id=physical_id,
        resource_type=resource_type,
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    event.sendToSns(stack.account_id, stack.region_name, stack.notification_arns)
    stack.events.append(event)
