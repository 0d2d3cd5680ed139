"""Stacks that tests create and update."""

import json
import uuid
from typing import Any

from local.server import LocalAws


class Stack:
    """A stack of the local AWS with one name."""

    def __init__(self, aws: LocalAws) -> None:
        self.name = f"stack-{uuid.uuid4().hex[:8]}"
        self.cloudformation = aws.client("cloudformation")

    def create(self, resources: dict[str, Any], **sections: Any) -> None:
        self.cloudformation.create_stack(StackName=self.name, TemplateBody=template(resources, **sections))

    def update(self, resources: dict[str, Any], **sections: Any) -> str:
        """Its status after the update."""
        self.cloudformation.update_stack(StackName=self.name, TemplateBody=template(resources, **sections))
        return self.status

    @property
    def described(self) -> Any:
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]

    @property
    def status(self) -> str:
        return str(self.described["StackStatus"])

    def physical_ids(self) -> dict[str, str]:
        resources = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def events(self, logical_id: str) -> list[tuple[str, str]]:
        """Status and reason of each event of the resource, the latest first."""
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return [
            (event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in events
            if event["LogicalResourceId"] == logical_id
        ]


def template(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})
