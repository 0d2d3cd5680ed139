"""CollectEntities: the job's output becomes entity records that know patient, recording, offset and second.

Facts: Comprehend Medical guide, "Batch operations": one `<document>.out` per document, a manifest, and lists of the
documents that succeeded and that did not. The manifest is believed only as far as the files bear it out.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from lambdas.shared.errors import IncompleteOutput
from lambdas.shared.observability import logger
from lambdas.shared.rejections import write_rejection
from lambdas.shared.storage import (
    PARALLEL_REQUESTS,
    find_json,
    parse_uri,
    read_bytes,
    read_json,
    read_json_lines,
    write_json_lines,
)
from lambdas.shared.transcripts import WordTimes


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write `records/<object_id>.jsonl` for every recording of the batch that has documents.

    The records of a new version of an object replace those of the old one, and with them its consent. A recording of
    which some documents could not be processed keeps the entities of the others, is reported as rejected, and isn't
    counted as finished.

    Raises:
        IncompleteOutput: the manifest is gone, or fewer outputs are there than it counts as successes.
    """
    batch, bucket = event["batch"], os.environ["CLINICAL_BUCKET"]
    result = event["entity_detection"]["result"]
    _, output_key = parse_uri(result["output_uri"])
    recordings = {
        recording["media_id"]: recording for recording in read_json(bucket, batch["prefix"] + "plan.json")["recordings"]
    }
    index = list(read_json_lines(bucket, batch["prefix"] + "documents.jsonl"))
    manifest = read_manifest(bucket, within(output_key, result["manifest_path"]))
    unprocessed = read_unprocessed(bucket, output_key, manifest)

    def collect(documents: list[dict[str, Any]]) -> tuple[int, Counter[str]]:
        recording = recordings[documents[0]["media_id"]]
        outputs = [(document, find_json(bucket, f"{output_key}{document['document']}.out")) for document in documents]
        found = [(document, output) for document, output in outputs if output is not None]
        records = list(entity_records(bucket, recording, found))
        complete = len(found) == len(documents)
        if not complete:
            missing = sorted(document["document"] for document, output in outputs if output is None)
            reasons = sorted({unprocessed.get(name, "no output and no error was written") for name in missing})
            reason = (
                f"Comprehend Medical did not process {len(missing)} of {len(documents)} documents of the transcript: "
                f"{'; '.join(reasons)}. The entities of the others are kept."
            )
            write_rejection(bucket, batch["batch_id"], recording, reason)
        write_json_lines(
            bucket,
            f"records/{recording['object_id']}.jsonl",
            records,
            # PlanBatch takes this as the sign that the recording is finished.
            metadata={"transcript-id": recording["transcript_id"]} if complete else None,
        )
        return len(found), Counter(record["category"] for record in records)

    groups = [list(group) for _, group in groupby(index, key=lambda document: document["media_id"])]
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        collected = list(pool.map(collect, groups))
    outputs_read = sum(number for number, _ in collected)
    if outputs_read < manifest.get("SuccessFilesCount", 0):
        raise IncompleteOutput(
            f"{result['output_uri']} has {outputs_read} outputs; its manifest counts {manifest['SuccessFilesCount']}."
        )
    categories: Counter[str] = sum((counts for _, counts in collected), Counter())
    logger.info("entities collected", extra={"batch_id": batch["batch_id"], "records": categories.total()})
    return {
        "records": categories.total(),
        "by_category": dict(categories),
        "documents": len(index),
        "documents_unprocessed": len(index) - outputs_read,
    }


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


def entity_records(
    bucket: str, recording: dict[str, Any], outputs: list[tuple[dict[str, Any], dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """One record per entity. Offsets are code points in the whole transcript, seconds count from its beginning."""
    times = WordTimes(read_json(bucket, f"transcripts/{recording['transcript_id']}.json"))
    for document, output in outputs:
        for entity in output["Entities"]:
            begin, end = entity["BeginOffset"] + document["offset"], entity["EndOffset"] + document["offset"]
            start_seconds, end_seconds = times.between(begin, end)
            yield {
                "user_id": recording["user_id"],
                "media_id": recording["media_id"],
                "media_uri": recording["uri"],
                "uploaded_at": recording["uploaded_at"],
                "audience_consent": recording["audience_consent"],
                "transcript_id": recording["transcript_id"],
                "document": document["document"],
                "entity_id": entity["Id"],
                "category": entity["Category"],
                "type": entity["Type"],
                "text": entity["Text"],
                "score": entity["Score"],
                "begin_offset": begin,
                "end_offset": end,
                "start_seconds": start_seconds,
                "end_seconds": end_seconds,
                "traits": [{"name": trait["Name"], "score": trait["Score"]} for trait in entity.get("Traits", ())],
                "attributes": [
                    {
                        "type": attribute["Type"],
                        "text": attribute["Text"],
                        "score": attribute["Score"],
                        "relationship_type": attribute.get("RelationshipType"),
                        "relationship_score": attribute.get("RelationshipScore"),
                        "begin_offset": attribute["BeginOffset"] + document["offset"],
                        "end_offset": attribute["EndOffset"] + document["offset"],
                    }
                    for attribute in entity.get("Attributes", ())
                ],
                "model_version": output.get("ModelVersion"),
            }
