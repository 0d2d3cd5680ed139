"""A value of cdk.json that may be given in several locations: the first one counts, and objects merge key by key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

# In an object whose keys are names, the key of the defaults for all of them.
EVERY = "*"


@dataclass(frozen=True)
class Layers:
    """The values of one key of an environment, with their locations, which error messages name.

    Objects merge. Any other value, also a list or null, is taken from the first location and hides the others.

    Attributes:
        path: the key's path in the environment, even if its value is given elsewhere.
        written: location and value, the first one counts.
    """

    path: str
    written: tuple[tuple[str, Any], ...]

    @property
    def is_object(self) -> bool:
        return bool(self._objects)

    @property
    def value(self) -> Any:
        """The merged JSON value."""
        return {key: self[key].value for key in self} if self.is_object else self.written[0][1]

    @property
    def source(self) -> str:
        """The locations of the value, in words; empty if `path` is its only one."""
        locations = [location for location, _ in (self._objects or self.written[:1])]
        others = ", ".join(location for location in locations if location != self.path)
        if not others:
            return ""
        return f"merged with {others}" if self.path in locations else f"from {others}"

    def __str__(self) -> str:
        return f"{self.path} ({self.source})" if self.source else self.path

    def __iter__(self) -> Iterator[str]:
        """The keys of the merged object: the defaults' first, then those that an environment adds."""
        return iter(dict.fromkeys(key for _, value in reversed(self._objects) for key in value))

    def __getitem__(self, key: str) -> "Layers":
        """The values of a key of the object; none if there is no such key."""
        found = ((f"{location}.{key}", value[key]) for location, value in self._objects if key in value)
        return Layers(f"{self.path}.{key}", tuple(found))

    def items(self) -> list["Layers"]:
        """The items of the list."""
        location, value = self.written[0]
        return [Layers(f"{self.path}[{at}]", ((f"{location}[{at}]", item),)) for at, item in enumerate(value)]

    def named(self) -> dict[str, "Layers"]:
        """The members of an object whose keys are names, each merged with `*`; a member that is null is left out."""
        every = self[EVERY].written
        one = {name: self[name] for name in self if name != EVERY}
        return {
            name: replace(found, written=found.written + every)
            for name, found in one.items()
            if found.written[0][1] is not None
        }

    def at(self, sentence: str) -> "Layers":
        """The values of the deepest key whose relative path begins the sentence."""
        key = next((key for key in self if re.match(rf"{re.escape(key)}\b", sentence)), None)
        return self if key is None else self[key].at(sentence[len(key) + 1 :])

    @property
    def _objects(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        return tuple(takewhile(lambda layer: isinstance(layer[1], dict), self.written))
