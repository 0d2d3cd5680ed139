"""The Comprehend Medical job of one batch of documents: start it or adopt the one that exists, and watch it.

Facts: API reference of StartEntitiesDetectionV2Job and DescribeEntitiesDetectionV2Job. One job for the whole batch,
because an account may run ten at a time.
"""

import os
from typing import Any

import boto3

from lambdas.shared import jobs
from lambdas.shared.errors import CostCeilingExceeded, JobFailed
from lambdas.shared.identity import digest
from lambdas.shared.observability import logger
from lambdas.shared.storage import parse_uri

DEADLINE_SECONDS = 24 * 3600
MAXIMUM_ATTEMPTS = 50
DONE = ("COMPLETED", "PARTIAL_SUCCESS")
RUNNING = ("SUBMITTED", "IN_PROGRESS")

comprehend_medical = boto3.client("comprehendmedical")


def start(event: dict[str, Any], context: object) -> jobs.Job:
    """Start the job over `event["documents"]`, or adopt the one of an earlier attempt that didn't fail.

    The job is found by its name, which is derived from the documents; should an earlier answer have been lost and the
    listing not show the job yet, the same request token makes the service answer with the same job.

    Raises:
        CostCeilingExceeded: before anything is spent on entity detection.
        JobFailed: too many attempts have failed.
    """
    documents, redrive_count = event["documents"], event["redrive_count"]
    ceiling = float(os.environ["COST_CEILING_USD"])
    if documents["estimated_usd"] > ceiling:
        raise CostCeilingExceeded(
            f"Entity detection over {documents['count']} documents with {documents['characters']} characters would "
            f"cost about {documents['estimated_usd']:.2f} USD; the environment's ceiling is {ceiling:.2f} USD. The job "
            "was not started. Raise entity_detection.cost_ceiling_usd in cdk.json and deploy, or start smaller batches."
        )
    # Assumed, not documented: some minutes to start, then a few documents per second (docs/aws.md).
    expected_seconds = 300 + documents["count"] // 5
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        name = f"{os.environ['RESOURCE_PREFIX']}-{documents['documents_id']}-{attempt}"
        known = comprehend_medical.list_entities_detection_v2_jobs(Filter={"JobName": name})
        existing = known.get("ComprehendMedicalAsyncJobPropertiesList", [])
        if not existing:
            job_id = comprehend_medical.start_entities_detection_v2_job(**request(name, documents))["JobId"]
            logger.info("job started", extra={"job_name": name, "job_id": job_id})
        elif alive := [job for job in existing if job["JobStatus"] in RUNNING + DONE]:
            job_id = alive[0]["JobId"]
            if alive[0]["JobStatus"] in DONE:
                expected_seconds = 0
            logger.info("job adopted", extra={"job_name": name, "job_id": job_id})
        else:
            continue
        return jobs.started(job_id, expected_seconds, redrive_count)
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs over {documents['uri']} have failed; the last was {name}")


def request(name: str, documents: dict[str, Any]) -> dict[str, Any]:
    bucket, prefix = parse_uri(documents["uri"])
    return {
        "JobName": name,
        # The SDK would make one up for every call; this one is the same when the same start is repeated.
        "ClientRequestToken": digest(name),
        "InputDataConfig": {"S3Bucket": bucket, "S3Key": prefix},
        "OutputDataConfig": {"S3Bucket": bucket, "S3Key": "entities/"},
        "DataAccessRoleArn": os.environ["ENTITY_DETECTION_ROLE_ARN"],
        # Without a key the service writes its output in plain text.
        "KMSKey": os.environ["CLINICAL_KEY_ARN"],
        "LanguageCode": "en",
    }


def poll(event: dict[str, Any], context: object) -> jobs.Job:
    """Where the job stands. A partial success is a success: what is missing is found when the output is collected.

    Raises:
        JobFailed: the job failed or was stopped.
        JobDeadlineExceeded: it never ended.
    """
    job, redrive_count = event["job"], event["redrive_count"]
    answer = comprehend_medical.describe_entities_detection_v2_job(JobId=job["id"])
    properties = answer["ComprehendMedicalAsyncJobProperties"]
    status = properties["JobStatus"]
    if status in DONE:
        output = properties["OutputDataConfig"]
        return jobs.completed(
            job,
            service_status=status,
            # The directory the service made below our prefix; never to be reconstructed.
            output_uri=f"s3://{output['S3Bucket']}/{output['S3Key']}",
            manifest_path=properties["ManifestFilePath"],
        )
    if status in ("FAILED", "STOPPED"):
        return jobs.failed(job, redrive_count, properties.get("Message", f"its status is {status}, without a message"))
    return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
