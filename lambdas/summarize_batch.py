"""SummarizeBatch: what came out, what was rejected and why, what it cost, for programs and for people."""

import os
from datetime import UTC, datetime
from typing import Any

from lambdas.model_owner import not_visible
from lambdas.report.batch import batch_page
from lambdas.report.page import write_page
from lambdas.report.stages import stages
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.pricing import TRANSCRIBE_MEDICAL_PER_SECOND
from lambdas.shared.rejections import read_rejections
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
    plan = read_json(bucket, batch["prefix"] + "plan.json")
    elsewhere = [*plan["elsewhere"], *read_json(bucket, batch["prefix"] + "taken.json")]
    rejected = [*plan["rejected"], *read_rejections(bucket, batch["batch_id"])]
    entities = state.get("entities", NO_ENTITIES)
    transcription_usd = round(documents["billable_seconds"] * TRANSCRIBE_MEDICAL_PER_SECOND, 4)
    summary = {
        "batch_id": batch["batch_id"],
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reprocess": plan["reprocess"],
        "parameters": plan["parameters"],
        "recordings": {
            "received": batch["recordings"],
            "transcribed": documents["transcribed"] - entities["rejected"],
            "reused": batch["reused"],
            "elsewhere": len(elsewhere),
            "rejected": len(rejected),
        },
        "rejected": rejected,
        "stages": stages(bucket, batch["prefix"]),
        # Left to the executions that are working on them, or were when this one asked.
        "elsewhere": elsewhere,
        # What the services said of each job: timings, settings, reasons, versions.
        "jobs_uri": uri_of(bucket, batch["prefix"] + "jobs/"),
        "documents": {key: documents[key] for key in ("count", "characters", "uri")},
        "entities": entities,
        "entity_detection": state.get("entity_detection", {}).get("result"),
        "audiences": [
            audience(item, plan["parameters"]["StartAudienceGenerationJob"]["configuredAudienceModelArn"])
            for item in state["audiences"]
            if item["generation"]["status"] == "COMPLETED"
        ],
        "cohorts_without_audience": state["seeds"]["not_generated"]
        + [refused(item) for item in state["audiences"] if item["generation"]["status"] == "REJECTED"],
        # Of an execution from before there was one, redriven, nothing is known.
        "suppression": state["seeds"].get("suppression"),
        "cost_usd": {
            "transcribe_medical": transcription_usd,
            "comprehend_medical": documents["estimated_usd"],
            "total": round(transcription_usd + documents["estimated_usd"], 4),
            "not_included": "Clean Rooms ML (charged by the size of the model owner's data), Step Functions, Lambda, "
            "S3 and KMS. Speech is counted up to the last word of each recording.",
        },
    }
    key = batch["prefix"] + "summary.json"
    write_json(bucket, key, summary)
    documented = {document["media_id"] for document in read_json_lines(bucket, batch["prefix"] + "documents.jsonl")}
    report_key = batch["prefix"] + "report.html"
    write_page(bucket, report_key, batch_page(summary, plan["recordings"], documented))
    counts: dict[str, int] = summary["recordings"]
    for name, value in counts.items():
        metrics.add_metric(name=f"Recordings{name.title()}", unit="Count", value=value)
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
