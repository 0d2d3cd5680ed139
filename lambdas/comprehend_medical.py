"""The Comprehend Medical jobs over a batch's documents: start the batch's new job, adopt earlier jobs, watch them all.

Sources: API reference of StartEntitiesDetectionV2Job and DescribeEntitiesDetectionV2Job. A batch adds at most one job,
because an account may run ten at a time.
"""

import os
from collections.abc import Mapping
from typing import Any, TypedDict

from lambdas.entities.jobs import EntityJob, note_ended, note_started, read_entity_jobs
from lambdas.rules.comprehend_medical import OPERATION, request_problems
from lambdas.shared import jobs, stages
from lambdas.shared.claim_items import answer_for
from lambdas.shared.errors import CostCeilingExceeded, IncompleteOutput, InvalidInput, JobFailed, TakenOver
from lambdas.shared.identity import digest
from lambdas.shared.job_records import write_job_record
from lambdas.shared.layout import ENTITIES, documents_prefix
from lambdas.shared.observability import logger, metrics, observed, watching
from lambdas.shared.pricing import TRANSCRIBE_MEDICAL_PER_SECOND
from lambdas.shared.sdk import client
from lambdas.shared.state import EntityOutput, ListedJob, Parameters, PreparedDocuments
from lambdas.shared.storage import read_json
from lambdas.shared.uris import uri_of

DEADLINE_SECONDS = 24 * 3600
MAXIMUM_ATTEMPTS = 50
# Our outcome for each JobStatus in the API reference.
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


class StartEntityDetectionEvent(TypedDict):
    batch_id: str
    documents: PreparedDocuments
    parameters: Parameters
    redrive_count: int


class PollEntityDetectionEvent(TypedDict):
    """`job` is the state of the jobs that StartEntityDetection or the last poll returned."""

    batch_id: str
    documents: PreparedDocuments
    job: jobs.Job
    redrive_count: int


@observed(stages.ENTITY_DETECTION.name)
def start(event: StartEntityDetectionEvent, context: object) -> jobs.Job:
    """Start the batch's jobs that were never started or have failed; adopt the others.

    The execution answers for the new job before it starts it. After a takeover, the new owner therefore finds the job
    in the ledger, and starts it if this execution died before the start. A job is found by its id, or by its name if
    the answer with the id was lost. If the listing doesn't show the job yet, the same request token makes the service
    return the same job.

    Raises:
        CostCeilingExceeded: with the new job the batch would cost too much; nothing was started.
        InvalidInput: the service would refuse the request.
        JobFailed: too many attempts have failed.
        TakenOver: recordings may have been taken over since their documents were prepared; prepare them again.
        IncompleteOutput: the service no longer knows a job whose end the ledger doesn't have.
    """
    documents, parameters = event["documents"], event["parameters"]
    new = documents["new"]
    if new["base"]:
        check_ceiling(documents)
        check_request(new["base"], parameters)
        if not answer_for(event["batch_id"], new["base"], documents["generation"]):
            raise TakenOver(
                f"Another execution may have taken over recordings of {event['batch_id']} since their documents were "
                "prepared. PrepareDocuments runs again for the remaining recordings."
            )
    listed: list[ListedJob] = read_json(os.environ["CLINICAL_BUCKET"], documents["jobs_key"])
    known = read_entity_jobs(job["base"] for job in listed)
    job_id, expected_seconds = "", 0
    for job in listed:
        # A job with an output has ended.
        if not known[job["base"]].output:
            job_id, has_ended = ensure_started(job, known[job["base"]], parameters)
            expected = 0 if has_ended else jobs.expected_entity_detection_seconds(job["documents"])
            expected_seconds = max(expected_seconds, expected)
    return jobs.started(job_id, expected_seconds, event["redrive_count"])


def check_ceiling(documents: PreparedDocuments) -> None:
    """Compare the real cost with the ceiling; PlanBatch compared an estimate, which may have been too low."""
    ceiling, new = float(os.environ["BATCH_CEILING_USD"]), documents["new"]
    transcription_usd = documents["billable_seconds"] * TRANSCRIBE_MEDICAL_PER_SECOND
    total_usd = round(transcription_usd + documents["estimated_usd"], 4)
    if total_usd > ceiling:
        metrics.add_metric("CostCeilingExceeded", "Count", 1)
        raise CostCeilingExceeded(
            f"Entity detection over {new['count']} documents with {new['characters']} characters would cost about "
            f"{new['estimated_usd']:.2f} USD. With the transcription, {transcription_usd:.2f} USD, the batch would "
            f"cost {total_usd:.2f} USD; costs.batch_ceiling_usd is {ceiling:.2f}. The job was not started. Raise it in "
            "cdk.json, deploy and redrive, or start smaller batches."
        )


def check_request(base: str, parameters: Parameters) -> None:
    """Check the request before the execution answers for a job that could never start."""
    model = comprehend_medical.meta.service_model.operation_model(OPERATION)
    if problems := request_problems(request(base, 1, parameters), model.input_shape):
        raise InvalidInput(f"Comprehend Medical would not take the request: {' '.join(problems)}")


def ensure_started(job: ListedJob, known: EntityJob, parameters: Parameters) -> tuple[str, bool]:
    """The id of the job's attempt that hasn't failed, started here if there is none, and whether it has ended."""
    attempt = known.attempt
    if known.id:
        properties = describe(known.id)
        if STATUSES[properties["JobStatus"]] != "failed":
            return adopted(known.id, properties)
        attempt += 1
    while attempt <= MAXIMUM_ATTEMPTS:
        wanted = request(job["base"], attempt, parameters)
        existing = find_jobs(wanted)
        if alive := [found for found in existing if STATUSES[found["JobStatus"]] != "failed"]:
            note_started(job["base"], alive[0]["JobId"], attempt)
            return adopted(alive[0]["JobId"], alive[0])
        if not existing:
            job_id = comprehend_medical.start_entities_detection_v2_job(**wanted)["JobId"]
            note_started(job["base"], job_id, attempt)
            metrics.add_metric("EntityDetectionUsd", "None", job["estimated_usd"])
            logger.info("job started", extra={"job_name": wanted["JobName"], "job_id": job_id})
            return job_id, False
        attempt += 1
    raise JobFailed(
        f"{MAXIMUM_ATTEMPTS} jobs over {documents_prefix(job['base'])} have failed; the last was {wanted['JobName']}"
    )


def adopted(job_id: str, properties: Mapping[str, Any]) -> tuple[str, bool]:
    logger.info("job adopted", extra={"job_name": properties.get("JobName"), "job_id": job_id})
    return job_id, STATUSES[properties["JobStatus"]] == "completed"


def describe(job_id: str) -> Mapping[str, Any]:
    """The service's description of the job.

    Raises:
        IncompleteOutput: the service no longer knows the job. It may have looked at its documents, and been paid.
    """
    try:
        answer = comprehend_medical.describe_entities_detection_v2_job(JobId=job_id)
    except comprehend_medical.exceptions.ResourceNotFoundException:
        raise IncompleteOutput(
            f"Comprehend Medical no longer knows the job {job_id}, and the ledger has no location of its output. "
            'Start a new execution with "reprocess": true.'
        ) from None
    properties: Mapping[str, Any] = answer["ComprehendMedicalAsyncJobProperties"]
    return properties


def find_jobs(wanted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The jobs of that name over the same documents. Names needn't be unique, so other jobs may have the name, too."""
    known = comprehend_medical.list_entities_detection_v2_jobs(Filter={"JobName": wanted["JobName"]})
    listed = known.get("ComprehendMedicalAsyncJobPropertiesList", [])
    return [job for job in listed if _input_of(job) == _input_of(wanted)]


def request(base: str, attempt: int, parameters: Parameters) -> dict[str, Any]:
    bucket = os.environ["CLINICAL_BUCKET"]
    name = f"{parameters.get('JobName', os.environ['RESOURCE_PREFIX'])}-{base}-{attempt}"
    return {
        **parameters,
        "JobName": name,
        # The SDK would generate a token for each call; this one is the same for each repetition of the start.
        "ClientRequestToken": digest(name),
        "InputDataConfig": {"S3Bucket": bucket, "S3Key": documents_prefix(base)},
        "OutputDataConfig": {"S3Bucket": bucket, "S3Key": ENTITIES},
        "DataAccessRoleArn": os.environ["ENTITY_DETECTION_ROLE_ARN"],
        # Without a key the service writes its output in plain text.
        "KMSKey": os.environ["CLINICAL_KEY_ARN"],
    }


def _input_of(job: Mapping[str, Any]) -> tuple[str, str]:
    return job["InputDataConfig"]["S3Bucket"], job["InputDataConfig"].get("S3Key", "").strip("/")


@observed(stages.ENTITY_DETECTION.name)
@watching
def poll(event: PollEntityDetectionEvent, context: object) -> jobs.Job:
    """The state of the batch's jobs; the output of each job goes into the ledger when the job ends.

    A partial success is a success: CollectEntities finds the missing outputs.

    Raises:
        JobFailed: a job failed or was stopped.
        JobDeadlineExceeded: a job has not ended in time.
        IncompleteOutput: the service no longer knows a job.
    """
    job, redrive_count, new = event["job"], event["redrive_count"], event["documents"]["new"]["base"]
    listed: list[ListedJob] = read_json(os.environ["CLINICAL_BUCKET"], event["documents"]["jobs_key"])
    outputs: dict[str, EntityOutput] = {}
    running = ""
    for base, known in read_entity_jobs(entry["base"] for entry in listed).items():
        if known.output:
            outputs[base] = known.output
            continue
        properties = describe(known.id)
        status = properties["JobStatus"]
        if STATUSES[status] == "running":
            running = known.id
            continue
        write_job_record(event["batch_id"], stages.ENTITY_DETECTION.name, known.id, properties)
        if STATUSES[status] == "failed":
            reason = properties.get("Message", f"its status is {status}, without a message")
            job["id"] = known.id
            return jobs.failed(job, redrive_count, reason)
        outputs[base] = output_of(properties)
        note_ended(base, outputs[base])
    if running:
        job["id"] = running
        return jobs.still_running(job, redrive_count, DEADLINE_SECONDS)
    if not outputs:
        # All records of the batch are complete from before, and the outputs behind them have expired.
        return jobs.completed(job)
    # The summary shows one job: the batch's new job if there is one.
    summarized = outputs.get(new) or next(iter(outputs.values()))
    if any(output["service_status"] == "PARTIAL_SUCCESS" for output in outputs.values()):
        summarized = {**summarized, "service_status": "PARTIAL_SUCCESS"}
    return jobs.completed(job, **summarized, jobs=len(outputs))


def output_of(properties: Mapping[str, Any]) -> EntityOutput:
    output = properties["OutputDataConfig"]
    return {
        "service_status": properties["JobStatus"],
        "model_version": properties.get("ModelVersion"),
        # The directory that the service created below our prefix; it can't be derived from the request.
        "output_uri": uri_of(output["S3Bucket"], output["S3Key"]),
        "manifest_path": properties["ManifestFilePath"],
    }
