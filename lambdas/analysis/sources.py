"""An object's rows for the analysis tables: its findings from its records, its utterances from its transcript."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from lambdas.shared.analysis_rows import FindingRow, UtteranceRow
from lambdas.shared.layout import records_key, transcript_key
from lambdas.shared.observability import logger
from lambdas.shared.recording_files import MissingFile, UnreadableFile, read_file, read_stored_file, understanding
from lambdas.shared.uris import uri_of
from lambdas.transcript.paragraphs import Paragraph, paragraphs
from lambdas.transcript.transcripts import parsed
from lambdas.transcript.words import Words

_findings = msgspec.json.Decoder(FindingRow).decode_lines


class Rows(NamedTuple):
    """The rows of one object; they belong to the files of `month`, in which it was uploaded (UTC)."""

    month: str
    findings: Sequence[FindingRow]
    utterances: Sequence[UtteranceRow]


def rows_of(bucket: str, object_id: str) -> Rows | None:
    """The object's rows; None if it has no records, or none that can be read.

    Records without findings name neither patient nor recording, so there are no utterances either.
    """
    key = records_key(object_id)
    try:
        stored = read_stored_file(bucket, key)
        with understanding(bucket, key):
            findings = _findings(stored.body)
            month = month_of(findings[0].uploaded_at) if findings else ""
    except MissingFile:
        return None  # forgotten or expired
    except UnreadableFile as unreadable:
        _left_out(bucket, key, unreadable)
        return None
    if not findings:
        return None
    recorded_at = moment(stored.written)
    for row in findings:
        row.object_id, row.recorded_at = object_id, recorded_at
    return Rows(month, findings, utterances_of(bucket, findings[0]))


def utterances_of(bucket: str, finding: FindingRow) -> list[UtteranceRow]:
    """What was said in the recording of the finding; empty if its transcript can't be used."""
    key = transcript_key(finding.transcript_id)
    try:
        with understanding(bucket, key):
            with parsed(read_file(bucket, key)) as transcript:
                words = Words(transcript)
            return [utterance(finding, words.text, part) for part in paragraphs(words) if part.words]
    except UnreadableFile as unreadable:
        _left_out(bucket, key, unreadable)
        return []


def utterance(finding: FindingRow, text: str, part: Paragraph) -> UtteranceRow:
    return UtteranceRow(
        finding.user_id,
        finding.media_id,
        finding.media_uri,
        finding.uploaded_at,
        finding.audience_consent,
        finding.transcript_id,
        min(word.start_seconds for word in part.words),
        max(word.end_seconds for word in part.words),
        part.speaker,
        part.channel,
        text[part.begin : part.end].strip(),
        finding.object_id,
        finding.recorded_at,
    )


def month_of(uploaded_at: str) -> str:
    """The month as in 2026-11. Raises ValueError if `uploaded_at` is no time in ISO 8601 with an offset."""
    return f"{datetime.fromisoformat(uploaded_at).astimezone(UTC):%Y-%m}"


def moment(time: datetime) -> str:
    """The time as in `recorded_at`; such texts are in the order of time."""
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _left_out(bucket: str, key: str, unreadable: UnreadableFile) -> None:
    logger.warning("left out of the analysis tables", extra={"file": uri_of(bucket, key), "reason": str(unreadable)})
