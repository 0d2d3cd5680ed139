"""Check a request against the service's own model of it, and against the documented rules that the model cannot say.

boto3 checks types, required members and minima before it sends a request; patterns, enums and maxima are the service's
to check, and they come from botocore's description of the service, so none is repeated here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from moto.core.utils import get_service_model

from local.services.cleanroomsml.errors import AccessDeniedException, ValidationException

MAXIMUM_TAGS = 50
_REQUIRED_COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP")


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationException with everything in which `request` departs from the model of `operation`'s input."""
    shape = get_service_model("cleanroomsml").operation_model(operation).input_shape
    if found := list(violations(shape, request)):
        raise ValidationException("; ".join(found))
    _check_tags(request.get("tags", {}))


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Say where `value`, found at `path`, breaks a constraint of `shape`: required, enum, pattern, minimum, maximum."""
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"{_join(path, name)} is required"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from violations(member, value[name], _join(path, name))
    elif isinstance(shape, ListShape):
        yield from _range_violations(shape, len(value), path, "has {} members")
        for index, item in enumerate(value):
            yield from violations(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _range_violations(shape, len(value), path, "has {} members")
        for key, item in value.items():
            yield from violations(shape.key, key, f"{path} key {key!r}")
            yield from violations(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        yield from _range_violations(shape, len(value), path, "is {} characters long")
        if shape.enum and value not in shape.enum:
            yield f"{path} is {value!r}; allowed: {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path} is {value!r}, which does not match {pattern}"
    elif shape.type_name in ("integer", "long", "double", "float"):
        yield from _range_violations(shape, value, path, "is {}")


def check_training_data(training_data: list[dict[str, Any]]) -> None:
    """Raise ValidationException unless the schema maps exactly one column to each of USER_ID, ITEM_ID and TIMESTAMP.

    Source: "Training data requirements for Clean Rooms ML" in the AWS Clean Rooms user guide.
    """
    schema = training_data[0]["inputConfig"]["schema"]
    types = [column_type for column in schema for column_type in column["columnTypes"]]
    for required in _REQUIRED_COLUMNS:
        if types.count(required) != 1:
            raise ValidationException(
                f"trainingData[0].inputConfig.schema has {types.count(required)} columns of type {required}; "
                "it must have exactly one"
            )


def check_audience_sizes(config: Mapping[str, Any]) -> None:
    """Raise ValidationException if a PERCENTAGE bin exceeds 100. Source: botocore's AudienceSizeConfig."""
    if config["audienceSizeType"] == "PERCENTAGE" and (large := [b for b in config["audienceSizeBins"] if b > 100]):
        raise ValidationException(f"audienceSizeConfig.audienceSizeBins {large} exceed 100 percent")


def check_role(role_arn: str, account_id: str) -> None:
    """Raise AccessDeniedException if the role is another account's. Source: botocore on CreateTrainingDataset."""
    if role_arn.split(":")[4] != account_id:
        raise AccessDeniedException(
            f"{role_arn} is not a role of account {account_id}: pass a role of your own account"
        )


def check_seed_source(seed_audience: Mapping[str, Any]) -> None:
    """Raise ValidationException unless the seed is a file in S3.

    On AWS a seed is either `dataSource` or `sqlParameters`; the local service runs no SQL.
    """
    if ("dataSource" in seed_audience) == ("sqlParameters" in seed_audience):
        raise ValidationException("seedAudience must have either dataSource or sqlParameters, and not both")
    if "sqlParameters" in seed_audience:
        raise ValidationException(
            "seedAudience.sqlParameters: the local Clean Rooms ML does not run SQL seeds; use dataSource"
        )


def _check_tags(tags: Mapping[str, str]) -> None:
    # botocore's text on `tags`; its model allows 200.
    if len(tags) > MAXIMUM_TAGS:
        raise ValidationException(f"tags has {len(tags)} members; a resource has at most {MAXIMUM_TAGS}")
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise ValidationException(f"tags {reserved} begin with aws:, which is reserved for AWS")


def _range_violations(shape: Shape, size: float, path: str, text: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        yield f"{path} {text.format(size)}; the minimum is {minimum}"
    if maximum is not None and size > maximum:
        yield f"{path} {text.format(size)}; the maximum is {maximum}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
