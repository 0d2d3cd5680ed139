"""SummarizeBatch: write the batch's outcomes, rejections and cost, for programs (JSON) and for people (HTML)."""

import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypedDict

from lambdas.cohorts.model_owner import not_visible
from lambdas.report.batch import OUTCOMES, batch_page
from lambdas.report.page import write_page
from lambdas.report.stages import find_stages
from lambdas.report.summary import Counts, EntityDetection, SummarizedAudience, Summary
from lambdas.shared import stages
from lambdas.shared.layout import BATCH_REPORT, JOB_RECORDS, PLAN, SUMMARY, collected_prefix, last_attempts
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.pricing import TRANSCRIBE_MEDICAL_PER_SECOND
from lambdas.shared.rejections import left_to_others, most_alike, read_rejection, rejected_media
from lambdas.shared.state import (
    Audience,
    CohortWithoutAudience,
    CollectedEntities,
    EntityCounts,
    Plan,
    PlannedRecording,
    Rejection,
    State,
)
from lambdas.shared.storage import list_keys, read_json, read_json_lines, write_json
from lambdas.shared.uris import uri_of


class SummarizeBatchEvent(TypedDict):
    state: State


class BatchOutput(Counts):
    """The output of the execution."""

    batch_id: str
    summary_uri: str
    report_uri: str


@observed(stages.SUMMARY.name, timed=True)
def handler(event: SummarizeBatchEvent, context: object) -> BatchOutput:
    """Write `summary.json` and `report.html` of the batch."""
    state, bucket = event["state"], os.environ["CLINICAL_BUCKET"]
    batch, documents = state["batch"], state["documents"]
    plan: Plan = read_json(bucket, batch["prefix"] + PLAN)
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        collected = read_collected(pool, bucket, batch["batch_id"], documents["generation"])
        left_meanwhile = {one["media_id"]: one["execution_name"] for part in collected for one in part["elsewhere"]}
        elsewhere = [
            *plan["elsewhere"],
            *read_json(bucket, documents["elsewhere_key"]),
            *left_to_others(plan["recordings"], left_meanwhile),
        ]
        left = {recording["media_id"] for recording in elsewhere}
        documented = {document["media_id"] for document in read_json_lines(bucket, documents["index_key"])} - left
        rejected = [*plan["rejected"], *rejections(pool, bucket, plan, left, documented)]
    transcribed = documented - {rejection["media_id"] for rejection in rejected}
    planned = plan.get("costs")
    transcription_usd = round(documents["billable_seconds"] * TRANSCRIBE_MEDICAL_PER_SECOND, 4)
    counts: Counts = {
        "received": batch["recordings"],
        "transcribed": len(transcribed),
        "reused": batch["reused"],
        "elsewhere": len(elsewhere),
        "rejected": len(rejected),
    }
    model_arn = plan["parameters"]["StartAudienceGenerationJob"].get("configuredAudienceModelArn", "")
    summary: Summary = {
        "batch_id": batch["batch_id"],
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reprocess": plan["reprocess"],
        "parameters": plan["parameters"],
        "recordings": counts,
        "rejected": rejected,
        "stages": find_stages(bucket, batch["prefix"], documents["index_key"]),
        "elsewhere": elsewhere,
        "jobs_uri": uri_of(bucket, batch["prefix"] + JOB_RECORDS),
        "documents": {
            "count": documents["count"],
            "characters": documents["characters"],
            "new": documents["new"]["count"],
            "uri": uri_of(bucket, documents["index_key"]),
        },
        "entities": total(collected),
        "entity_detection": entity_detection(state),
        "audiences": [
            audience(item, model_arn) for item in state["audiences"] if item["generation"]["status"] == "COMPLETED"
        ],
        "cohorts_without_audience": state["seeds"]["not_generated"]
        + [refused(item) for item in state["audiences"] if item["generation"]["status"] == "REJECTED"],
        "unreadable_records": state["rebuild"]["unreadable_records"]
        if "rebuild" in state
        else {"count": 0, "first": []},
        "suppression": state["seeds"]["suppression"],
        "cost_usd": {
            "transcribe_medical": transcription_usd,
            "comprehend_medical": documents["estimated_usd"],
            "total": round(transcription_usd + documents["estimated_usd"], 4),
            "estimate": planned["estimate"] if planned else None,
            "bound": planned["bound"] if planned else None,
            "not_included": "Clean Rooms ML (charged by the size of the model owner's data), Step Functions, Lambda, "
            "S3, DynamoDB and KMS. Speech is counted up to the last word of each recording.",
        },
    }
    key = batch["prefix"] + SUMMARY
    write_json(bucket, key, summary)
    report_key = batch["prefix"] + BATCH_REPORT
    write_page(bucket, report_key, batch_page(summary, plan["recordings"], documented))
    for name in OUTCOMES:
        metrics.add_metric(name=f"Recordings{name.title()}", unit="Count", value=counts[name])
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


def read_collected(pool: Executor, bucket: str, batch_id: str, generation: int) -> list[CollectedEntities]:
    """The counts of all children of CollectBatch, which doesn't run for a batch without documents."""
    keys = last_attempts(list_keys(bucket, collected_prefix(batch_id, generation)))
    return list(pool.map(lambda key: read_json(bucket, key), keys))


def rejections(pool: Executor, bucket: str, plan: Plan, left: set[str], documented: set[str]) -> Iterable[Rejection]:
    """The rejections of planned recordings.

    Each recording has one outcome, even if an earlier attempt of a step stored another one. A recording left to another
    execution isn't rejected here. A recording that has no documents and isn't reused is rejected even if its rejection
    file is missing.
    """
    rejected = rejected_media(bucket, plan["batch_id"])

    def is_rejected(recording: PlannedRecording) -> bool:
        media_id = recording["media_id"]
        return media_id not in left and (media_id in rejected or not (recording["reused"] or media_id in documented))

    return pool.map(
        lambda recording: read_rejection(bucket, plan["batch_id"], recording), filter(is_rejected, plan["recordings"])
    )


def suspicious(counts: Counts, rejected: list[Rejection]) -> int:
    """The number of recordings rejected for the same reason if they are most of the batch's own recordings, else 0.

    Faulty recordings have different reasons. If most share one reason, its cause may be our configuration.
    """
    alike = most_alike(rejected)
    return alike if 2 * alike > counts["transcribed"] + counts["rejected"] else 0


def total(collected: Iterable[CollectedEntities]) -> EntityCounts:
    parts = list(collected)
    categories: Counter[str] = sum((Counter(part["by_category"]) for part in parts), Counter())
    return {
        "records": sum(part["records"] for part in parts),
        "by_category": dict(categories),
        "phi_labels": sum(part["phi_labels"] for part in parts),
        "documents": sum(part["documents"] for part in parts),
        "documents_unprocessed": sum(part["documents_unprocessed"] for part in parts),
        "rejected": sum(part["rejected"] for part in parts),
    }


def entity_detection(state: State) -> EntityDetection | None:
    job = state.get("entity_detection")
    result = job.get("result") if job else None
    if not result:
        return None
    return {
        "service_status": result["service_status"],
        "model_version": result["model_version"],
        "output_uri": str(result["output_uri"]),
        "manifest_path": result["manifest_path"],
        "jobs": result["jobs"],
    }


def audience(item: Audience, model_arn: str) -> SummarizedAudience:
    seed, job_arn = item["seed"], item["generation"]["id"]
    export = item["audience_export"]["result"] if "audience_export" in item else {}
    quality, export_uri = item["generation"]["result"]["metrics"], export.get("output_uri")
    exported = "output_uri" in export
    hidden = not_visible(job_arn, model_arn, metrics=quality, exported=exported, export_uri=export_uri)
    return {
        "cohort": seed["cohort"],
        "eligible": seed["eligible"],
        "seed_size": seed["seed_size"],
        "seed_uri": seed["seed_uri"],
        "audience_generation_job_arn": job_arn,
        "metrics": quality,
        "export_uri": export_uri,
        "export_refused": export.get("reason"),
        "not_visible": hidden,
    }


def refused(item: Audience) -> CohortWithoutAudience:
    reason = f"Clean Rooms ML: {item['generation']['result']['reason']}"
    return {"cohort": item["seed"]["cohort"], "eligible": item["seed"]["eligible"], "reason": reason}
