"""Attributes of medicines: dose, strength, form, route, frequency, duration and rate."""

import re

from local.engines.entities.attributes import Attribute
from local.engines.entities.matcher import Span
from local.engines.entities.numbers import RANGE

CATEGORY = "MEDICATION"

_MASS = (
    r"(?:mgs?|milligrams?|mcg|micrograms?|ug|µg|g|gm|grams?|ml|milliliters?|cc|meq|milliequivalents?"
    r"|(?:international )?units?|iu|%|percent)"
)
_COUNT = r"(?:puffs?|sprays?|drops?|teaspoons?|tablespoons?|inhalations?|ampules?|vials?|doses?|applications?)"
_FORM = (
    r"(?:tablets?|tabs?|capsules?|caps|pills?|inhaler|cream|ointment|gel|lotion|patch(?:es)?|injections?|syrup"
    r"|suspension|solution|suppositor(?:y|ies)|lozenges?|nasal spray|eye ?drops|ear drops|powder|elixir|infusion|pen"
    r"|shots?|foam)"
)
_PERIOD = r"(?:hours?|hrs?|days?|weeks?|months?|years?)"
_DAYTIME = r"(?:day|morning|afternoon|evening|night|bedtime|week|month|meal|other day|weekend)"
_MEALS = r"(?:meals?|food|breakfast|lunch|dinner|supper|bed|bedtime)"
_TIMES = rf"(?:once|twice|thrice|{RANGE} (?:times?|x))"

_PATTERNS = [
    ("RATE", rf"{RANGE}\s?{_MASS}(?:/kg)?(?:\s?/\s?|\s(?:per|an)\s)(?:hr|h|hour|min|minute)\b"),
    ("STRENGTH", rf"{RANGE}[ -]?{_MASS}(?= {_FORM}\b)"),
    ("DOSAGE", rf"{RANGE}[ -]?(?:{_MASS}(?:/kg)?|{_COUNT})(?![\w/])"),
    ("DOSAGE", rf"(?:{RANGE}|\ban?)(?= (?!inhaler){_FORM}\b)"),
    (
        "FREQUENCY",
        rf"\b(?:{_TIMES}(?:[ -](?:daily|nightly|weekly|monthly|(?:an?|per|each|every) {_DAYTIME}))"
        rf"|every (?:(?:{RANGE}|few) {_PERIOD}|{_DAYTIME}(?: and {_DAYTIME})?)"
        rf"|(?:before|after|with|between) (?:each |every )?{_MEALS}|at (?:bedtime|night|breakfast|dinner|lunch)"
        r"|in the (?:morning|evening|afternoon)|(?:daily|nightly|weekly|monthly)|as (?:needed|directed)|when needed"
        r"|prn|p\.r\.n\.?|b\.?i\.?d\b\.?|t\.?i\.?d\b\.?|q\.?i\.?d\b\.?|[btq] i d|q\.?d\b\.?|qhs|q\.?h\.?s\.?|qam|qpm"
        r"|qod|q\.? ?\d+(?:-\d+)? ?(?:h(?:ours?|rs?)?)\b|on weekends|once(?= and\b|[,.;]|$)|around the clock)(?!\w)",
    ),
    (
        "ROUTE_OR_MODE",
        r"\b(?:by mouth|orally|oral|p\.o\.|po|p o|intravenous(?:ly)?|i\.?v\.?(?! drug)|i v|intramuscular(?:ly)?"
        r"|i\.m\.|im|subcutaneous(?:ly)?|sub ?q|subq|sc|under the (?:skin|tongue)|sublingual(?:ly)?|topical(?:ly)?"
        r"|inhaled|intranasal(?:ly)?|rectal(?:ly)?|vaginally|transdermal(?:ly)?"
        r"|(?:by|via|through) (?:a )?(?:nebulizer|injection|inhalation|feeding tube|iv)|in each nostril"
        r"|in (?:the|both|each|his|her) (?:right |left )?(?:eyes?|ears?))(?!\w)",
    ),
    ("FORM", rf"\b{_FORM}\b"),
    (
        "DURATION",
        rf"(?<=\bfor )(?:a total of |another |the next )?(?:{RANGE}|an?|several|a few)"
        rf"(?: more)?[ -]{_PERIOD}\b(?! old)",
    ),
]
_COMPILED = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS]
_REPORTED_ALONE = frozenset({"DOSAGE", "STRENGTH"})
_UNIT = re.compile(rf"(?:mgs?|milligrams?|mcg|micrograms?|\bunits?|\b{_COUNT})\b", re.IGNORECASE)
_MAY_PRECEDE = frozenset({"DOSAGE", "STRENGTH", "ROUTE_OR_MODE", "RATE", "FORM"})
_OF = re.compile(r"(?:\s+\w+)?\s+of\s+(?:\w+\s+)?", re.IGNORECASE)
_NEXT_ITEM = re.compile(r"\band\b|[,;]", re.IGNORECASE)
_FARTHEST_WORDS = 8


def medication_attributes(text: str, sentence: tuple[int, int], spans: list[Span]) -> list[Attribute]:
    """Attributes in one sentence; those of no medicine have no owner. `spans` are the sentence's entities in order.

    An attribute belongs to the medicine before it, unless it opens the next item ("and 40 mg of furosemide").
    """
    medicines = [span for span in spans if span.term.category == CATEGORY]
    if not medicines and not _UNIT.search(text, *sentence):
        return []
    taken = [(span.begin, span.end) for span in spans]
    places: list[tuple[str, int, int]] = []
    for kind, pattern in _COMPILED:
        if not medicines and kind not in _REPORTED_ALONE:
            continue
        for found in pattern.finditer(text, *sentence):
            begin, end = found.span()
            if any(begin < other_end and other_begin < end for other_begin, other_end in taken):
                continue
            taken.append((begin, end))
            places.append((kind, begin, end))
    attributes: list[Attribute] = []
    last_end: dict[int, int] = {id(medicine): medicine.end for medicine in medicines}
    for kind, begin, end in sorted(places, key=lambda place: place[1]):
        owner = _owner(text, kind, begin, end, medicines, spans, last_end)
        if owner:
            last_end[id(owner)] = max(end, last_end[id(owner)])
        attributes.append(Attribute(begin, end, CATEGORY, kind, kind, owner))
    return attributes


def _owner(
    text: str, kind: str, begin: int, end: int, medicines: list[Span], spans: list[Span], last_end: dict[int, int]
) -> Span | None:
    following = next((medicine for medicine in medicines if medicine.begin >= end), None)
    preceding = next((medicine for medicine in reversed(medicines) if medicine.end <= begin), None)
    between = text[last_end[id(preceding)] : begin] if preceding else ""
    if following and kind in _MAY_PRECEDE:
        gap = text[end : following.begin]
        if _OF.fullmatch(gap) or (gap.isspace() and (preceding is None or _NEXT_ITEM.search(between))):
            return following
    if preceding is None:
        return None
    if kind == "DURATION":
        # "amoxicillin 500 mg for ten days", but not the ten days of a complaint named since.
        last = max(span.end for span in spans if span.end <= begin)
        return preceding if last_end[id(preceding)] >= last else None
    return preceding if len(between.split()) <= _FARTHEST_WORDS else None


def is_unmapped(text: str, attribute: Attribute) -> bool:
    """Whether an attribute without a medicine is still worth reporting: an amount in a unit of medication."""
    place = text[attribute.begin : attribute.end]
    return attribute.type in _REPORTED_ALONE and _UNIT.search(place) is not None
