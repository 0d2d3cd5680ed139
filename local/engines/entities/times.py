"""Time expressions tied to an entity: "for three days", "last night", "two weeks ago"."""

import re

from local.engines.entities.attributes import Attribute
from local.engines.entities.matcher import Span
from local.engines.entities.numbers import RANGE
from local.engines.entities.vocabulary import Term

CATEGORY = "TIME_EXPRESSION"

_UNIT = r"(?:minutes?|hours?|days?|nights?|weeks?|months?|years?)"
_DAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_PART = r"(?:morning|afternoon|evening|night|week|weekend|month|year|spring|summer|fall|winter|visit)"
_SPAN = rf"(?:{RANGE}|an?|several|a few|a couple(?: of)?|many)(?: more)? {_UNIT}"
_EXPRESSION = re.compile(
    rf"\b(?:(?:the )?(?P<past>(?:past|last|next|previous) (?:{RANGE}|few|several|couple(?: of)?) {_UNIT})"
    rf"|(?P<span>{_SPAN}(?: ago| earlier| later| prior)?)(?! old\b)|(?P<near>(?:last|this|next) (?:{_PART}|{_DAY}))"
    rf"|(?P<day>(?:early |late |earlier )?(?:yesterday|today|tonight|tomorrow)(?: (?:morning|afternoon|evening"
    rf"|night))?|overnight)|(?:since|on|until|by|from) (?P<weekday>{_DAY}))\b",
    re.IGNORECASE,
)
# A span alone ("three days") needs a word that makes it a time; "three times a day" and "two years old" are none.
_MAKES_TIME = re.compile(
    r"\b(?:for|over|in|within|about|around|approximately|nearly|almost|than|the|with|x|after|every few|lasting"
    r"|lasted)\s+$",
    re.I,
)
_RATE_BEFORE = re.compile(r"\b(?:every|times|once|twice|per|packs?|x|cigarettes|drinks|beers)\s+$", re.I)
_TYPES = {
    "DX_NAME": "TIME_TO_DX_NAME",
    "GENERIC_NAME": "TIME_TO_MEDICATION_NAME",
    "BRAND_NAME": "TIME_TO_MEDICATION_NAME",
    "TEST_NAME": "TIME_TO_TEST_NAME",
    "PROCEDURE_NAME": "TIME_TO_PROCEDURE_NAME",
    "TREATMENT_NAME": "TIME_TO_TREATMENT_NAME",
}
_SCORE = 0.85
_AHEAD_COSTS = 12  # characters by which an entity behind the expression must be nearer than one before it


def time_expressions(
    text: str, sentence: tuple[int, int], spans: list[Span], taken: list[tuple[int, int]]
) -> list[tuple[Span, Attribute]]:
    """(entity, its one attribute: what it is the time of) for each expression that is tied to an entity.

    `spans` are the sentence's entities, `taken` the (begin, end) of the attributes found before.
    """
    dated = [span for span in spans if span.term.type in _TYPES]
    if not dated:
        return []
    occupied = taken + [(span.begin, span.end) for span in spans]
    found = []
    for expression in _EXPRESSION.finditer(text, *sentence):
        group = expression.lastgroup or ""
        begin, end = expression.span(group)
        if group == "span" and not _is_time(text, begin, end, sentence[0]):
            continue
        if any(begin < other_end and other_begin < end for other_begin, other_end in occupied):
            continue
        owner = min(dated, key=lambda span: _distance(span, begin, end))
        time = Span(begin, end, Term(CATEGORY, _TYPES[owner.term.type], "", _SCORE))
        found.append((time, Attribute(owner.begin, owner.end, owner.term.category, owner.term.type, "OVERLAP", time)))
    return found


def _is_time(text: str, begin: int, end: int, sentence_begin: int) -> bool:
    if _RATE_BEFORE.search(text, sentence_begin, begin):
        return False
    tail = text[end : end + 4].lower()
    return bool(
        text[begin:end].lower().endswith(("ago", "earlier", "later", "prior"))
        or _MAKES_TIME.search(text, sentence_begin, begin)
        or tail.startswith(" of ")
    )


def _distance(span: Span, begin: int, end: int) -> int:
    return begin - span.end if span.end <= begin else span.begin - end + _AHEAD_COSTS
