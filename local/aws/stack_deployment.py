"""Executes a template in a stack, new or existing, and rolls it back if a resource fails.

An update changes resources in place, replaces them, and at its end deletes those that left the template. After a
failure the previous state is restored, with the reasons as events.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
"""

from collections.abc import Callable, Mapping
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends
from moto.core.utils import utcnow

from local.aws.resource_types import ResourceType
from local.aws.stack_deletion import KEPT
from local.aws.stack_events import add_resource_event, add_stack_event
from local.aws.stack_names import check_exports, check_name
from local.aws.template_changes import differences, new_resources, physical_id, stack_resources
from local.aws.template_resources import adopt, in_order, included, resolved


class StackDeployment:
    """One creation or update of a stack, with `types` for its resources; `template` is the text to deploy.

    Raises ValidationError for a template that is wrong before anything changes.
    """

    def __init__(
        self,
        stack: Stack,
        template: str,
        parameters: Mapping[str, Any],
        types: Mapping[str, ResourceType],
    ) -> None:
        self._stack, self._template, self._parameters, self._types = stack, template, dict(parameters), types
        self._creates = not stack.template_dict
        self._parsed: dict[str, Any] = Stack.parse_template(template)
        self._before = stack_resources(stack)
        self._resources = new_resources(stack, self._parsed, parameters)
        self._undo: list[Callable[[], None]] = []
        self._replaced: dict[str, Any] = {}

    def execute(self) -> bool:
        """Deploy; False if it failed and was rolled back. The stack's status and events say the rest."""
        stack = self._stack
        add_stack_event(stack, f"{self._verb}_IN_PROGRESS", "User Initiated")
        try:
            wanted = [self._deploy(*resource) for resource in included(self._parsed, self._resources)]
            outputs = parsing.OutputMap(self._resources, self._parsed, stack.stack_id)
            exports = outputs.exports
            check_exports(stack, exports)
            # Those that can't be resolved fail here.
            _ = list(outputs.values())
        except Exception as error:
            self._roll_back(_reason(error))
            return False
        for logical_id in self._parsed["Resources"]:
            if logical_id not in wanted:
                adopt(self._resources, logical_id, None)
        before = stack.template_dict.get("Resources", {})
        backend = cloudformation_backends[stack.account_id][stack.region_name]
        for export in stack.exports:
            backend.exports.pop(export.name, None)
        backend.exports.update({export.name: export for export in exports})
        stack.template, stack.template_dict, stack.parameters = self._template, self._parsed, self._parameters
        stack.description = self._parsed.get("Description")
        stack.resource_map, stack.output_map = self._resources, outputs
        if not self._creates:
            stack.last_updated_time = utcnow()  # type: ignore[attr-defined]
            add_stack_event(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            for logical_id in reversed(in_order({"Resources": before})):
                if logical_id in self._replaced:
                    # Which template's policy counts when both change at once isn't documented: retaining loses nothing.
                    declared = (before[logical_id], self._parsed["Resources"][logical_id])
                    policies = [template.get("UpdateReplacePolicy") for template in declared]
                    self._clean_up(self._replaced[logical_id], *policies)
                elif logical_id in self._before and logical_id not in wanted:
                    self._clean_up(self._before[logical_id], before[logical_id].get("DeletionPolicy"))
        add_stack_event(stack, f"{self._verb}_COMPLETE")
        return True

    @property
    def _verb(self) -> str:
        return "CREATE" if self._creates else "UPDATE"

    def _deploy(self, logical_id: str, declared: dict[str, Any]) -> str:
        """Create, change, replace or keep one resource, and remember how to undo that."""
        resource = self._before.get(logical_id)
        if resource is None:
            self._create(logical_id)
            return logical_id
        supported, previous = self._types[resource.cf_resource_type], resource.deployed_properties
        properties = resolved(declared, self._resources)
        different = differences(supported, previous, properties)
        if not different:
            adopt(self._resources, logical_id, resource)
        elif any(difference.replaces for difference in different):
            self._replace(logical_id, declared, properties)
        else:
            self._update(logical_id, properties)
        return logical_id

    def _create(self, logical_id: str) -> Any:
        stack = self._stack
        try:
            declared = self._parsed["Resources"][logical_id]
            check_name(stack, logical_id, declared["Type"], resolved(declared, self._resources))
            created = self._resources[logical_id]
        except Exception as error:
            resource_type = self._parsed["Resources"][logical_id]["Type"]
            add_resource_event(self._stack, logical_id, None, resource_type, "CREATE_FAILED", _reason(error))
            raise
        # A resource that would be retained is, even if the operation that made it is rolled back; its other policy,
        # RetainExceptOnCreate, exists for that.
        retained = self._parsed["Resources"][logical_id].get("DeletionPolicy") == "Retain"
        self._undo.append(lambda: self._event(created, "DELETE_SKIPPED") if retained else self._delete(created))
        return created

    def _replace(self, logical_id: str, declared: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
        resource, resource_type = self._before[logical_id], declared["Type"]
        name = parsing.resource_name_property_from_type(resource_type)
        if name and name in properties and properties[name] == resource.deployed_properties.get(name):
            message = (
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[name]} and update the stack again."
            )
            self._event(resource, "UPDATE_FAILED", message)
            raise ValidationError(message=f"{logical_id} ({resource_type}): {message}")
        self._event(resource, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource")
        self._event(self._create(logical_id), "UPDATE_COMPLETE")
        self._replaced[logical_id] = resource

    def _update(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        resource = self._before[logical_id]
        previous = resource.deployed_properties
        self._event(resource, "UPDATE_IN_PROGRESS")
        self._undo.append(lambda: self._apply(resource, previous, properties))
        try:
            self._apply(resource, properties, previous)
        except Exception as error:
            self._event(resource, "UPDATE_FAILED", _reason(error))
            raise
        adopt(self._resources, logical_id, resource)
        self._event(resource, "UPDATE_COMPLETE")

    def _apply(self, resource: Any, properties: Mapping[str, Any], previous: Mapping[str, Any]) -> None:
        logical_id, resource_type = resource.logical_resource_id, resource.cf_resource_type
        supported = self._types[resource_type]
        supported.refuse_unsupported(properties, f"{logical_id} ({resource_type})")
        if supported.update is None:
            changed = ", ".join(difference.name for difference in differences(supported, previous, properties))
            raise ValidationError(
                message=f"{logical_id} ({resource_type}): the local AWS can't change {changed} of an existing resource"
            )
        supported.update(resource, properties, previous)
        resource.deployed_properties = properties

    def _roll_back(self, reason: str) -> None:
        stack, failed = self._stack, False
        rollback = "ROLLBACK" if self._creates else "UPDATE_ROLLBACK"
        add_stack_event(stack, f"{rollback}_IN_PROGRESS", reason)
        for undo in reversed(self._undo):
            try:
                undo()
            except Exception as error:
                failed, reason = True, _reason(error)
        if failed:
            add_stack_event(stack, f"{rollback}_FAILED", reason)
        else:
            add_stack_event(stack, f"{rollback}_COMPLETE")

    def _clean_up(self, resource: Any, *policies: str | None) -> None:
        """Delete what the stack no longer has. A failure leaves the resource, and the update succeeds, as on AWS."""
        if set(policies) & set(KEPT):
            self._event(resource, "DELETE_SKIPPED")
            return
        try:
            self._delete(resource)
        except Exception as error:
            self._event(resource, "DELETE_FAILED", _reason(error))

    def _delete(self, resource: Any) -> None:
        self._types[resource.cf_resource_type].delete_resource(
            resource, self._stack.account_id, self._stack.region_name
        )
        self._event(resource, "DELETE_COMPLETE")

    def _event(self, resource: Any, status: str, reason: str | None = None) -> None:
        add_resource_event(
            self._stack,
            resource.logical_resource_id,
            physical_id(resource),
            resource.cf_resource_type,
            status,
            reason,
        )


def _reason(error: Exception) -> str:
    return (
        str(error.args[0]) if isinstance(error, ValidationError) and error.args else f"{type(error).__name__}: {error}"
    )
