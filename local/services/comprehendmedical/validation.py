"""Check a request against botocore's model of the service: what boto3 leaves to the service, which is all but types."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape
from moto.core.utils import get_service_model

from local.services.comprehendmedical.errors import InvalidRequestException, ValidationException

# The API's patterns use Unicode properties, which `re` does not know. Letters and numbers are what \w is but for "_",
# which all these patterns allow as well; separators are white space but for the control characters.
_UNICODE_PROPERTIES = (
    (r"\p{L}", r"\w"),
    (r"\p{N}", ""),
    (r"\p{Z}", "\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"),
)


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise the operation's documented error with everything in which `request` departs from the model of its input."""
    model = get_service_model("comprehendmedical").operation_model(operation)
    found = list(violations(model.input_shape, request))
    if found:
        # Of these operations only the list has ValidationException among its errors.
        error = ValidationException if operation.startswith("List") else InvalidRequestException
        raise error("; ".join(found))


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Say where `value`, found at `path`, breaks a constraint of `shape`: required, enum, pattern, minimum, maximum."""
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"{path}{name} is required"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from violations(member, value[name], f"{path}{name}.")
        return
    name = path.removesuffix(".")
    if isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from violations(shape.member, item, f"{name}[{index}].")
    elif isinstance(shape, StringShape):
        yield from _range_violations(shape, len(value), f"{name} is {len(value)} characters long")
        if shape.enum and value not in shape.enum:
            yield f"{name} is {value!r}; allowed: {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"{name} is {value!r}, which does not match {pattern}"
    elif shape.type_name == "integer":
        yield from _range_violations(shape, value, f"{name} is {value}")


def _range_violations(shape: Shape, size: int, text: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        yield f"{text}; the minimum is {minimum}"
    if maximum is not None and size > maximum:
        yield f"{text}; the maximum is {maximum}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for unicode_property, equivalent in _UNICODE_PROPERTIES:
        pattern = pattern.replace(unicode_property, equivalent)
    return re.compile(pattern)
