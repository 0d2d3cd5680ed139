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


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def parameter(value: Any, name: str | None = None) -> dict[str, Any]:
    properties = {"Type": "String", "Value": value, **({"Name": name} if name else {})}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties}


def queues(aws: LocalAws, stack: Stack) -> set[str]:
    """The names of the existing queues of the stack, which begin with its own."""
    urls = aws.client("sqs").list_queues(QueueNamePrefix=stack.name).get("QueueUrls", [])
    return {url.rpartition("/")[2] for url in urls}


def queue_attributes(aws: LocalAws, url: str) -> Any:
    return aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def change_set(stack: Stack, resources: dict[str, Any], kind: str = "UPDATE", **options: Any) -> Any:
    stack.cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName="changes",
        ChangeSetType=kind,
        TemplateBody=template(resources),
        **options,
    )
    return stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="changes")
