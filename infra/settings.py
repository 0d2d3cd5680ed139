"""Reads JSON into typed, frozen objects. An error names the key's path, its value and the allowed values."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from infra.layers import EVERY, Layers

T = TypeVar("T")

# The types of `int | None` and of `Annotated[int, ...] | None`.
_OPTIONAL = (UnionType, Union)
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class ConfigurationError(ValueError):
    """A mistake in the configuration; the message says what is wrong and how to correct it."""


@dataclass(frozen=True)
class Rule:
    """A restriction on a value, attached to a field's type with `Annotated`; `allowed` continues "a number …"."""

    admits: Callable[[Any], bool]
    allowed: str


def between(low: float, high: float) -> Rule:
    return Rule(lambda value: low <= value <= high, f"from {low} to {high}")


def one_of(*values: object) -> Rule:
    return Rule(lambda value: value in values, "that is one of " + ", ".join(str(value) for value in values))


def matching(pattern: str, allowed: str) -> Rule:
    return Rule(lambda value: re.fullmatch(pattern, value) is not None, allowed)


def read_object(kind: type[T], layers: Layers, **given: object) -> T:
    """Make the dataclass `kind` from a JSON object with exactly its fields and their types.

    Objects become dataclasses, lists become tuples, and a `dict[str, Any]` stays as it is. A tuple of dataclasses that
    have a `name` is an object in JSON, with the names as keys. Fields in `given` are set without a key in the object.

    Raises:
        ConfigurationError: a key is missing or unknown, or a value has the wrong type or is not allowed.
    """
    if not layers.is_object:
        raise _rejected(layers, "an object")
    types = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind) if field.name not in given]  # type: ignore[arg-type]
    for key in layers:
        if key not in names:
            raise ConfigurationError(f"{layers[key]} is not a known key; allowed here: {', '.join(names)}.")
    for name in names:
        if name not in layers:
            raise ConfigurationError(f"{layers[name]} is missing; it must be {_describe(types[name])}.")
    return kind(**given, **{name: _read(types[name], layers[name]) for name in names})


def _read(kind: Any, layers: Layers, allowed: str = "") -> Any:
    allowed = allowed or _describe(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    value = layers.value
    if is_dataclass(kind):
        return read_object(kind, layers)  # type: ignore[arg-type]
    if origin in _OPTIONAL:
        return None if value is None else _read(_not_none(arguments), layers, allowed)
    if origin is Annotated:
        result = _read(arguments[0], layers, allowed)
        if not all(rule.admits(result) for rule in arguments[1:]):
            raise _rejected(layers, allowed)
        return result
    if _is_by_name(kind):
        return _read_by_name(arguments[0], layers, allowed)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(arguments[0], item) for item in layers.items())
    if origin is dict and isinstance(value, dict):
        return value
    # JSON has one type of number; Python's bool is an int.
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _rejected(layers, allowed)
    return value


def _is_by_name(kind: Any) -> bool:
    """Whether the type is a tuple of dataclasses that have a `name`, which merge by name, unlike a list's items."""
    item = next(iter(get_args(kind)), None)
    return get_origin(kind) is tuple and is_dataclass(item) and "name" in {field.name for field in fields(item)}


def _read_by_name(kind: Any, layers: Layers, allowed: str) -> tuple[Any, ...]:
    if not layers.is_object:
        raise _rejected(layers, allowed)
    if EVERY in layers and not layers[EVERY].is_object:
        raise _rejected(layers[EVERY], "an object")
    for name in layers:
        if all(value is None for _, value in layers[name].written):
            raise ConfigurationError(f"{layers[name]} is null, but there is nothing of that name to leave out.")
    name_type = get_type_hints(kind, include_extras=True)["name"]
    found = []
    for name, item in layers.named().items():
        where = f"the name of {layers[name]}"
        found.append(read_object(kind, item, name=_read(name_type, Layers(where, ((where, name),)))))
    return tuple(found)


def _rejected(layers: Layers, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"{layers} is {json.dumps(layers.value)}, but must be {allowed}.")


def _describe(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) or origin is dict:
        return "an object"
    if origin in _OPTIONAL:
        return f"{_describe(_not_none(arguments))}, or null"
    if origin is Annotated:
        return " ".join([_describe(arguments[0]), *(rule.allowed for rule in arguments[1:])])
    if origin is tuple:
        return "an object with names as keys" if _is_by_name(kind) else "a list"
    return _WORDS[kind]


def _not_none(arguments: tuple[Any, ...]) -> Any:
    (kind,) = (argument for argument in arguments if argument is not NoneType)
    return kind
