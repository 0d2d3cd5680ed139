"""Shared by all finders of attributes: the attribute, and the search for modifiers right before an entity."""

import re
from dataclasses import dataclass

from local.engines.entities.matcher import Span

# Also heuristics: a pattern is as good as its wording, a relationship as good as the words between are few.
PATTERN_SCORE = 0.9
NEAREST_RELATIONSHIP = 0.95
FARTHEST_RELATIONSHIP = 0.6
_LOSS_PER_WORD = 0.03


@dataclass(frozen=True, slots=True)
class Attribute:
    """A piece of the text that describes `owner` (None: no entity that was found)."""

    begin: int
    end: int
    category: str
    type: str
    relationship: str
    owner: Span | None


def relationship_score(text: str, first: tuple[int, int], second: tuple[int, int]) -> float:
    """0.95 for neighbours, 0.03 less for each word between two (begin, end) places, 0.6 at least."""
    between = text[min(first[1], second[1]) : max(first[0], second[0])]
    return round(max(FARTHEST_RELATIONSHIP, NEAREST_RELATIONSHIP - _LOSS_PER_WORD * len(between.split())), 2)


def modifiers_before(
    text: str, begin: int, sentence_begin: int, kinds: dict[str, re.Pattern[str]], filler: re.Pattern[str]
) -> list[tuple[str, int, int]]:
    """(kind, begin, end) of the modifiers that stand right before offset `begin`, other modifiers and filler between.

    Each pattern must end in `$`: it is searched in the text before what was already taken.
    """
    found = []
    while True:
        gap = filler.search(text, sentence_begin, begin)
        position = gap.start() if gap else begin
        for kind, pattern in kinds.items():
            modifier = pattern.search(text, sentence_begin, position)
            if modifier and modifier.end() > modifier.start():
                found.append((kind, modifier.start(), modifier.end()))
                begin = modifier.start()
                break
        else:
            return found
