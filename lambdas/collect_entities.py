"""CollectEntities: the jobs' outputs become entity records that know patient, recording, offset, second and speaker."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, NamedTuple

from lambdas.deidentify import COMPREHEND_MEDICAL, Finding, deidentified, label_findings
from lambdas.detected_entities import Output
from lambdas.entity_outputs import job_output, read_outputs
from lambdas.entity_records import PHI, entity_records, label_records, unmapped_records
from lambdas.report.page import write_page
from lambdas.report.recording import recording_page, report_key
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.layout import transcript_key
from lambdas.shared.observability import logger, observed
from lambdas.shared.phi_labels import PhiLabel, phi_labels
from lambdas.shared.recording_files import REPROCESS, UnreadableFile, read_file, understanding
from lambdas.shared.rejections import write_rejection
from lambdas.shared.storage import (
    PARALLEL_REQUESTS,
    find_head,
    read_json,
    read_json_lines,
    unchanged,
    write_json,
    write_json_lines,
)
from lambdas.shared.transcripts import parsed
from lambdas.shared.words import Words


class Collected(NamedTuple):
    """What there is of one recording: outputs in S3, documents without entities, entities by category, PHI labels."""

    outputs: int
    unprocessed: int
    entities: Counter[str]
    phi_labels: int
    rejected: bool


class Findings(NamedTuple):
    """What the files about one recording say, and what is made of it. `masked` is None if nothing is to be masked."""

    entities: list[EntityRecord]
    records: list[EntityRecord]
    phi_labels: int
    masked: dict[str, Any] | None
    page: str


@observed("collection", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write `records/<object_id>.jsonl` for every recording of the batch that has documents.

    The records of a new version of an object replace those of the old one, and with them its consent; an execution over
    the old one that ends last changes nothing any more. A recording of which some documents have no entities keeps the
    entities of the others, is reported as rejected, and isn't counted as finished. One whose transcript can't be used
    is rejected whole. `reports/<transcript_id>.html` is written for people to read and, if Transcribe Medical was asked
    for PHI, `deidentified/<transcript_id>.json`.

    Returns `records` and `by_category` (Comprehend Medical's entities), `phi_labels` (Transcribe Medical's),
    `documents`, `documents_unprocessed` and `rejected` (recordings).

    Raises:
        IncompleteOutput: the manifest is gone, or none of the outputs that it counts is there.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    result = event["entity_detection"]["result"]
    recordings = {
        recording["media_id"]: recording for recording in read_json(bucket, batch["prefix"] + "plan.json")["recordings"]
    }
    index = read_json_lines(bucket, batch["prefix"] + "documents.jsonl")
    job = job_output(bucket, result)
    wants_phi = event["parameters"]["StartMedicalTranscriptionJob"].get("ContentIdentificationType") == "PHI"

    def collect(documents: list[dict[str, Any]]) -> Collected:
        recording = recordings[documents[0]["media_id"]]
        transcript_id = recording["transcript_id"]
        outputs, missing, there = read_outputs(job, [document["document"] for document in documents])

        def rejected(reason: str) -> Collected:
            write_rejection(bucket, batch["batch_id"], recording, reason)
            return Collected(there, len(missing), Counter(), 0, rejected=True)

        try:
            found = findings(bucket, recording, documents, outputs, wants_phi)
        except UnreadableFile as unreadable:
            return rejected(str(unreadable))
        if found.masked is not None:
            write_json(bucket, f"deidentified/{transcript_id}.json", found.masked)
        write_page(bucket, report_key(transcript_id), found.page)
        # Last, since PlanBatch takes it as the sign that the recording is finished.
        if not write_records(bucket, recording, found.records, complete=not missing):
            return rejected("A newer version of the object was processed meanwhile; its records are kept.")
        if missing:
            reasons = "; ".join(sorted(set(missing.values())))
            rejected(
                f"The entities of {len(missing)} of {len(documents)} documents of the transcript are missing: "
                f"{reasons}. Those of the others are kept. {REPROCESS}"
            )
        categories = Counter(record.category for record in found.entities)
        return Collected(there, len(missing), categories, found.phi_labels, rejected=bool(missing))

    groups = [list(group) for _, group in groupby(index, key=lambda document: document["media_id"])]
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        collected = list(pool.map(collect, groups))
    if job.counted and not any(one.outputs for one in collected):
        raise IncompleteOutput(
            f"{result['output_uri']} has no output; its manifest counts {job.counted}. If they have expired, start a "
            'new execution with "reprocess": true.'
        )
    categories: Counter[str] = sum((one.entities for one in collected), Counter())
    labelled = sum(one.phi_labels for one in collected)
    logger.info(
        "entities collected",
        extra={"batch_id": batch["batch_id"], "records": categories.total(), "phi_labels": labelled},
    )
    return {
        "records": categories.total(),
        "by_category": dict(categories),
        "phi_labels": labelled,
        "documents": len(index),
        "documents_unprocessed": sum(one.unprocessed for one in collected),
        "rejected": sum(one.rejected for one in collected),
    }


def findings(
    bucket: str,
    recording: dict[str, Any],
    documents: Iterable[dict[str, Any]],
    outputs: dict[str, Output],
    wants_phi: bool,
) -> Findings:
    """What the recording's transcript and the outputs of its documents come to. Nothing is written.

    Raises:
        UnreadableFile: its transcript can't be read, or these files can't be what the services make.
    """
    key = transcript_key(recording["transcript_id"])
    with understanding(bucket, key):
        words, labels = read_transcript(bucket, key)
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
        return Findings(entities, records, len(labels), masked, recording_page(recording, words, records, complete))


def read_transcript(bucket: str, key: str) -> tuple[Words, list[PhiLabel]]:
    """What is needed of a transcript. The rest of it, which is most, is let go before the next one is parsed."""
    with parsed(read_file(bucket, key)) as transcript:
        words = Words(transcript)
        return words, phi_labels(transcript, words)


def write_records(bucket: str, recording: dict[str, Any], records: Iterable[EntityRecord], complete: bool) -> bool:
    """Write the object's records; False, and nothing written, if those of a newer version are there.

    Should another execution write them at the same moment, S3 refuses one of the two, and its step is repeated.
    """
    key = f"records/{recording['object_id']}.jsonl"
    there = find_head(bucket, key)
    if there and there["Metadata"].get("uploaded-at", "") > recording["uploaded_at"]:
        return False
    metadata = {"uploaded-at": recording["uploaded_at"]}
    if complete:
        metadata["transcript-id"] = recording["transcript_id"]
    write_json_lines(bucket, key, records, metadata, **unchanged(there))
    return True


def entity_findings(entities: Iterable[EntityRecord]) -> Iterator[Finding]:
    """What Comprehend Medical found to be PHI, however sure it is."""
    for record in entities:
        if record.category == PHI:
            begin, end = record.begin_offset, record.end_offset
            span = None if begin is None or end is None else (begin, end)
            yield Finding(record.type, COMPREHEND_MEDICAL, span, record.start_seconds, record.end_seconds)
