"""Finds resources by their ARNs, adds them under unique names, and checks their state and quotas."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from local.services.cleanroomsml.errors import (
    ConflictException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ValidationException,
)
from local.services.cleanroomsml.resources import ACTIVE, Resource

_Found = TypeVar("_Found", bound=Resource)


def find(resources: Mapping[str, _Found], arn: str) -> _Found:
    """The resource with that ARN. Raises ResourceNotFoundException."""
    if arn not in resources:
        raise ResourceNotFoundException(f"{arn} does not exist")
    return resources[arn]


def add(resources: dict[str, _Found], resource: _Found) -> None:
    if resource.arn in resources or any(other.name == resource.name for other in resources.values()):
        raise ConflictException(f"There is already a resource of this type named {resource.name}; names must be unique")
    resources[resource.arn] = resource


def check_active(resource: Resource) -> None:
    if resource.state.status != ACTIVE:
        raise ValidationException(f"{resource.arn} is {resource.state.status}; it must be ACTIVE")


def check_quota(name: str, value: int, resources: Iterable[Resource]) -> None:
    if sum(resource.in_progress for resource in resources) >= value:
        raise ServiceQuotaExceededException(name, value)
