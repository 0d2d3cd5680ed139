"""The marks of findings in the text. Overlapping findings share a mark, since a reader can point at only one thing."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from lambdas.shared.entity_record import Attribute, EntityRecord


class Place(NamedTuple):
    """The part `[begin, end)` of the text that shows finding `number`, or (`is_attribute`) one of its attributes."""

    begin: int
    end: int
    number: int
    is_attribute: bool


class Mark(NamedTuple):
    """A part `[begin, end)` of the text with one place or several overlapping ones, sorted by priority."""

    begin: int
    end: int
    places: Sequence[Place]

    @property
    def numbers(self) -> list[int]:
        return list(dict.fromkeys(place.number for place in self.places))


def places_of(records: Sequence[EntityRecord], length: int) -> Iterator[Place]:
    """The places of the records and their attributes, clipped to a text of `length` characters."""
    for number, record in enumerate(records):
        parts: Sequence[EntityRecord | Attribute] = (record, *record.attributes)
        for found in parts:
            begin, end = found.begin_offset, found.end_offset
            if begin is None or end is None:
                continue
            begin, end = max(begin, 0), min(end, length)
            if begin < end:
                yield Place(begin, end, number, found is not record)


def marks_of(places: Iterable[Place], breaks: Iterable[int]) -> list[Mark]:
    """The marks in the order of the text, cut at `breaks`, the sorted ends of the paragraphs."""
    marks: list[Mark] = []
    group: list[Place] = []
    end = 0
    for place in sorted(places):
        if group and place.begin >= end:
            marks.append(mark(group))
            group = []
        end = max(end, place.end) if group else place.end
        group.append(place)
    if group:
        marks.append(mark(group))
    return list(cut(marks, breaks))


def mark(places: Iterable[Place]) -> Mark:
    # An entity precedes an attribute of another entity, a longer place a shorter one, an earlier place a later one.
    ranked = sorted(places, key=lambda place: (place.is_attribute, place.begin - place.end, place.begin))
    return Mark(min(place.begin for place in ranked), max(place.end for place in ranked), ranked)


def cut(marks: Iterable[Mark], breaks: Iterable[int]) -> Iterator[Mark]:
    following = iter(breaks)
    end = next(following, None)
    for whole in marks:
        while end is not None and end <= whole.begin:
            end = next(following, None)
        edges = [whole.begin]
        while end is not None and end < whole.end:
            edges.append(end)
            end = next(following, None)
        for begin, stop in pairwise([*edges, whole.end]):
            inside = [place for place in whole.places if place.begin < stop and place.end > begin]
            yield Mark(begin, stop, inside)
