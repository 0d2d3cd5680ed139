"""Behaviour and surroundings: allergens, and how much and how often somebody smokes or drinks."""

import re

from local.engines.entities.attributes import Attribute
from local.engines.entities.matcher import Span
from local.engines.entities.numbers import RANGE
from local.engines.entities.vocabulary import Term

CATEGORY = "BEHAVIORAL_ENVIRONMENTAL_SOCIAL"

_ALLERGEN = Term(CATEGORY, "ALLERGIES", "", 0.85)
_ALLERGY = re.compile(
    r"\b(?:allergic to|allerg(?:y|ies) (?:to|include|includes|are|is|listed as)|allerg(?:y"
    r"|ies):)\s+(?P<items>[^.;:\n]+)",
    re.I,
)
_ITEM = re.compile(r"[A-Za-z][\w'-]*(?: [A-Za-z][\w'-]*)*")
_SEPARATOR = re.compile(r",|\band\b|\bor\b", re.I)
_ITEM_END = re.compile(
    r"\b(?:which|causes?|causing|with|she|he|they|but|no|he|takes?|has|have|is|are|who|since|because|that|gets?|as"
    r"|the patient)\b.*",
    re.I | re.S,
)
_LONGEST_ITEM_WORDS = 3

_USE = frozenset({"TOBACCO_USE", "ALCOHOL_CONSUMPTION", "REC_DRUG_USE"})
_AMOUNT = re.compile(
    rf"(?:\b(?:half an?|an?|several|a few|a couple(?: of)?)|{RANGE})[ -](?:packs?|cigarettes?|cigars?|beers?"
    rf"|(?:glass(?:es)?|bottles?|cans?|shots?|pints?|cups?)(?: of \w+)?"
    r"|drinks?|joints?|wines?)\b(?![ -]years?)",
    re.I,
)
_FREQUENCY = re.compile(
    rf"\b(?:(?:a|per|each|every) (?:day|night|week|month|weekend|year)|daily|weekly|on (?:the )?weekends|on occasion"
    rf"|occasionally|socially|rarely|(?:once|twice|{RANGE} times) (?:a|per) (?:day|week|month|year))\b",
    re.I,
)
_DURATION = re.compile(rf"(?<=\bfor )(?:the past |over )?{RANGE} (?:years?|months?)\b", re.I)
_FARTHEST = 40


def allergens(text: str) -> list[Span]:
    """An entity for each thing in a list of allergies. `tokens` is not set: these come from a pattern."""
    spans = []
    for allergy in _ALLERGY.finditer(text):
        items = _ITEM_END.sub("", allergy.group("items"))
        position = allergy.start("items")
        for part in _split(items):
            item = _ITEM.search(part[1])
            if item and len(item.group().split()) <= _LONGEST_ITEM_WORDS:
                begin = position + part[0] + item.start()
                spans.append(Span(begin, begin + len(item.group()), _ALLERGEN))
    return spans


def _split(items: str) -> list[tuple[int, str]]:
    parts = []
    begin = 0
    for separator in _SEPARATOR.finditer(items):
        parts.append((begin, items[begin : separator.start()]))
        begin = separator.end()
    return [*parts, (begin, items[begin:])]


def social_attributes(text: str, sentence: tuple[int, int], spans: list[Span]) -> list[Attribute]:
    """AMOUNT, FREQUENCY and DURATION that follow each use of tobacco, alcohol or drugs in a sentence."""
    attributes = []
    for index, use in enumerate(spans):
        if use.term.type not in _USE:
            continue
        limit = min(sentence[1], spans[index + 1].begin if index + 1 < len(spans) else sentence[1])
        for kind, pattern in (("AMOUNT", _AMOUNT), ("FREQUENCY", _FREQUENCY), ("DURATION", _DURATION)):
            found = pattern.search(text, use.end, limit)
            if found and found.start() - use.end <= _FARTHEST:
                attributes.append(Attribute(found.start(), found.end(), CATEGORY, kind, kind, use))
    return attributes
