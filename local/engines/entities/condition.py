"""Attributes of conditions and body sites: course, quality, side, and the site of a complaint."""

import re
from itertools import pairwise

from local.engines.entities.attributes import Attribute, modifiers_before
from local.engines.entities.matcher import ANATOMY, MEDICAL_CONDITION, Span
from local.engines.entities.numbers import NUMBER

_ACUITY = (
    r"(?:acute(?:ly)?(?: on chronic)?|chronic(?:ally)?|subacute|sudden(?:ly)?(?: onset)?|new(?:ly)?[ -]onset"
    r"|gradual(?:ly)?(?: onset)?|persistent|intermittent|recurrent|ongoing|long[ -]?standing|constant|occasional"
    r"|episodic|paroxysmal|progressive)"
)
_QUALITY = (
    r"(?:severe|mild|moderate|minimal|significant|massive|worsening|worsened|improving|sharp|dull|throbbing|stabbing"
    r"|crushing|aching|burning|squeezing|terrible|bad|awful|intense|excruciating|slight|small|large|tiny|trace"
    r"|diffuse|focal|advanced|early|end[ -]stage|metastatic|benign|malignant|uncontrolled|well[ -]controlled"
    r"|poorly[ -]controlled"
    rf"|controlled|uncomplicated|complicated|unstable|stable|severely|mildly|(?:stage|grade|class|type) (?:{NUMBER}"
    rf"|i{{1,3}}|iv|v)[ab]?)"
)
_DIRECTION = (
    r"(?:left|right|bilateral|upper|lower|medial|lateral|anterior|posterior|proximal|distal|dorsal|ventral|inner"
    r"|outer|both|left-sided|right-sided)"
)
_BEFORE_CONDITION = {
    "DIRECTION": re.compile(rf"\b{_DIRECTION}\s*$", re.I),
    "ACUITY": re.compile(rf"\b{_ACUITY}\s*$", re.I),
    "QUALITY": re.compile(rf"\b{_QUALITY}\s*$", re.I),
}
_BEFORE_SITE = {"DIRECTION": re.compile(rf"\b{_DIRECTION}\s*$", re.I)}
_FILLER = re.compile(r"(?<=\w)(?:\s+(?:of|and|,)|,)?\s*$", re.I)
_AFTER_CONDITION = re.compile(
    rf"(?:,|\s+(?:is|are|has been|was|remains|currently|now|very|fairly))*\s+(?P<quality>(?:well|poorly|not well|not"
    rf"|under good)[ -](?:controlled|control)|controlled|uncontrolled|stage {NUMBER}|grade {NUMBER})\b",
    re.I,
)
_ON_SITE = re.compile(
    r"\s+(?:in|of|on|at|around|over|behind|under|across|near|from|to|involving|and \w+ in)\s+(?:\w+'s\s+)?"
    rf"(?:(?:the|his|her|my|their|your|a|an|both|whole|entire|base of the|{_DIRECTION})\s+)*",
    re.I,
)
_FELT_AT_SITE = re.compile(
    r"\s+(?:(?:is|are|was|were|has been|have been|feels?|felt|gets?|got|really|very|so|a bit|always|just|still"
    r"|started to|keeps?)\s+)*",
    re.I,
)
_COMPLAINT_VERBS = re.compile(
    r"(?:sore|hurt(?:s|ing)?|pain(?:ful)?|ach(?:e|es|ing|y)|swell(?:s|ing|ed)?|swollen|tingl(?:e|es|ing)|numb"
    r"|burn(?:s|ing)?|itch(?:y|es|ing)?|weak|stiff|tender|bleeding|cramp(?:s|ing)?)",
    re.I,
)


def condition_attributes(text: str, sentence: tuple[int, int], spans: list[Span]) -> list[Attribute]:
    """ACUITY, QUALITY, DIRECTION and SYSTEM_ORGAN_SITE of the conditions, and DIRECTION of the sites, of a sentence."""
    attributes = []
    for span in spans:
        if span.term.category == MEDICAL_CONDITION:
            attributes += _modifiers(text, sentence[0], span, spans, _BEFORE_CONDITION)
            after = _AFTER_CONDITION.match(text, span.end, sentence[1])
            if after:
                attributes.append(_attribute("QUALITY", *after.span("quality"), span))
        elif span.term.category == ANATOMY:
            attributes += _modifiers(text, sentence[0], span, spans, _BEFORE_SITE)
    return attributes + _sites(text, spans)


def _modifiers(
    text: str, sentence_begin: int, span: Span, spans: list[Span], kinds: dict[str, re.Pattern[str]]
) -> list[Attribute]:
    begin = max([sentence_begin] + [other.end for other in spans if other.end <= span.begin])
    return [
        _attribute(kind, first, first + len(text[first:last].rstrip()), span)
        for kind, first, last in modifiers_before(text, span.begin, begin, kinds, _FILLER)
    ]


def _sites(text: str, spans: list[Span]) -> list[Attribute]:
    attributes = []
    for span, following in pairwise(spans):
        gap = text[span.end : following.begin]
        categories = (span.term.category, following.term.category)
        if categories == (MEDICAL_CONDITION, ANATOMY) and _ON_SITE.fullmatch(gap):
            attributes.append(_attribute("SYSTEM_ORGAN_SITE", following.begin, following.end, span))
        elif (
            categories == (ANATOMY, MEDICAL_CONDITION)
            and _FELT_AT_SITE.fullmatch(gap)
            and _COMPLAINT_VERBS.fullmatch(text, following.begin, following.end)
        ):
            attributes.append(_attribute("SYSTEM_ORGAN_SITE", span.begin, span.end, following))
    return attributes


def _attribute(kind: str, begin: int, end: int, owner: Span) -> Attribute:
    category = ANATOMY if kind in ("SYSTEM_ORGAN_SITE", "DIRECTION") else MEDICAL_CONDITION
    return Attribute(begin, end, category, kind, kind, owner)
