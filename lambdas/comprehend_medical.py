"""The Comprehend Medical job of one batch of documents: start it or adopt the one that exists, and watch it.

Facts: API reference of StartEntitiesDetectionV2Job and DescribeEntitiesDetectionV2Job. One job for the whole batch,
because an account may run ten at a time.
"""

import os
from collections.abc import Mapping
from typing import Any

from lambdas.rules.comprehend_medical import OPERATION, request_problems
from lambdas.shared import jobs
from lambdas.shared.errors import CostCeilingExceeded, InvalidInput, JobFailed, TakenOver
from lambdas.shared.identity import digest
from lambdas.shared.job_records import write_job_record
from lambdas.shared.observability import logger, metrics, observed, watching
from lambdas.shared.sdk import client
from lambdas.shared.uris import parse_uri
from lambdas.takeovers import takeover_of

DEADLINE_SECONDS = 24 * 3600
MAXIMUM_ATTEMPTS = 50
# What becomes of each status (JobStatus in the API reference).
STATUSES = {
    "SUBMITTED": "running",
    "IN_PROGRESS": "running",
    "STOP_REQUESTED": "failed",
    "STOPPED": "failed",
    "COMPLETED": "completed",
    "PARTIAL_SUCCESS": "completed",
    "FAILED": "failed",
}

comprehend_medical = client("comprehendmedical")


@observed("entity_detection")
def start(event: dict[str, Any], context: object) -> jobs.Job:
    """Start the job over `event["documents"]` with `event["parameters"]`, or adopt an earlier one that didn't fail.

    The job is found by its name, which is derived from the documents; should an earlier answer have been lost and the
    listing not show the job yet, the same request token makes the service answer with the same job.

    Raises:
        CostCeilingExceeded: before anything is spent on entity detection.
        InvalidInput: the service would refuse the request.
        JobFailed: too many attempts have failed.
        TakenOver: while this execution lay failed, another one has gone on with its recordings.
    """
    documents, parameters, redrive_count = event["documents"], event["parameters"], event["redrive_count"]
    ceiling = float(os.environ["COST_CEILING_USD"])
    if documents["estimated_usd"] > ceiling:
        metrics.add_metric("CostCeilingExceeded", "Count", 1)
        raise CostCeilingExceeded(
            f"Entity detection over {documents['count']} documents with {documents['characters']} characters would "
            f"cost about {documents['estimated_usd']:.2f} USD; the environment's ceiling is {ceiling:.2f} USD. The job "
            "was not started. Raise entity_detection.cost_ceiling_usd in cdk.json and deploy, or start smaller batches."
        )
    expected_seconds = jobs.expected_entity_detection_seconds(documents["count"])
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        name = f"{parameters.get('JobName', os.environ['RESOURCE_PREFIX'])}-{documents['documents_id']}-{attempt}"
        wanted = request(name, documents, parameters)
        model = comprehend_medical.meta.service_model.operation_model(OPERATION)
        if problems := request_problems(wanted, model.input_shape):
            raise InvalidInput(f"Comprehend Medical would not take the request: {' '.join(problems)}")
        known = comprehend_medical.list_entities_detection_v2_jobs(Filter={"JobName": name})
        listed = known.get("ComprehendMedicalAsyncJobPropertiesList", [])
        # Names needn't be unique: a job over other documents is none of ours.
        existing = [job for job in listed if documents_of(job) == documents_of(wanted)]
        if not existing:
            check_ours(event["batch_id"], documents)
            job_id = comprehend_medical.start_entities_detection_v2_job(**wanted)["JobId"]
            metrics.add_metric("EntityDetectionUsd", "None", documents["estimated_usd"])
            logger.info("job started", extra={"job_name": name, "job_id": job_id})
        elif alive := [job for job in existing if STATUSES[job["JobStatus"]] != "failed"]:
            job_id = alive[0]["JobId"]
            if STATUSES[alive[0]["JobStatus"]] == "completed":
                expected_seconds = 0
            logger.info("job adopted", extra={"job_name": name, "job_id": job_id})
        else:
            continue
        return jobs.started(job_id, expected_seconds, redrive_count)
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs over {documents['uri']} have failed; the last was {name}")


def check_ours(batch_id: str, documents: Mapping[str, Any]) -> None:
    bucket, _ = parse_uri(documents["uri"])
    if takeover_of(bucket, batch_id) != documents["takeover"]:
        raise TakenOver(
            f"Another execution has taken over recordings of {batch_id} (batches/{batch_id}/taken-over.json names it). "
            "The job was not started, since it would be paid twice. Start a new execution with the same input: it does "
            "what is still to be done."
        )


def request(name: str, documents: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    bucket, prefix = parse_uri(documents["uri"])
    return {
        **parameters,
        "JobName": name,
        # The SDK would make one up for every call; this one is the same when the same start is repeated.
        "ClientRequestToken": digest(name),
        "InputDataConfig": {"S3Bucket": bucket, "S3Key": prefix},
        "OutputDataConfig": {"S3Bucket": bucket, "S3Key": "entities/"},
        "DataAccessRoleArn": os.environ["ENTITY_DETECTION_ROLE_ARN"],
        # Without a key the service writes its output in plain text.
        "KMSKey": os.environ["CLINICAL_KEY_ARN"],
    }


def documents_of(job: Mapping[str, Any]) -> tuple[str, str]:
    return job["InputDataConfig"]["S3Bucket"], job["InputDataConfig"].get("S3Key", "").strip("/")


@observed("entity_detection")
@watching
def poll(event: dict[str, Any], context: object) -> jobs.Job:
    """Where the job stands. A partial success is a success: what is missing is found when the output is collected.

    Raises:
        JobFailed: the job failed or was stopped, or the service doesn't know it any more.
        JobDeadlineExceeded: it never ended.
    """
    job, redrive_count = event["job"], event["redrive_count"]
    try:
        answer = comprehend_medical.describe_entities_detection_v2_job(JobId=job["id"])
    except comprehend_medical.exceptions.ResourceNotFoundException as error:
        return jobs.failed(job, redrive_count, error.response["Error"]["Message"])
    properties = answer["ComprehendMedicalAsyncJobProperties"]
    status = properties["JobStatus"]
    if STATUSES[status] == "running":
        return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
    write_job_record(event["batch_id"], "entity_detection", job["id"], properties)
    if STATUSES[status] == "completed":
        output = properties["OutputDataConfig"]
        return jobs.completed(
            job,
            service_status=status,
            model_version=properties.get("ModelVersion"),
            # The directory the service made below our prefix; never to be reconstructed.
            output_uri=f"s3://{output['S3Bucket']}/{output['S3Key']}",
            manifest_path=properties["ManifestFilePath"],
        )
    return jobs.failed(job, redrive_count, properties.get("Message", f"its status is {status}, without a message"))
