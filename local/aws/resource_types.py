"""The support of a CloudFormation resource type: which properties take effect, and which are ignored and why."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import moto.cloudformation.parsing as parsing
from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError

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
    # Set by `local.aws.cloudformation`: the properties that the resource has, with references resolved.
    deployed_properties: Properties = field(default_factory=dict)

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

    `replaced_by` are the properties, or paths of members, whose change makes CloudFormation replace the resource.
    `update(resource, properties, previous)` changes all others in place; without it, a change is refused by name.
    `delete(resource)` deletes what moto can't.
    """

    applied: frozenset[str]
    ignored: Mapping[str, str] = field(default_factory=dict)
    complete: Callable[[Any, Properties], None] | None = None
    create: Callable[[str, Properties], AddedResource] | None = None
    name_property: str | None = None
    attributes: tuple[str, ...] = ()
    replaced_by: frozenset[str] = frozenset()
    update: Callable[[Any, Properties, Properties], None] | None = None
    delete: Callable[[Any], None] | None = None

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> AddedResource:
        """Called by moto, as on its own models."""
        assert self.create
        return self.create(resource_name, cloudformation_json["Properties"])

    def has_cfn_attr(self, attr: str) -> bool:
        """Asked by moto about an output's Fn::GetAtt."""
        return attr in self.attributes

    def refuse_unsupported(self, properties: Properties, resource: str) -> None:
        """Raise ValidationError naming the properties of `resource` that would be dropped."""
        unsupported = sorted(set(properties) - self.applied - set(self.ignored))
        if unsupported:
            raise ValidationError(
                message=f"{resource}: the local AWS does not support {', '.join(unsupported)}; "
                "apply the property in local/aws, or list it as ignored with the reason"
            )

    def delete_resource(self, resource: Any, account_id: str, region_name: str) -> None:
        """Delete a deployed resource, with the error of its service. One that is gone counts as deleted.

        https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html
        """
        try:
            if self.delete:
                self.delete(resource)
            elif hasattr(resource, "delete"):
                resource.delete(account_id, region_name)
            else:
                declared = {"Type": resource.cf_resource_type, "Properties": dict(resource.deployed_properties)}
                parsing.parse_and_delete_resource(resource.physical_resource_id, declared, account_id, region_name)
        except Exception as error:
            if not _says_gone(error):
                raise


def _says_gone(error: Exception) -> bool:
    """Whether a service, or moto for it, says that there is no such thing."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else getattr(error, "error_type", "")
    names = f"{type(error).__name__} {code} {getattr(error, 'code', '')}"
    return any(word in names for word in ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "UnknownFunction"))


def put_tags(
    properties: Properties,
    previous: Properties,
    tag: Callable[[list[dict[str, str]]], object],
    untag: Callable[[list[str]], object],
) -> None:
    """Change a resource's Tags, a list of Key and Value, by its service's two calls."""
    wanted, had = properties.get("Tags", []), previous.get("Tags", [])
    if gone := sorted({item["Key"] for item in had} - {item["Key"] for item in wanted}):
        untag(gone)
    if added := [item for item in wanted if item not in had]:
        tag(added)


def operator_client(service: str) -> Any:
    """A client of the running local AWS with CloudFormation's rights."""
    return client(service, os.environ["AWS_ENDPOINT_URL"], "us-east-1", **operator_credentials())
