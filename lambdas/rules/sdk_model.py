"""Check a request against the SDK's model of the service: names, types, lengths, ranges, patterns.

Before it sends a request, the SDK itself checks only unknown names, types, required members and minima.
Source of the model's traits: https://smithy.io/2.0/spec/constraint-traits.html
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from lambdas.rules.java_pattern import matches
from lambdas.shared.sdk_data import loader

LONGEST_SHOWN = 80
MOST_NAMED = 20

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
    "list": "a list",
    "map": "an object",
    "structure": "an object",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "list": (list, tuple),
    "map": (Mapping,),
    "structure": (Mapping,),
}
_NUMBERS = ("integer", "long", "float", "double")


@cache
def input_shape(service: str, operation: str) -> StructureShape:
    """The SDK's model of the request of `operation`, e.g. "StartAudienceGenerationJob" of "cleanroomsml".

    Raises:
        botocore.exceptions.UnknownServiceError: the SDK has no such service.
        botocore.model.OperationNotFoundError: the service has no such operation.
    """
    model = ServiceModel(loader.load_service_model(service, "service-2"), service)
    shape = model.operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    return shape


def broken_constraints(
    shape: StructureShape,
    request: Any,
    *,
    operation: str,
    complete: bool = True,
    undisclosed: Collection[str] = (),
    only: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[str]:
    """One sentence per constraint of `shape` that `request`, any JSON value, breaks.

    A sentence names the parameter's path (`Settings.MaxSpeakerLabels`, `Tags[3].Key`), its value and the rule. A null
    member counts as absent. Lengths are in characters (code points) or in items.

    Args:
        operation: the request's operation, for the sentences.
        complete: whether top-level required members must be present; nested ones always must.
        undisclosed: paths whose values, and all values below, no sentence may show; without positions of lists, e.g.
            "Media.MediaFileUri" or "Tags.Key". Values that the model marks as sensitive are never shown.
        only: the documented values for a path whose enumeration in the model has more.
    """
    walk = _Walk(operation, complete, undisclosed, only)
    return list(walk.value(shape, request, _Place()))


def without(members: Collection[str], request: Any, *, operation: str) -> tuple[Any, list[str]]:
    """`request` without the `members` that the pipeline sets itself, and one sentence per such member in `request`."""
    if not isinstance(request, Mapping):
        return request, []
    refused = [
        f"{name} is set by the pipeline itself; leave it out of {operation}."
        for name in given(request)
        if name in members
    ]
    return {name: value for name, value in request.items() if name not in members}, refused


def shown(value: Any) -> str:
    """`value` as JSON, cut if it is long; only the kind of a list or an object."""
    if isinstance(value, (Mapping, list, tuple)):
        return kind_of(value)
    # ASCII, because a lone surrogate, which JSON can have, could not be logged.
    text = json.dumps(value, default=str)
    return text if len(text) <= LONGEST_SHOWN else f'{text[:LONGEST_SHOWN]}..."'


def kind_of(value: Any) -> str:
    """The name of the value's JSON type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text" if isinstance(value, str) else "no JSON value"


def given(value: Any) -> dict[str, Any]:
    """The non-null members of an object; empty for any other value."""
    if not isinstance(value, Mapping):
        return {}
    return {name: member for name, member in value.items() if member is not None}


class _Place(NamedTuple):
    """A place in a request: `path` for sentences, `names` without the positions of lists."""

    path: str = ""
    names: tuple[str, ...] = ()
    sensitive: bool = False

    def member(self, name: str, shape: Shape) -> "_Place":
        path = f"{self.path}.{name}" if self.path else name
        return _Place(path, (*self.names, name), self.hides(shape))

    def item(self, position: int, shape: Shape) -> "_Place":
        return _Place(f"{self.path}[{position}]", self.names, self.hides(shape))

    def pair(self, position: int, side: str, shape: Shape) -> "_Place":
        # A pair is named by its position, because a map's keys may be confidential.
        return _Place(f"{self.path} ({side} {position + 1})", self.names, self.hides(shape))

    def hides(self, shape: Shape) -> bool:
        return self.sensitive or bool(shape.metadata.get("sensitive"))


class _Walk(NamedTuple):
    operation: str
    complete: bool
    undisclosed: Collection[str]
    only: Mapping[str, Collection[str]]

    def value(self, shape: Shape, value: Any, place: _Place) -> Iterator[str]:
        if not _has_type(shape.type_name, value):
            yield self.sentence(place, value, _KINDS.get(shape.type_name, f"a {shape.type_name}"))
        elif isinstance(shape, StructureShape):
            yield from self.structure(shape, value, place)
        elif isinstance(shape, ListShape):
            yield from self.size(shape, value, place, "items")
            for position, item in enumerate(value):
                yield from self.value(shape.member, item, place.item(position, shape.member))
        elif isinstance(shape, MapShape):
            pairs = given(value)
            yield from self.size(shape, pairs, place, "pairs")
            for position, (key, item) in enumerate(pairs.items()):
                yield from self.value(shape.key, key, place.pair(position, "key", shape.key))
                yield from self.value(shape.value, item, place.pair(position, "value", shape.value))
        elif isinstance(shape, StringShape):
            yield from self.text(shape, value, place)
        elif shape.type_name in _NUMBERS:
            bounds = shape.metadata
            if not bounds.get("min", value) <= value <= bounds.get("max", value):
                yield self.sentence(place, value, _range(bounds))

    def structure(self, shape: StructureShape, value: Any, place: _Place) -> Iterator[str]:
        members = given(value)
        for name in members:
            if name not in shape.members:
                known = ", ".join(shape.members)
                path = place.member(_cut(json.dumps(str(name))[1:-1]), shape).path
                yield f"{path} is no parameter of {self.operation}; known here: {known}."
        if self.complete or place.names:
            for name in shape.required_members:
                if name not in members:
                    yield f"{place.member(name, shape).path} is missing; {self.operation} needs it."
        if shape.is_tagged_union and len(members) != 1:
            path = place.path or self.operation
            known = ", ".join(shape.members)
            yield f"{path} has {len(members)} members; {self.operation} takes exactly one of {known}."
        for name, member in members.items():
            if name in shape.members:
                yield from self.value(shape.members[name], member, place.member(name, shape.members[name]))

    def text(self, shape: StringShape, value: str, place: _Place) -> Iterator[str]:
        yield from self.size(shape, value, place, "characters")
        allowed = self.only.get(".".join(place.names), shape.enum)
        if allowed and value not in allowed:
            yield self.sentence(place, value, _one_of(allowed))
        pattern = shape.metadata.get("pattern")
        # A text that is too long isn't matched, which could be slow.
        if pattern and len(value) <= shape.metadata.get("max", len(value)) and not matches(pattern, value):
            yield self.sentence(place, value, f"a text that matches {pattern}")

    def size(self, shape: Shape, value: Any, place: _Place, unit: str) -> Iterator[str]:
        bounds = shape.metadata
        if not bounds.get("min", 0) <= len(value) <= bounds.get("max", len(value)):
            is_shown = isinstance(value, str) and not self.is_undisclosed(place)
            verb = f"is {shown(value)} with" if is_shown else "has"
            yield f"{place.path} {verb} {len(value)} {unit}; {self.operation} takes {_range(bounds)}."

    def sentence(self, place: _Place, value: Any, allowed: str) -> str:
        described = shown(value)
        if self.is_undisclosed(place) and isinstance(value, (str, int, float)) and not isinstance(value, bool):
            described = f"{kind_of(value)} (not shown)"
        return f"{place.path or 'The request'} is {described}; {self.operation} takes {allowed}."

    def is_undisclosed(self, place: _Place) -> bool:
        """Whether the value at `place` is, belongs to, or may contain an undisclosed value."""
        if place.sensitive:
            return True
        return any(
            all(mine == theirs for mine, theirs in zip(place.names, path.split("."), strict=False))
            for path in self.undisclosed
        )


def _has_type(type_name: str, value: Any) -> bool:
    # True and False are numbers in Python, but not in JSON.
    if type_name in _NUMBERS and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES.get(type_name, (object,)))


def _range(bounds: Mapping[str, Any]) -> str:
    if "max" not in bounds:
        return f"{bounds['min']} or more"
    return f"{bounds['min']} to {bounds['max']}" if "min" in bounds else f"up to {bounds['max']}"


def _one_of(values: Collection[str]) -> str:
    named = [f'"{value}"' for value in values][:MOST_NAMED]
    if len(values) > MOST_NAMED:
        return f"one of {len(values)} values, {', '.join(named)} and so on"
    return _joined(named)


def _joined(items: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *first, last = items
    return f"{', '.join(first)} or {last}" if first else last


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
