"""Entities of a clinical text in the shape of Comprehend Medical's DetectEntitiesV2."""

from typing import Any

from local.engines.entities import ambiguity, medication
from local.engines.entities.attributes import PATTERN_SCORE, Attribute, relationship_score
from local.engines.entities.condition import condition_attributes
from local.engines.entities.context import add_traits
from local.engines.entities.matcher import Span, match
from local.engines.entities.measurement import measurement_attributes
from local.engines.entities.medication import medication_attributes
from local.engines.entities.phi import protected_health_information
from local.engines.entities.social import allergens, social_attributes
from local.engines.entities.times import time_expressions
from local.engines.entities.tokens import sentence_spans, tokenize
from local.engines.entities.vocabulary import vocabulary

MODEL_VERSION = "local-stand-in-1"
TRAIT_SCORE = 0.85


def detect(text: str) -> dict[str, Any]:
    """Entities, UnmappedAttributes and ModelVersion, as DetectEntitiesV2 answers for `text`.

    Offsets are Unicode code points of `text`, entities come in its order, ids are unique over entities and attributes.
    A score says how a thing was found (see `vocabulary`, `attributes`), it is not a probability.
    """
    spans = _entities(text)
    add_traits(text, spans)
    attributes: list[Attribute] = []
    times: list[Span] = []
    for sentence in sentence_spans(text):
        inside = [span for span in spans if sentence[0] <= span.begin < sentence[1]]
        local = [
            *medication_attributes(text, sentence, inside),
            *measurement_attributes(text, sentence[1], inside),
            *condition_attributes(text, sentence, inside),
            *social_attributes(text, sentence, inside),
        ]
        taken = [(attribute.begin, attribute.end) for attribute in local if attribute.owner]
        for time, relation in time_expressions(text, sentence, inside, taken):
            times.append(time)
            local.append(relation)
        attributes += local
    return _answer(text, sorted([*spans, *times], key=lambda span: span.begin), attributes)


def _entities(text: str) -> list[Span]:
    # Patterns see more context than the dictionary, so they win where both claim the same words.
    spans = allergens(text)
    for candidates in (
        protected_health_information(text),
        [span for span in match(tokenize(text), vocabulary()) if ambiguity.in_clinical_company(text, span)],
    ):
        spans += [
            candidate
            for candidate in candidates
            if all(candidate.end <= span.begin or span.end <= candidate.begin for span in spans)
        ]
    return sorted(spans, key=lambda span: span.begin)


def _answer(text: str, spans: list[Span], attributes: list[Attribute]) -> dict[str, Any]:
    owned: dict[int, list[Attribute]] = {}
    for attribute in sorted(attributes, key=lambda attribute: attribute.begin):
        owned.setdefault(id(attribute.owner), []).append(attribute)
    ids = {id(span): number for number, span in enumerate(spans)}
    by_place = {(span.begin, span.end): ids[id(span)] for span in spans}
    next_id = len(spans)
    entities = []
    for span in spans:
        entity: dict[str, Any] = {
            "Id": ids[id(span)],
            **_place(text, span.begin, span.end),
            "Score": span.term.score,
            "Category": span.term.category,
            "Type": span.term.type,
            "Traits": _traits(span),
        }
        related = []
        for attribute in owned.get(id(span), []):
            # An attribute that is an entity as well ("knee" of a pain) keeps that entity's id.
            number = by_place.get((attribute.begin, attribute.end))
            if number is None:
                number, next_id = next_id, next_id + 1
            related.append(_attribute(text, number, attribute, (span.begin, span.end)))
        if related:
            entity["Attributes"] = related
        entities.append(entity)
    unmapped = []
    for attribute in owned.get(id(None), []):
        if medication.is_unmapped(text, attribute):
            place = (attribute.begin, attribute.end)
            unmapped.append({"Type": attribute.category, "Attribute": _attribute(text, next_id, attribute, place)})
            next_id += 1
    return {"Entities": entities, "UnmappedAttributes": unmapped, "ModelVersion": MODEL_VERSION}


def _attribute(text: str, number: int, attribute: Attribute, owner: tuple[int, int]) -> dict[str, Any]:
    return {
        "Id": number,
        **_place(text, attribute.begin, attribute.end),
        "Score": PATTERN_SCORE,
        "RelationshipScore": relationship_score(text, (attribute.begin, attribute.end), owner),
        "RelationshipType": attribute.relationship,
        "Category": attribute.category,
        "Type": attribute.type,
        "Traits": [],
    }


def _place(text: str, begin: int, end: int) -> dict[str, Any]:
    return {"BeginOffset": begin, "EndOffset": end, "Text": text[begin:end]}


def _traits(span: Span) -> list[dict[str, Any]]:
    names = ([span.term.trait] if span.term.trait else []) + span.traits
    return [{"Name": name, "Score": TRAIT_SCORE} for name in names]
