"""The lines of `records/`: the two services' findings in a recording, with patient, time and speaker."""

from collections.abc import Iterable, Iterator

from lambdas.entities.detected import FoundAttribute, Output
from lambdas.shared.entity_record import UNMAPPED_ATTRIBUTE, Attribute, EntityRecord, Trait
from lambdas.shared.state import IndexLine, PlannedRecording
from lambdas.transcript.deidentify import COMPREHEND_MEDICAL, TRANSCRIBE_MEDICAL
from lambdas.transcript.phi_labels import PhiLabel
from lambdas.transcript.words import Said, Words

PHI = "PROTECTED_HEALTH_INFORMATION"


def entity_records(
    recording: PlannedRecording, document: IndexLine, output: Output, words: Words
) -> Iterator[EntityRecord]:
    """One record per entity of a document."""
    offset, name, model_version = document["offset"], document["document"], output.model_version
    user_id, media_id, media_uri, uploaded_at, audience_consent, transcript_id = whose(recording)
    for entity in output.entities:
        begin, end = entity.begin_offset + offset, entity.end_offset + offset
        start_seconds, end_seconds, speaker, channel, confidence, alternatives = words.at_place(begin, end)
        # The arguments are written out, because unpacking takes 50 % longer in this, the most frequent, call.
        yield EntityRecord(
            user_id,
            media_id,
            media_uri,
            uploaded_at,
            audience_consent,
            transcript_id,
            COMPREHEND_MEDICAL,
            name,
            entity.id,
            entity.category,
            entity.type,
            entity.text,
            entity.score,
            begin,
            end,
            [Trait(trait.name, trait.score) for trait in entity.traits] if entity.traits else (),
            [attribute_of(attribute, offset) for attribute in entity.attributes] if entity.attributes else (),
            None,
            model_version,
            start_seconds,
            end_seconds,
            speaker,
            channel,
            confidence,
            alternatives,
        )


def unmapped_records(
    recording: PlannedRecording, document: IndexLine, output: Output, words: Words
) -> Iterator[EntityRecord]:
    """One record per attribute without an entity, such as a dose without its medication."""
    for unmapped in output.unmapped_attributes:
        attribute = attribute_of(unmapped.attribute, document["offset"])
        yield EntityRecord(
            *whose(recording),
            COMPREHEND_MEDICAL,
            document["document"],
            attribute.id,
            UNMAPPED_ATTRIBUTE,
            attribute.type,
            attribute.text,
            attribute.score,
            attribute.begin_offset,
            attribute.end_offset,
            attribute.traits,
            (),
            unmapped.type,
            output.model_version,
            *words.at_place(attribute.begin_offset, attribute.end_offset),
        )


def label_records(recording: PlannedRecording, labels: Iterable[PhiLabel], words: Words) -> Iterator[EntityRecord]:
    """One record per PHI label, with the label's own seconds; a label that isn't in the text has no offsets."""
    for label in labels:
        spoken = words.at(*label.places)
        yield EntityRecord(
            *whose(recording),
            TRANSCRIBE_MEDICAL,
            None,
            None,
            PHI,
            label.category,
            label.text,
            label.score,
            label.begin_offset,
            label.end_offset,
            (),
            (),
            None,
            None,
            *timed(label, spoken),
        )


def whose(recording: PlannedRecording) -> tuple[str, str, str, str, bool, str]:
    """The first members of every record of the recording."""
    return (
        recording["user_id"],
        recording["media_id"],
        recording["uri"],
        recording["uploaded_at"],
        recording["audience_consent"],
        recording["transcript_id"],
    )


def timed(label: PhiLabel, spoken: Said) -> Said:
    start = spoken.start_seconds if label.start_seconds is None else label.start_seconds
    end = spoken.end_seconds if label.end_seconds is None else label.end_seconds
    return spoken._replace(start_seconds=start, end_seconds=end)


def attribute_of(attribute: FoundAttribute, offset: int) -> Attribute:
    return Attribute(
        attribute.id,
        attribute.category,
        attribute.type,
        attribute.text,
        attribute.score,
        attribute.relationship_type,
        attribute.relationship_score,
        attribute.begin_offset + offset,
        attribute.end_offset + offset,
        [Trait(trait.name, trait.score) for trait in attribute.traits] if attribute.traits else (),
    )
