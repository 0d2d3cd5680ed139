"""Checks a value against botocore's model of a service.

boto3 checks types, required members and minima before it sends a request. The service checks patterns, enums and
maxima; here they come from botocore's model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from moto.core.utils import get_service_model

_NUMBERS = ("integer", "long", "double", "float")

# Some patterns write characters beyond U+FFFF as their two UTF-16 halves, of which Python's strings have none.
_SURROGATES = r"\uD800\uDBFF-\uDC00\uDFFF"

# In the model's patterns these match ASCII only, in Python's any script. All of them are within brackets.
_ASCII_CLASSES = ((r"\d", "0-9"), (r"\w", "0-9A-Za-z_"))

# Some patterns use Unicode properties, which `re` lacks. Letters and numbers are \w without "_", which all these
# patterns allow as well; separators are white space without the control characters.
_UNICODE_PROPERTIES = (
    (r"\p{L}", r"\w"),
    (r"\p{N}", ""),
    (r"\p{Z}", "\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"),
)


class Step(NamedTuple):
    """Into a member of a structure, an item of a list (`name` is its index), or a key or value of a map."""

    into: Literal["member", "item", "key", "value"]
    name: Any


@dataclass(frozen=True)
class Violation:
    """A `value`, found at `path`, that breaks a constraint of its shape; None where one is required.

    `limit` is the minimum, maximum, pattern or list of allowed values; a union has exactly one member. `str()` gives a
    sentence.
    """

    path: tuple[Step, ...]
    value: Any
    constraint: Literal["required", "min", "max", "enum", "pattern"]
    limit: Any = None

    def __str__(self) -> str:
        notations = {"member": ".{}", "item": "[{}]", "key": " key {!r}", "value": ".{}"}
        at = "".join(notations[step.into].format(step.name) for step in self.path).removeprefix(".")
        match self.constraint:
            case "required":
                return f"{at} is required"
            case "enum":
                return f"{at} is {self.value!r}; allowed: {', '.join(self.limit)}"
            case "pattern":
                return f"{at} is {self.value!r}, which does not match {self.limit}"
            case "min":
                return f"{at} {self._measured()}; the minimum is {self.limit}"
            case "max":
                return f"{at} {self._measured()}; the maximum is {self.limit}"

    def _measured(self) -> str:
        if isinstance(self.value, str):
            return f"is {len(self.value)} characters long"
        if isinstance(self.value, list | Mapping):
            return f"has {len(self.value)} members"
        return f"is {self.value}"


def request_violations(service: str, operation: str, request: Mapping[str, Any]) -> list[Violation]:
    """All violations of botocore's model of the input of `operation`."""
    return list(violations(get_service_model(service).operation_model(operation).input_shape, request))


def violations(shape: Shape, value: Any, path: tuple[Step, ...] = ()) -> Iterator[Violation]:
    """The violations of `value`, found at `path`, and of its members; a member that is None counts as absent."""
    yield from _own_violations(shape, value, path)
    if isinstance(shape, StructureShape):
        given = {name: member for name, member in value.items() if member is not None}
        if shape.is_tagged_union and len(given) != 1:
            yield Violation(path, given, "max" if given else "min", 1)
        for name in shape.required_members:
            if value.get(name) is None:
                yield Violation((*path, Step("member", name)), None, "required")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from violations(member, value[name], (*path, Step("member", name)))
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from violations(shape.member, item, (*path, Step("item", index)))
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from violations(shape.key, key, (*path, Step("key", key)))
            yield from violations(shape.value, item, (*path, Step("value", key)))


def _own_violations(shape: Shape, value: Any, path: tuple[Step, ...]) -> Iterator[Violation]:
    limits = shape.metadata
    if shape.type_name in _NUMBERS or isinstance(shape, StringShape | ListShape | MapShape):
        size = value if shape.type_name in _NUMBERS else len(value)
        if "min" in limits and size < limits["min"]:
            yield Violation(path, value, "min", limits["min"])
        if "max" in limits and size > limits["max"]:
            yield Violation(path, value, "max", limits["max"])
    if isinstance(shape, StringShape):
        if "enum" in limits and value not in limits["enum"]:
            yield Violation(path, value, "enum", limits["enum"])
        # The model's patterns match the whole value even if they lack the closing $.
        if "pattern" in limits and not _compiled(limits["pattern"]).fullmatch(value):
            yield Violation(path, value, "pattern", limits["pattern"])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for ascii_class, members in _ASCII_CLASSES:
        pattern = pattern.replace(ascii_class, members)
    for unicode_property, equivalent in _UNICODE_PROPERTIES:
        pattern = pattern.replace(unicode_property, equivalent)
    pattern = pattern.replace(_SURROGATES, "\U00010000-\U0010ffff")
    return re.compile(pattern)
