"""The findings in one recording, from its transcript and the outputs of its documents."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambdas.entities.detected import Output
from lambdas.entities.records import PHI, entity_records, label_records, unmapped_records
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.layout import transcript_key
from lambdas.shared.recording_files import read_file
from lambdas.shared.state import IndexLine, PlannedRecording
from lambdas.transcript.deidentify import COMPREHEND_MEDICAL, Deidentified, Finding, deidentified, label_findings
from lambdas.transcript.phi_labels import PhiLabel, phi_labels
from lambdas.transcript.transcripts import parsed
from lambdas.transcript.words import Words


class Findings(NamedTuple):
    """The findings in one recording. `records` has `entities`, too; `masked` is None if PHI wasn't requested."""

    words: Words
    entities: list[EntityRecord]
    records: list[EntityRecord]
    phi_labels: int
    masked: Deidentified | None


def findings(
    bucket: str,
    recording: PlannedRecording,
    documents: Iterable[IndexLine],
    outputs: dict[str, Output],
    wants_phi: bool,
) -> Findings:
    """The findings in the recording's transcript and in the outputs of its documents. Nothing is written.

    Raises:
        UnreadableFile: the transcript can't be read.
        Exception: of any kind, if the files don't have the services' shapes; call this within `understanding`.
    """
    words, labels = read_transcript(bucket, transcript_key(recording["transcript_id"]))
    entities: list[EntityRecord] = []
    unmapped: list[EntityRecord] = []
    complete = True
    for document in documents:
        if output := outputs.get(document["document"]):
            entities += entity_records(recording, document, output, words)
            unmapped += unmapped_records(recording, document, output, words)
        else:
            complete = False
    masked = None
    if wants_phi:
        of_both = [*label_findings(labels), *entity_findings(entities)]
        masked = deidentified(recording["transcript_id"], words, of_both, complete)
    records = [*entities, *unmapped, *label_records(recording, labels, words)]
    return Findings(words, entities, records, len(labels), masked)


def read_transcript(bucket: str, key: str) -> tuple[Words, list[PhiLabel]]:
    """The transcript's words and labels. The rest, which is most, is freed before the next transcript is parsed."""
    with parsed(read_file(bucket, key)) as transcript:
        words = Words(transcript)
        return words, phi_labels(transcript, words)


def entity_findings(entities: Iterable[EntityRecord]) -> Iterator[Finding]:
    """Comprehend Medical's findings of PHI, whatever their score."""
    for record in entities:
        if record.category == PHI:
            begin, end = record.begin_offset, record.end_offset
            span = None if begin is None or end is None else (begin, end)
            yield Finding(record.type, COMPREHEND_MEDICAL, span, record.start_seconds, record.end_seconds)
