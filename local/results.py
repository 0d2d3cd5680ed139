"""Copies the results of executions from the buckets into a folder."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from lambdas.shared.layout import (
    BATCH_REPORT,
    SUMMARY,
    batch_prefix,
    plan_key,
    recording_report_key,
    records_key,
    transcript_key,
)
from lambdas.shared.uris import parse_uri
from lambdas.transcript.transcripts import text_of
from local.pipeline import Pipeline

# Linux's limit for file names, which S3 keys may exceed.
LONGEST_NAME_BYTES = 255


class Recording(NamedTuple):
    """One recording's outcome: the path of its transcript, or the reason for its rejection."""

    media_id: str
    uri: str
    user_id: str | None
    transcript: Path | None
    rejected: str | None


class Results(NamedTuple):
    folder: Path
    recordings: list[Recording]
    entities: list[dict[str, Any]]
    audiences: list[dict[str, Any]]
    summaries: list[dict[str, Any]]


def copy_results(pipeline: Pipeline, batch_ids: list[str], folder: Path) -> Results:
    """Write `transcripts/<user_id>/<file>.txt`, `entities.jsonl`, `rejected.jsonl`, `audiences.json`, `summary.json`.

    The pages get the paths of their keys, `batches/<execution>/report.html` and `reports/<transcript_id>.html`, so that
    their links work.

    Raises:
        botocore.exceptions.ClientError: an object that the summary names is missing.
    """
    s3 = pipeline.aws.client("s3")

    def read(key: str) -> Any:
        return s3.get_object(Bucket=pipeline.clinical_bucket, Key=key)["Body"].read().decode()

    def copy_page(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(read(key))

    summaries = [json.loads(read(batch_prefix(batch_id) + SUMMARY)) for batch_id in batch_ids]
    recordings: dict[str, Recording] = {}
    entities: list[dict[str, Any]] = []
    for summary in summaries:
        plan = json.loads(read(plan_key(summary["batch_id"])))
        copy_page(batch_prefix(summary["batch_id"]) + BATCH_REPORT)
        reasons = {item["media_id"]: item for item in summary["rejected"]}
        for item in reasons.values():
            recordings[item["media_id"]] = Recording(
                item["media_id"], item["uri"], item["user_id"], None, item["reason"]
            )
        for item in plan["recordings"]:
            if item["media_id"] in recordings:
                continue
            transcript = text_of(json.loads(read(transcript_key(item["transcript_id"]))))
            file = parse_uri(item["uri"])[1].split("/", 2)[2]
            path = folder / "transcripts" / local_name(item["user_id"]) / local_path(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(transcript + "\n")
            copy_page(recording_report_key(item["transcript_id"]))
            recordings[item["media_id"]] = Recording(item["media_id"], item["uri"], item["user_id"], path, None)
            records = [json.loads(line) for line in read(records_key(item["object_id"])).splitlines()]
            entities += [row for row in records if row["source"] == "comprehend_medical" and not row["attribute_of"]]
    by_cohort: dict[str, dict[str, Any]] = {}
    for summary in sorted(summaries, key=lambda summary: str(summary["finished_at"])):
        for item in summary["cohorts_without_audience"] + summary["audiences"]:
            by_cohort[item["cohort"]] = item
    results = Results(folder, list(recordings.values()), entities, list(by_cohort.values()), summaries)
    write_files(results)
    return results


def write_files(results: Results) -> None:
    folder = results.folder
    (folder / "transcripts").mkdir(parents=True, exist_ok=True)
    rejected = [
        {"user_id": item.user_id, "file": item.uri, "reason": item.rejected}
        for item in results.recordings
        if item.rejected
    ]
    for name, rows in (("entities.jsonl", results.entities), ("rejected.jsonl", rejected)):
        (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    for name, document in (("audiences.json", results.audiences), ("summary.json", results.summaries)):
        (folder / name).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def local_path(file: str) -> Path:
    """The recording's path with `.txt`; names that a file system refuses are cut or respelt, and made unique."""
    *folders, name = file.split("/")
    return Path(*(local_name(folder) for folder in folders), local_name(name, ".txt"))


def local_name(name: str, suffix: str = "") -> str:
    if name not in ("", ".", "..") and len((name + suffix).encode()) <= LONGEST_NAME_BYTES:
        return name + suffix
    tail = f"~{hashlib.sha256(name.encode()).hexdigest()[:8]}{suffix}"
    return name.encode()[: LONGEST_NAME_BYTES - len(tail)].decode(errors="ignore") + tail
