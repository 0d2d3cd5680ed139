"""A change set, as DescribeChangeSet and ListChangeSets return it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import Stack
from moto.core.utils import utcnow

from local.aws.template_changes import Change, Difference


class ChangeSetNotFound(CloudFormationError):
    """No change set has this name or ARN."""

    code = "ChangeSetNotFound"


@dataclass
class ChangeSet:
    """`template` is the text that it deploys, `changes` are those of the stack's resources; others have no record."""

    change_set_id: str
    change_set_name: str
    change_set_type: str
    stack: Stack
    template: str
    parameters: dict[str, str]
    tags: dict[str, str]
    description: str | None
    role_arn: str | None
    notification_arns: list[str] | None
    changes: Sequence[Change]
    status: str = "CREATE_COMPLETE"
    status_reason: str | None = None
    execution_status: str = "AVAILABLE"
    creation_time: datetime = field(default_factory=utcnow)

    @property
    def executed(self) -> bool:
        return self.execution_status.startswith("EXECUTE_")

    def fail(self, reason: str) -> None:
        """Let it not be executed."""
        self.status, self.status_reason, self.execution_status = "FAILED", reason, "UNAVAILABLE"

    def summary(self) -> dict[str, Any]:
        """The members of ListChangeSets."""
        return {
            "ChangeSetId": self.change_set_id,
            "ChangeSetName": self.change_set_name,
            "StackId": self.stack.stack_id,
            "StackName": self.stack.name,
            "CreationTime": self.creation_time,
            "Description": self.description,
            "Status": self.status,
            "StatusReason": self.status_reason,
            "ExecutionStatus": self.execution_status,
        }

    def described(self) -> dict[str, Any]:
        """The members of DescribeChangeSet; moto itself makes lists of the changes and the parameters."""
        return {
            **self.summary(),
            "ChangeSetType": self.change_set_type,
            "NotificationARNs": self.notification_arns or [],
            "Parameters": self.parameters,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "Changes": [_resource_change(change) for change in self.changes],
        }


def _resource_change(change: Change) -> dict[str, Any]:
    scope = (["Properties"] if change.differences else []) + list(change.attributes)
    modified = {
        "Replacement": change.replacement,
        "Scope": scope,
        "Details": [
            *(_property_detail(difference) for difference in change.differences),
            *({"Target": {"Attribute": name}, "Evaluation": "Static"} for name in change.attributes),
        ],
    }
    return {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "PhysicalResourceId": change.physical_id,
        "ResourceType": change.resource_type,
        **(modified if change.action == "Modify" else {}),
    }


def _property_detail(difference: Difference) -> dict[str, Any]:
    recreation = ("Always" if difference.known else "Conditionally") if difference.replaces else "Never"
    return {
        "Target": {"Attribute": "Properties", "Name": difference.name, "RequiresRecreation": recreation},
        "Evaluation": "Static" if difference.known else "Dynamic",
    }
