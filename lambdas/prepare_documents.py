"""PrepareDocuments: transcripts become UTF-8 documents that Comprehend Medical takes, with their provenance."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Any, NamedTuple

from lambdas.claims import keep
from lambdas.shared.identity import digest
from lambdas.shared.layout import transcript_key
from lambdas.shared.object_faults import REPLACED, replaced
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.pricing import COMPREHEND_MEDICAL_PER_UNIT, TRANSCRIBE_MEDICAL_PER_SECOND, entity_detection_units
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.rejections import rejected_media, write_rejection
from lambdas.shared.storage import PARALLEL_REQUESTS, read_json, s3, write_json, write_json_lines
from lambdas.shared.transcripts import Speech, read_speech
from lambdas.shared.uris import uri_of
from lambdas.takeovers import takeover_of

# A sentence's end, and failing that a blank, as places to cut. Each match is made by its own first character alone.
SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+")
BLANK = re.compile(r"\s+")
# Where a sentence's end is looked for first: nearly every one is shorter.
SOUGHT_CHARACTERS = 1000


class Document(NamedTuple):
    """A part of a transcript: `text` begins at character `offset` of it."""

    text: str
    offset: int


@observed("documents", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write the documents of the batch's new transcripts below one prefix, and `documents.jsonl` about them.

    The prefix is derived from the transcripts it holds: the same transcripts make the same job. Recordings that another
    execution has taken over since the plan, while this one lay failed, are left to it.

    A recording whose transcript can't be used is rejected. A rejection is final for its batch, also where the
    transcript can be read by now: each recording has one outcome.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    plan = read_json(bucket, batch["prefix"] + "plan.json")
    planned = [recording for recording in plan["recordings"] if not recording["reused"]]
    # Before the claims are kept, so that whatever is taken afterwards shows.
    takeover = takeover_of(bucket, batch["batch_id"])
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        owners = list(pool.map(lambda item: keep(bucket, item["transcript_id"], batch["batch_id"]), planned))
        ours = [owner == batch["batch_id"] for owner in owners]
        refused = rejected_media(bucket, batch["batch_id"])
        pending = [item for item in compress(planned, ours) if item["media_id"] not in refused]
        transcripts = list(pool.map(lambda recording: read_transcript(bucket, recording), pending))

    transcribed = []
    for recording, transcript in zip(pending, transcripts, strict=True):
        if isinstance(transcript, UnreadableFile):
            write_rejection(bucket, batch["batch_id"], recording, str(transcript))
        elif transcript.text.strip():
            transcribed.append((recording, transcript.text))
        else:
            write_rejection(bucket, batch["batch_id"], recording, "No speech was recognised in the recording.")

    limit = int(os.environ["MAXIMUM_DOCUMENT_BYTES"])
    documents_id = digest(str(limit), *sorted(recording["transcript_id"] for recording, _ in transcribed))
    prefix = f"documents/{documents_id}/"
    index = []
    bodies: dict[str, str] = {}
    for recording, text in transcribed:
        for number, document in enumerate(cut(text, limit)):
            name = f"{recording['media_id']}-{number:04}.txt"
            bodies[prefix + name] = document.text
            index.append(
                {
                    "document": name,
                    "media_id": recording["media_id"],
                    "offset": document.offset,
                    "characters": len(document.text),
                }
            )
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(lambda item: write_document(bucket, *item), bodies.items()))
    write_json_lines(bucket, batch["prefix"] + "documents.jsonl", index)

    taken = [
        {**{key: recording[key] for key in ("media_id", "user_id", "uri")}, "execution_name": owner}
        for recording, owner, own in zip(planned, owners, ours, strict=True)
        if not own
    ]
    write_json(bucket, batch["prefix"] + "taken.json", taken)

    units = sum(entity_detection_units(entry["characters"]) for entry in index)
    spoken_seconds = sum(transcript.billable_seconds for transcript in transcripts if isinstance(transcript, Speech))
    metrics.add_metric("TranscriptionUsd", "None", spoken_seconds * TRANSCRIBE_MEDICAL_PER_SECOND)
    logger.info("documents prepared", extra={"batch_id": batch["batch_id"], "documents": len(index), "units": units})
    return {
        "documents_id": documents_id,
        "takeover": takeover,
        "uri": uri_of(bucket, prefix),
        "count": len(index),
        "characters": sum(entry["characters"] for entry in index),
        "estimated_usd": round(units * COMPREHEND_MEDICAL_PER_UNIT, 2),
        "transcribed": len(transcribed),
        "billable_seconds": spoken_seconds,
    }


def read_transcript(bucket: str, recording: dict[str, Any]) -> Speech | UnreadableFile:
    """What was said in the recording, or why that can't be told.

    A job names the object and no version of it: the service reads whichever is the current one when its job begins.
    """
    if replaced(recording):
        return UnreadableFile(REPLACED)
    key = transcript_key(recording["transcript_id"])
    try:
        with understanding(bucket, key):
            return read_speech(read_file(bucket, key))
    except UnreadableFile as unreadable:
        return unreadable


def write_document(bucket: str, key: str, text: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/plain; charset=utf-8")


def cut(text: str, limit: int) -> Iterator[Document]:
    """Cut `text` into documents of fewer than `limit` bytes in UTF-8, at sentence ends where there are any.

    Nothing is lost or added: the texts joined are `text`.
    """
    offset = 0
    while offset < len(text):
        end = offset + longest_prefix(text, offset, limit - 1)
        if end < len(text):
            piece = text[offset:end]
            end = offset + (last_end(SENTENCE_END, piece) or last_end(BLANK, piece) or len(piece))
        yield Document(text[offset:end], offset)
        offset = end


def last_end(place: re.Pattern[str], piece: str) -> int | None:
    """Where the last match of `place` ends in `piece`: looked for from the end on, where it mostly is."""
    for length in (SOUGHT_CHARACTERS, len(piece)):
        ends = [match.end() for match in place.finditer(piece, max(len(piece) - length, 0))]
        if ends:
            return ends[-1]
    return None


def longest_prefix(text: str, offset: int, limit: int) -> int:
    """How many characters from `offset` on fit into `limit` bytes, at least one."""
    piece = text[offset : offset + limit].encode()[:limit]
    return max(1, len(piece.decode(errors="ignore")))
