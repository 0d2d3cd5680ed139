"""A value of cdk.json that may be written in several places, the first of which counts; objects merge key by key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

# Beside the names of an object whose keys are names: what all that are named have.
EVERY = "*"


@dataclass(frozen=True)
class Layers:
    """What is written for one key of an environment, which knows where, so that an error can say it.

    Objects that lie over each other merge. Anything else is taken whole from the first place and hides what is below:
    a list too, and null, which is a value like any other.

    Attributes:
        path: the key, as that of the environment, whether or not it is written there.
        written: each place where it is written, and what is written there.
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
        """Where it is written, in words; empty if where `path` says."""
        places = [place for place, _ in (self._objects or self.written[:1])]
        others = ", ".join(place for place in places if place != self.path)
        if not others:
            return ""
        return f"merged with {others}" if self.path in places else f"from {others}"

    def __str__(self) -> str:
        return f"{self.path} ({self.source})" if self.source else self.path

    def __iter__(self) -> Iterator[str]:
        """The keys of the merged object: those of the lowest first, so that what an environment adds comes last."""
        return iter(dict.fromkeys(key for _, value in reversed(self._objects) for key in value))

    def __getitem__(self, key: str) -> "Layers":
        """What is written for a key of the object; nothing, if it has no such key."""
        found = ((f"{place}.{key}", value[key]) for place, value in self._objects if key in value)
        return Layers(f"{self.path}.{key}", tuple(found))

    def items(self) -> list["Layers"]:
        """The items of the list."""
        place, value = self.written[0]
        return [Layers(f"{self.path}[{at}]", ((f"{place}[{at}]", item),)) for at, item in enumerate(value)]

    def named(self) -> dict[str, "Layers"]:
        """Of an object whose keys are names, each over what `*` has for all; one that is null is left out."""
        every = self[EVERY].written
        one = {name: self[name] for name in self if name != EVERY}
        return {
            name: replace(found, written=found.written + every)
            for name, found in one.items()
            if found.written[0][1] is not None
        }

    def at(self, sentence: str) -> "Layers":
        """What is written for the key whose path, from here on, a sentence begins with, as deep as there is one."""
        key = next((key for key in self if re.match(rf"{re.escape(key)}\b", sentence)), None)
        return self if key is None else self[key].at(sentence[len(key) + 1 :])

    @property
    def _objects(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        return tuple(takewhile(lambda layer: isinstance(layer[1], dict), self.written))
