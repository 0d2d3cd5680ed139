"""The lines of `records/`: what the two services found in a recording, whose it is, and who said it when."""

from collections.abc import Iterable, Iterator

from lambdas.entities.detected import FoundAttribute, Output
from lambdas.shared.entity_record import Attribute, EntityRecord, Trait
from lambdas.shared.state import IndexLine, PlannedRecording
from lambdas.transcript.deidentify import COMPREHEND_MEDICAL, TRANSCRIBE_MEDICAL
from lambdas.transcript.phi_labels import PhiLabel
from lambdas.transcript.words import Said, Words

PHI = "PROTECTED_HEALTH_INFORMATION"
# Not one of Comprehend Medical's categories, and no cohort's: what belongs to no entity makes nobody a member.
UNMAPPED_ATTRIBUTE = "UNMAPPED_ATTRIBUTE"


def entity_records(
    recording: PlannedRecording, document: IndexLine, output: Output, words: Words
) -> Iterator[EntityRecord]:
    """One record per entity of a document."""
    offset, name, model_version = document["offset"], document["document"], output.model_version
    user_id, media_id, media_uri, uploaded_at, audience_consent, transcript_id = whose(recording)
    for entity in output.entities:
        begin, end = entity.begin_offset + offset, entity.end_offset + offset
        start_seconds, end_seconds, speaker, channel, confidence, alternatives = words.at_place(begin, end)
        # Written out: with unpacked arguments this takes half as long again, and it is most of the work.
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
    """One record per attribute that the service could attach to no entity: a dose without its medication."""
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
    """One record per PHI label. Its seconds are the label's own; one that isn't in the text has no offsets."""
    for label in labels:
        said = words.at(*label.places)
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
            *timed(label, said),
        )


def whose(recording: PlannedRecording) -> tuple[str, str, str, str, bool, str]:
    """The first members of all records of a recording."""
    return (
        recording["user_id"],
        recording["media_id"],
        recording["uri"],
        recording["uploaded_at"],
        recording["audience_consent"],
        recording["transcript_id"],
    )


def timed(label: PhiLabel, said: Said) -> Said:
    start = said.start_seconds if label.start_seconds is None else label.start_seconds
    end = said.end_seconds if label.end_seconds is None else label.end_seconds
    return said._replace(start_seconds=start, end_seconds=end)


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
