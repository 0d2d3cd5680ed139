"""Which calls are worth a switch: those on a place that several actors touch, and one of them writes.

Nobody lists those places. They are learnt while schedules run, so that a store that is changed, or another one, is
explored as this one is. What two executions have alike is one form: `claims/#` stands for every claim.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.simulation import tables

_NAMES = re.compile(
    r"[0-9a-f]{32}(-[0-9a-f]{8})?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?:[EN]|cm)\d+\b|\bdrop-[0-9a-f]+"
)
_WRITING = ("Put", "Start", "Delete", "Create", "Stop")


class Touch(NamedTuple):
    """What a call touches; of a listing, the beginning of that."""

    place: str
    writes: bool


class Call(NamedTuple):
    actor: str
    step: str
    service: str
    operation: str
    touches: tuple[Touch, ...]

    @property
    def writes(self) -> bool:
        return any(touch.writes for touch in self.touches)

    @property
    def lists(self) -> bool:
        return self.operation.startswith(("List", "Query", "Scan")) or self.operation == "DeleteObjects"

    @property
    def places(self) -> str:
        return " ".join(touch.place for touch in self.touches)

    def __str__(self) -> str:
        return f"{self.actor} {self.step}: {self.operation} {self.places}"


def touches_of(service: str, operation: str, parameters: Mapping[str, Any]) -> tuple[Touch, ...]:
    """Each place that a call touches, from whichever of its parameters name something."""
    if service == "dynamodb":
        items = tables.touches(operation, parameters)
        return tuple(Touch(f"dynamodb/{key}", writes) for key, writes in items)
    itself = Touch(_place_of(service, parameters), operation.startswith(_WRITING))
    if operation == "StartMedicalTranscriptionJob":
        # The service reads the recording.
        return itself, Touch(parameters["Media"]["MediaFileUri"].removeprefix("s3://"), writes=False)
    return (itself,)


def _place_of(service: str, parameters: Mapping[str, Any]) -> str:
    if service == "s3":
        return f"{parameters['Bucket']}/{parameters.get('Key', parameters.get('Prefix', ''))}"
    named = ("name", "MedicalTranscriptionJobName", "audienceGenerationJobArn", "JobId", "executionArn")
    found = next((str(parameters[name]) for name in named if name in parameters), "")
    return f"{service}/{re.split('[:/]', found)[-1]}"


class Sharing:
    def __init__(self) -> None:
        self.forms: set[str] = set()
        self._learns = False
        self._touched: dict[str, dict[str, bool]] = {}
        self._listed: dict[str, set[str]] = {}

    def begin(self) -> None:
        """From now on several may be at work at the same time."""
        self._learns = True
        self._touched = defaultdict(dict)
        self._listed = defaultdict(set)

    def end(self) -> None:
        self._learns = False

    def is_shared(self, call: Call) -> bool:
        return any(form_of(touch.place) in self.forms for touch in call.touches)

    def touch(self, actor: str, place: str, *, writes: bool = False, lists: bool = False) -> None:
        if not self._learns:
            return
        if lists:
            self._listed[place].add(actor)
            met = [there for there in self._touched if there.startswith(place) and self._meets(actor, there, writes)]
        else:
            met = [place] if self._meets(actor, place, writes) else []
            self._touched[place][actor] = writes or self._touched[place].get(actor, False)
            if writes:
                met += [begin for begin, by in self._listed.items() if place.startswith(begin) and by - {actor}]
        if met:
            self.forms |= {form_of(place), *map(form_of, met)}

    def _meets(self, actor: str, place: str, writes: bool) -> bool:
        return any(other != actor and (writes or wrote) for other, wrote in self._touched[place].items())


@cache
def form_of(place: str) -> str:
    return _NAMES.sub("#", place)
