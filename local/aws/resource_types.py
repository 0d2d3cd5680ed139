"""The support of a CloudFormation resource type: which properties take effect, and which are ignored and why."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

from local.aws.clients import client
from local.aws.credentials import operator_credentials

Properties = Mapping[str, Any]


@dataclass
class AddedResource:
    """A deployed resource of a type that moto's CloudFormation lacks; `attributes` are what Fn::GetAtt can name."""

    physical_resource_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    delete_resource: Callable[[], object] | None = None
    # Set by moto once the resource exists.
    cf_resource_type: str = ""
    logical_resource_id: str = ""

    def is_created(self) -> bool:
        """Asked by moto, which has types that take time."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """The value of Fn::GetAtt."""
        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException()
        return self.attributes[attribute_name]

    def delete(self, account_id: str, region_name: str) -> None:
        """Called by moto when the stack is deleted."""
        if self.delete_resource:
            self.delete_resource()


@dataclass(frozen=True)
class ResourceType:
    """The support of one resource type.

    `applied` properties take effect. `ignored` properties are accepted without effect, each with the reason why that
    makes no difference here. Any other property is refused. `complete(resource, properties)` applies the properties
    that moto dropped. `create(name, properties)` makes a resource whose type moto's CloudFormation lacks; `name` is the
    value of `name_property` or generated, `attributes` are those for Fn::GetAtt.
    """

    applied: frozenset[str]
    ignored: Mapping[str, str] = field(default_factory=dict)
    complete: Callable[[Any, Properties], None] | None = None
    create: Callable[[str, Properties], AddedResource] | None = None
    name_property: str | None = None
    attributes: tuple[str, ...] = ()

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> AddedResource:
        """Called by moto, as on its own models."""
        assert self.create
        return self.create(resource_name, cloudformation_json["Properties"])

    def update_from_cloudformation_json(
        self,
        original_resource: AddedResource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> AddedResource:
        """Called by moto. The call that creates an added type also replaces an existing resource."""
        return self.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    def has_cfn_attr(self, attr: str) -> bool:
        """Asked by moto about an output's Fn::GetAtt."""
        return attr in self.attributes


def operator_client(service: str) -> Any:
    """A client of the running local AWS with CloudFormation's rights."""
    return client(service, os.environ["AWS_ENDPOINT_URL"], "us-east-1", **operator_credentials())
