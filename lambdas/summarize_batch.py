"""SummarizeBatch: what came out, what was rejected and why, what it cost, for programs and for people."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lambdas.cohorts.model_owner import not_visible
from lambdas.report.batch import batch_page
from lambdas.report.page import write_page
from lambdas.report.stages import stages
from lambdas.shared.layout import BATCH_REPORT, JOB_RECORDS, PLAN, SUMMARY
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.pricing import TRANSCRIBE_MEDICAL_PER_SECOND
from lambdas.shared.rejections import Rejection, most_alike, read_rejection, rejected_media
from lambdas.shared.storage import read_json, read_json_lines, write_json
from lambdas.shared.uris import uri_of

# What CollectEntities would have said of a batch that has no documents.
NO_ENTITIES: dict[str, Any] = {
    "records": 0,
    "by_category": {},
    "phi_labels": 0,
    "documents": 0,
    "documents_unprocessed": 0,
    "rejected": 0,
}


@observed("summary", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write `summary.json` and `report.html` of the batch, and return the counts as the execution's output.

    The summary's shape is docs/schemas/summary.schema.json.
    """
    state, bucket = event["state"], os.environ["CLINICAL_BUCKET"]
    batch, documents = state["batch"], state["documents"]
    plan = read_json(bucket, batch["prefix"] + PLAN)
    entities = dict(state.get("entities", NO_ENTITIES))
    lists = [documents["elsewhere_key"], entities.pop("elsewhere_key", None)]
    elsewhere = [*plan["elsewhere"], *(item for key in lists if key for item in read_json(bucket, key))]
    left = {recording["media_id"] for recording in elsewhere}
    documented = {document["media_id"] for document in read_json_lines(bucket, documents["index_key"])} - left
    rejected = [*plan["rejected"], *rejections(bucket, plan, left, documented)]
    transcribed = documented - {rejection["media_id"] for rejection in rejected}
    transcription_usd = round(documents["billable_seconds"] * TRANSCRIBE_MEDICAL_PER_SECOND, 4)
    summary = {
        "batch_id": batch["batch_id"],
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reprocess": plan["reprocess"],
        "parameters": plan["parameters"],
        "recordings": {
            "received": batch["recordings"],
            "transcribed": len(transcribed),
            "reused": batch["reused"],
            "elsewhere": len(elsewhere),
            "rejected": len(rejected),
        },
        "rejected": rejected,
        "stages": stages(bucket, batch["prefix"], documents["index_key"]),
        # Left to the executions that are working on them, or were when this one asked.
        "elsewhere": elsewhere,
        # What the services said of each job: timings, settings, reasons, versions.
        "jobs_uri": uri_of(bucket, batch["prefix"] + JOB_RECORDS),
        "documents": {
            "count": documents["count"],
            "characters": documents["characters"],
            "new": documents["new"]["count"],
            "uri": uri_of(bucket, documents["index_key"]),
        },
        "entities": entities,
        "entity_detection": state.get("entity_detection", {}).get("result") or None,
        "audiences": [
            audience(item, plan["parameters"]["StartAudienceGenerationJob"]["configuredAudienceModelArn"])
            for item in state["audiences"]
            if item["generation"]["status"] == "COMPLETED"
        ],
        "cohorts_without_audience": state["seeds"]["not_generated"]
        + [refused(item) for item in state["audiences"] if item["generation"]["status"] == "REJECTED"],
        # Absent if an earlier version selected the seeds, before a redrive.
        "unreadable_records": state["seeds"].get("unreadable_records", {"count": 0, "first": []}),
        "suppression": state["seeds"].get("suppression"),
        "cost_usd": {
            "transcribe_medical": transcription_usd,
            "comprehend_medical": documents["estimated_usd"],
            "total": round(transcription_usd + documents["estimated_usd"], 4),
            "not_included": "Clean Rooms ML (charged by the size of the model owner's data), Step Functions, Lambda, "
            "S3, DynamoDB and KMS. Speech is counted up to the last word of each recording.",
        },
    }
    key = batch["prefix"] + SUMMARY
    write_json(bucket, key, summary)
    report_key = batch["prefix"] + BATCH_REPORT
    write_page(bucket, report_key, batch_page(summary, plan["recordings"], documented))
    counts: dict[str, int] = summary["recordings"]
    for name, value in counts.items():
        metrics.add_metric(name=f"Recordings{name.title()}", unit="Count", value=value)
    metrics.add_metric(name="RecordingsRejectedAlike", unit="Count", value=suspicious(counts, rejected))
    metrics.add_metric(name="BatchesFinished", unit="Count", value=1)
    metrics.add_metric(name="EntityRecords", unit="Count", value=summary["entities"]["records"])
    metrics.add_metric(name="Audiences", unit="Count", value=len(summary["audiences"]))
    logger.info("batch summarized", extra={"batch_id": batch["batch_id"], **counts})
    return {
        "batch_id": batch["batch_id"],
        "summary_uri": uri_of(bucket, key),
        "report_uri": uri_of(bucket, report_key),
        **counts,
    }


def rejections(bucket: str, plan: dict[str, Any], left: set[str], documented: set[str]) -> Iterator[Rejection]:
    """The rejections of planned recordings.

    Each recording has one outcome, whatever an attempt of a step has left before another one was made: what is left to
    another execution isn't rejected here, and what has no documents and isn't reused has been, even if nothing says so.
    """
    rejected = rejected_media(bucket, plan["batch_id"])
    for recording in plan["recordings"]:
        media_id = recording["media_id"]
        if media_id not in left and (media_id in rejected or not (recording["reused"] or media_id in documented)):
            yield read_rejection(bucket, plan["batch_id"], recording)


def suspicious(counts: dict[str, int], rejected: list[Rejection]) -> int:
    """How many recordings were rejected for one and the same reason, if they are most of those that were worked on.

    Recordings that are each at fault have reasons of their own. Where most share one, its cause may be ours.
    """
    alike = most_alike(rejected)
    return alike if 2 * alike > counts["transcribed"] + counts["rejected"] else 0


def audience(item: dict[str, Any], model_arn: str) -> dict[str, Any]:
    export = item.get("audience_export", {"result": {}})["result"]
    members = {
        **{key: item["seed"][key] for key in ("cohort", "eligible", "seed_size", "seed_uri")},
        "audience_generation_job_arn": item["generation"]["id"],
        "metrics": item["generation"]["result"]["metrics"],
        "export_uri": export.get("output_uri"),
        "export_refused": export.get("reason"),
    }
    return {**members, "not_visible": not_visible(members, model_arn, exported="output_uri" in export)}


def refused(item: dict[str, Any]) -> dict[str, Any]:
    reason = f"Clean Rooms ML: {item['generation']['result']['reason']}"
    return {"cohort": item["seed"]["cohort"], "eligible": item["seed"]["eligible"], "reason": reason}
