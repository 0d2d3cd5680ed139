"""The lines of `records/`: what the two services found in a recording, whose it is, and who said it when."""

from collections.abc import Iterable, Iterator
from typing import Any

from lambdas.deidentify import COMPREHEND_MEDICAL, TRANSCRIBE_MEDICAL
from lambdas.shared.phi_labels import PhiLabel
from lambdas.shared.transcripts import Said, Words

PHI = "PROTECTED_HEALTH_INFORMATION"
# Not one of Comprehend Medical's categories, and no cohort's: what belongs to no entity makes nobody a member.
UNMAPPED_ATTRIBUTE = "UNMAPPED_ATTRIBUTE"


def record_of(recording: dict[str, Any], source: str, said: Said, **found: Any) -> dict[str, Any]:
    """A line of `records/`: whose and where it is, what the service found, and what is known of the words there.

    Offsets are code points in the whole transcript, seconds count from its beginning.
    """
    return {
        "user_id": recording["user_id"],
        "media_id": recording["media_id"],
        "media_uri": recording["uri"],
        "uploaded_at": recording["uploaded_at"],
        "audience_consent": recording["audience_consent"],
        "transcript_id": recording["transcript_id"],
        "source": source,
        "document": None,
        "entity_id": None,
        **found,
        "start_seconds": found.get("start_seconds", said.start_seconds),
        "end_seconds": found.get("end_seconds", said.end_seconds),
        "speaker": said.speaker,
        "channel": said.channel,
        "confidence": said.confidence,
        "alternatives": said.alternatives,
    }


def entity_records(
    recording: dict[str, Any], document: dict[str, Any], output: dict[str, Any], words: Words
) -> Iterator[dict[str, Any]]:
    """One record per entity of a document."""
    offset = document["offset"]
    for entity in output["Entities"]:
        begin, end = entity["BeginOffset"] + offset, entity["EndOffset"] + offset
        yield record_of(
            recording,
            COMPREHEND_MEDICAL,
            words.at((begin, end)),
            document=document["document"],
            entity_id=entity["Id"],
            category=entity["Category"],
            type=entity["Type"],
            text=entity["Text"],
            score=entity["Score"],
            begin_offset=begin,
            end_offset=end,
            traits=traits_of(entity),
            attributes=[attribute_of(attribute, offset) for attribute in entity.get("Attributes", ())],
            attribute_of=None,
            model_version=output.get("ModelVersion"),
        )


def unmapped_records(
    recording: dict[str, Any], document: dict[str, Any], output: dict[str, Any], words: Words
) -> Iterator[dict[str, Any]]:
    """One record per attribute that the service could attach to no entity: a dose without its medication."""
    for unmapped in output.get("UnmappedAttributes", ()):
        attribute = attribute_of(unmapped["Attribute"], document["offset"])
        begin, end = attribute["begin_offset"], attribute["end_offset"]
        yield record_of(
            recording,
            COMPREHEND_MEDICAL,
            words.at((begin, end)),
            document=document["document"],
            entity_id=attribute["id"],
            category=UNMAPPED_ATTRIBUTE,
            type=attribute["type"],
            text=attribute["text"],
            score=attribute["score"],
            begin_offset=begin,
            end_offset=end,
            traits=attribute["traits"],
            attributes=[],
            attribute_of=unmapped.get("Type"),
            model_version=output.get("ModelVersion"),
        )


def label_records(recording: dict[str, Any], labels: Iterable[PhiLabel], words: Words) -> Iterator[dict[str, Any]]:
    """One record per PHI label. Its seconds are the label's own; one that isn't in the text has no offsets."""
    for label in labels:
        said = words.at(*label.places)
        yield record_of(
            recording,
            TRANSCRIBE_MEDICAL,
            said,
            category=PHI,
            type=label.category,
            text=label.text,
            score=label.score,
            begin_offset=label.begin_offset,
            end_offset=label.end_offset,
            start_seconds=said.start_seconds if label.start_seconds is None else label.start_seconds,
            end_seconds=said.end_seconds if label.end_seconds is None else label.end_seconds,
            traits=[],
            attributes=[],
            attribute_of=None,
            model_version=None,
        )


def attribute_of(attribute: dict[str, Any], offset: int) -> dict[str, Any]:
    return {
        "id": attribute.get("Id"),
        "category": attribute.get("Category"),
        "type": attribute["Type"],
        "text": attribute["Text"],
        "score": attribute["Score"],
        "relationship_type": attribute.get("RelationshipType"),
        "relationship_score": attribute.get("RelationshipScore"),
        "begin_offset": attribute["BeginOffset"] + offset,
        "end_offset": attribute["EndOffset"] + offset,
        "traits": traits_of(attribute),
    }


def traits_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": trait["Name"], "score": trait["Score"]} for trait in found.get("Traits", ())]
