"""CollectEntities: the jobs' outputs become entity records that know patient, recording, offset, second and speaker.

Facts: Comprehend Medical guide, "Batch operations": one `<document>.out` per document, a manifest, and lists of the
documents that succeeded and that did not. The manifest is believed only as far as the files bear it out.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, NamedTuple

from lambdas.deidentify import COMPREHEND_MEDICAL, Finding, deidentified, label_findings
from lambdas.detected_entities import read_output
from lambdas.entity_records import PHI, entity_records, label_records, unmapped_records
from lambdas.report.page import write_page
from lambdas.report.recording import recording_page, report_key
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.observability import logger, observed
from lambdas.shared.phi_labels import PhiLabel, phi_labels
from lambdas.shared.rejections import write_rejection
from lambdas.shared.storage import (
    PARALLEL_REQUESTS,
    find_bytes,
    find_head,
    find_json,
    read_bytes,
    read_json,
    read_json_lines,
    write_json,
    write_json_lines,
)
from lambdas.shared.transcripts import parsed
from lambdas.shared.uris import parse_uri
from lambdas.shared.words import Words


class Collected(NamedTuple):
    """What there is of one recording: its documents' outputs, its entities by category, and its PHI labels."""

    outputs: int
    entities: Counter[str]
    phi_labels: int
    rejected: bool


@observed("collection", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write `records/<object_id>.jsonl` for every recording of the batch that has documents.

    The records of a new version of an object replace those of the old one, and with them its consent; an execution over
    the old one that ends last changes nothing any more. A recording of
    which some documents could not be processed keeps the entities of the others, is reported as rejected, and isn't
    counted as finished. `reports/<transcript_id>.html` is written for people to read and, if Transcribe Medical was
    asked for PHI, `deidentified/<transcript_id>.json`.

    Returns `records` and `by_category` (Comprehend Medical's entities), `phi_labels` (Transcribe Medical's),
    `documents`, `documents_unprocessed` and `rejected` (recordings).

    Raises:
        IncompleteOutput: the manifest is gone, or fewer outputs are there than it counts as successes.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    result = event["entity_detection"]["result"]
    _, output_key = parse_uri(result["output_uri"])
    recordings = {
        recording["media_id"]: recording for recording in read_json(bucket, batch["prefix"] + "plan.json")["recordings"]
    }
    index = read_json_lines(bucket, batch["prefix"] + "documents.jsonl")
    manifest = read_manifest(bucket, within(output_key, result["manifest_path"]))
    unprocessed = read_unprocessed(bucket, output_key, manifest)

    wants_phi = event["parameters"]["StartMedicalTranscriptionJob"].get("ContentIdentificationType") == "PHI"

    def collect(documents: list[dict[str, Any]]) -> Collected:
        recording = recordings[documents[0]["media_id"]]
        transcript_id = recording["transcript_id"]
        words, labels = read_transcript(bucket, transcript_id)
        entities: list[EntityRecord] = []
        unmapped: list[EntityRecord] = []
        missing: list[str] = []
        for document in documents:
            body = find_bytes(bucket, f"{output_key}{document['document']}.out")
            if body is None:
                missing.append(document["document"])
                continue
            output = read_output(body)
            entities += entity_records(recording, document, output, words)
            unmapped += unmapped_records(recording, document, output, words)
        complete = not missing
        if not complete:
            reasons = sorted({unprocessed.get(name, "no output and no error was written") for name in missing})
            reason = (
                f"Comprehend Medical did not process {len(missing)} of {len(documents)} documents of the transcript: "
                f"{'; '.join(reasons)}. The entities of the others are kept."
            )
            write_rejection(bucket, batch["batch_id"], recording, reason)
        if wants_phi:
            findings = [*label_findings(labels), *entity_findings(entities)]
            masked = deidentified(transcript_id, words, findings, complete)
            write_json(bucket, f"deidentified/{transcript_id}.json", masked)
        records = [*entities, *unmapped, *label_records(recording, labels, words)]
        write_page(bucket, report_key(transcript_id), recording_page(recording, words, records, complete))
        # Last, since PlanBatch takes it as the sign that the recording is finished.
        if not write_records(bucket, recording, records, complete):
            reason = "A newer version of the object was processed meanwhile; its records are kept."
            write_rejection(bucket, batch["batch_id"], recording, reason)
            return Collected(len(documents) - len(missing), Counter(), 0, rejected=True)
        categories = Counter(record.category for record in entities)
        return Collected(len(documents) - len(missing), categories, len(labels), rejected=not complete)

    groups = [list(group) for _, group in groupby(index, key=lambda document: document["media_id"])]
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        collected = list(pool.map(collect, groups))
    outputs_read = sum(one.outputs for one in collected)
    if outputs_read < manifest.get("SuccessFilesCount", 0):
        raise IncompleteOutput(
            f"{result['output_uri']} has {outputs_read} outputs; its manifest counts {manifest['SuccessFilesCount']}."
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
        "documents_unprocessed": len(index) - outputs_read,
        "rejected": sum(one.rejected for one in collected),
    }


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
    condition = {"IfMatch": there["ETag"]} if there else {"IfNoneMatch": "*"}
    write_json_lines(bucket, key, records, metadata, **condition)
    return True


def within(output_key: str, path: str) -> str:
    """The key of a file that Describe or the manifest names: as a URI, a full key, or from the output directory on."""
    if path.startswith("s3://"):
        return parse_uri(path)[1]
    if path.startswith(output_key):
        return path
    # AWS's example shows `<output directory>/Manifest` without the prefix above the directory.
    directory = output_key.rstrip("/").rpartition("/")[2] + "/"
    return output_key + path.removeprefix(directory)


def read_manifest(bucket: str, key: str) -> dict[str, Any]:
    manifest = find_json(bucket, key)
    if manifest is None:
        raise IncompleteOutput(
            f"s3://{bucket}/{key} is not there. If the job's output has expired, start a new execution with "
            '"reprocess": true.'
        )
    summary: dict[str, Any] = manifest["Summary"]
    return summary


def read_unprocessed(bucket: str, output_key: str, manifest: dict[str, Any]) -> dict[str, str]:
    """Document name -> why it was not processed. The list is JSON today and was one bare key per line in 2022."""
    location = manifest.get("UnprocessedFilesListLocation")
    if not manifest.get("UnprocessedFilesCount") or not location:
        return {}
    text = read_bytes(bucket, within(output_key, location)).decode()
    try:
        files = json.loads(text)["Files"]
    except ValueError:
        return {line.rpartition("/")[2]: "no error was given" for line in text.splitlines() if line}
    return {file["Input"].rpartition("/")[2]: f"{file['ErrorCode']}: {file['ErrorMessage']}" for file in files}


def read_transcript(bucket: str, transcript_id: str) -> tuple[Words, list[PhiLabel]]:
    """What is needed of a transcript. The rest of it, which is most, is let go before the next one is parsed."""
    body = read_bytes(bucket, f"transcripts/{transcript_id}.json")
    with parsed(body) as transcript:
        words = Words(transcript)
        return words, phi_labels(transcript, words)


def entity_findings(entities: Iterable[EntityRecord]) -> Iterator[Finding]:
    """What Comprehend Medical found to be PHI, however sure it is."""
    for record in entities:
        if record.category == PHI:
            begin, end = record.begin_offset, record.end_offset
            span = None if begin is None or end is None else (begin, end)
            yield Finding(record.type, COMPREHEND_MEDICAL, span, record.start_seconds, record.end_seconds)
