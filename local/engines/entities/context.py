"""Traits that an entity gets from the words around it: negated, of a relative, hypothetical, past, future.

The ConText idea (Harkema et al., 2009): a trigger opens a scope that runs forward (or back) until the sentence ends or
another word closes it. Speech-to-text output has no punctuation, so a change of subject closes a scope as well, and a
negation reaches along a list only while the gaps between its entities are short.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from local.engines.entities.context_triggers import PAST_HISTORY, TRIGGERS, Trigger
from local.engines.entities.matcher import Span
from local.engines.entities.tokens import sentence_spans

_DONE_BEFORE = re.compile(
    r"\b(?:underwent|had(?: (?:an?|his|her|the))?|has had(?: an?)?|after|following|post)\s+(?:\w+\s+){0,2}$"
)
_EARLIER = re.compile(
    r"(?:\W+\w+){0,7}?\W+(?:ago|(?:in|last) (?:the )?(?:\d{4}|year|winter|summer|fall|spring))\b"
)  # fmt: skip
_WORD = re.compile(r"\w+(?:'\w+)?")


def add_traits(text: str, spans: list[Span]) -> None:
    """Append to each span's `traits` those that its surroundings give it. `spans` are in order and do not overlap."""
    lowered = _lower(text)
    for begin, end in sentence_spans(lowered):
        inside = [span for span in spans if begin <= span.begin < end]
        for trigger in TRIGGERS:
            if any(span.term.category in trigger.categories for span in inside):
                _apply(trigger, lowered, begin, end, inside)
        _mark_done_procedures(lowered, begin, end, inside)


def _lower(text: str) -> str:
    lowered = text.lower().replace("’", "'")
    if len(lowered) == len(text):
        return lowered
    # A few letters grow when lowered ("İ"), which would shift every offset behind them.
    return "".join(lower if len(lower := letter.lower()) == 1 else letter for letter in text)


def _apply(trigger: Trigger, text: str, begin: int, end: int, spans: list[Span]) -> None:
    for opening in trigger.opens.finditer(text, begin, end):
        before = bisect_right(spans, opening.start(), key=lambda span: span.end)
        behind = bisect_left(spans, opening.end(), key=lambda span: span.begin)
        if before < behind:
            continue  # the word belongs to an entity: "no" in "no known allergies"
        if trigger.backward:
            covered = _backward(trigger, text, opening.start(), spans, before)
        else:
            covered = _forward(trigger, text, opening.end(), spans, behind)
        for span in covered:
            if span.term.category in trigger.categories and trigger.trait not in span.traits:
                span.traits.append(trigger.trait)


def _forward(trigger: Trigger, text: str, position: int, spans: list[Span], first: int) -> Iterator[Span]:
    for index in range(first, len(spans)):
        span = spans[index]
        if not _reaches(trigger, text[position : span.begin]):
            return
        if index > first and trigger.closes.fullmatch(text, span.begin, span.end):
            return  # an entity can be a new statement: "never smoked, drinks ..."
        yield span
        position = span.end


def _backward(trigger: Trigger, text: str, position: int, spans: list[Span], last: int) -> Iterator[Span]:
    for index in range(last - 1, -1, -1):
        span = spans[index]
        gap = text[span.end : position]
        if not _reaches(trigger, gap) or (index < last - 1 and "," in gap):
            return
        yield span
        position = span.begin


def _reaches(trigger: Trigger, gap: str) -> bool:
    if trigger.closes.search(gap):
        return False
    return trigger.longest_gap is None or len(_WORD.findall(gap)) <= trigger.longest_gap


def _mark_done_procedures(text: str, begin: int, end: int, spans: list[Span]) -> None:
    for span in spans:
        if span.term.type != "PROCEDURE_NAME" or span.traits:
            continue
        if _DONE_BEFORE.search(text, begin, span.begin) or _EARLIER.match(text[span.end : end]):
            span.traits.append(PAST_HISTORY)
