"""The Clean Rooms ML jobs of one cohort: generate the lookalike audience, and export it where that is wanted.

Facts: API reference of StartAudienceGenerationJob, GetAudienceGenerationJob, StartAudienceExportJob and
ListAudienceExportJobs. Neither start takes a client token, and an export has no id: both are found again by name.
Names have at most 63 characters and are unique in the account, whatever the model; cohort names would not fit.
"""

import os
from typing import Any

import boto3

from lambdas.shared import jobs
from lambdas.shared.errors import JobFailed
from lambdas.shared.identity import digest
from lambdas.shared.observability import logger

GENERATION_DEADLINE_SECONDS = 24 * 3600
EXPORT_DEADLINE_SECONDS = 12 * 3600
MAXIMUM_ATTEMPTS = 9999
# Assumed, not documented (docs/aws.md).
EXPECTED_GENERATION_SECONDS = 3600
EXPECTED_EXPORT_SECONDS = 600
RUNNING_OR_DONE = ("CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE")

clean_rooms_ml = boto3.client("cleanroomsml")


def start(event: dict[str, Any], context: object) -> jobs.Job:
    """Start the generation of the audience of `event["seed"]`, or adopt the one that didn't fail.

    Raises:
        JobFailed: too many attempts have failed.
    """
    seed, redrive_count = event["seed"], event["redrive_count"]
    model_arn, collaboration_id = os.environ["CONFIGURED_AUDIENCE_MODEL_ARN"], os.environ["COLLABORATION_ID"]
    base = name_of(seed["cohort"], seed["seed_id"], model_arn, collaboration_id)
    pages = clean_rooms_ml.get_paginator("list_audience_generation_jobs").paginate(configuredAudienceModelArn=model_arn)
    existing = {job["name"]: job for page in pages for job in page["audienceGenerationJobs"]}
    name, known = unless_failed(base, existing)
    expected_seconds = EXPECTED_GENERATION_SECONDS
    if known:
        arn = known["audienceGenerationJobArn"]
        expected_seconds = 0 if known["status"] == "ACTIVE" else expected_seconds
        logger.info("job adopted", extra={"job_name": name})
    else:
        parameters: dict[str, Any] = {
            "name": name,
            "description": f"cohort {seed['cohort']}",
            "configuredAudienceModelArn": model_arn,
            "seedAudience": {
                "roleArn": os.environ["SEED_READER_ROLE_ARN"],
                "dataSource": {"s3Uri": seed["seed_uri"]},
            },
        }
        if collaboration_id:
            parameters["collaborationId"] = collaboration_id
        arn = clean_rooms_ml.start_audience_generation_job(**parameters)["audienceGenerationJobArn"]
        logger.info("job started", extra={"job_name": name})
    return jobs.started(arn, expected_seconds, redrive_count)


def poll(event: dict[str, Any], context: object) -> jobs.Job:
    """Where the generation stands; once ACTIVE, with the metrics that the model's owner shares.

    Raises:
        JobFailed: the service could not make the audience.
        JobDeadlineExceeded: it never ended.
    """
    job = event["job"]
    answer = clean_rooms_ml.get_audience_generation_job(audienceGenerationJobArn=job["id"])
    return outcome(job, answer, event["redrive_count"], GENERATION_DEADLINE_SECONDS, metrics=answer.get("metrics"))


def start_export(event: dict[str, Any], context: object) -> jobs.Job:
    """Start the export of the generated audience in the size the cohort asks for, or adopt the one that didn't fail.

    Raises:
        JobFailed: too many attempts have failed.
    """
    size, redrive_count = event["seed"]["export"], event["redrive_count"]
    generation_arn = event["generation"]["id"]
    base = name_of(generation_arn, size["type"], str(size["value"]))
    name, known = unless_failed(base, exports_of(generation_arn))
    expected_seconds = 0 if known and known["status"] == "ACTIVE" else EXPECTED_EXPORT_SECONDS
    job = jobs.started(name, expected_seconds, redrive_count)
    job["result"] = {"audience_generation_job_arn": generation_arn}
    if known:
        logger.info("job adopted", extra={"job_name": name})
        return job
    try:
        clean_rooms_ml.start_audience_export_job(name=name, audienceGenerationJobArn=generation_arn, audienceSize=size)
    except clean_rooms_ml.exceptions.ValidationException as error:
        return jobs.rejected(job, error.response["Error"]["Message"])
    logger.info("job started", extra={"job_name": name})
    return job


def poll_export(event: dict[str, Any], context: object) -> jobs.Job:
    """Where the export stands; once ACTIVE, with its location if the model's owner lets us see it.

    Raises:
        JobFailed: the service could not export, or no longer lists the export.
        JobDeadlineExceeded: it never ended.
    """
    job = event["job"]
    if job["status"] == "REJECTED":
        return job  # type: ignore[no-any-return]
    generation_arn = job["result"]["audience_generation_job_arn"]
    answer = exports_of(generation_arn).get(job["id"])
    if answer is None:
        return jobs.failed(job, event["redrive_count"], f"{generation_arn} has no export of that name")
    return outcome(
        job,
        answer,
        event["redrive_count"],
        EXPORT_DEADLINE_SECONDS,
        audience_generation_job_arn=generation_arn,
        output_uri=answer.get("outputLocation"),
    )


def name_of(*parts: str) -> str:
    return f"{os.environ['RESOURCE_PREFIX']}-{digest(*parts)[:16]}"


def exports_of(generation_arn: str) -> dict[str, Any]:
    pages = clean_rooms_ml.get_paginator("list_audience_export_jobs").paginate(audienceGenerationJobArn=generation_arn)
    return {job["name"]: job for page in pages for job in page["audienceExportJobs"]}


def unless_failed(base: str, existing: dict[str, Any]) -> tuple[str, Any]:
    """The name of the next attempt, with the job that has it already and did not fail, if there is one."""
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        name = f"{base}-{attempt}"
        known = existing.get(name)
        if known is None or known["status"] in RUNNING_OR_DONE:
            return name, known
    raise JobFailed(f"{MAXIMUM_ATTEMPTS} jobs named {base}-<attempt> have failed")


def outcome(job: jobs.Job, answer: Any, redrive_count: int, deadline_seconds: int, **result: object) -> jobs.Job:
    if answer["status"] == "ACTIVE":
        return jobs.completed(job, **result)
    if answer["status"] in RUNNING_OR_DONE:
        return jobs.still_running(job, redrive_count, deadline_seconds)
    details = answer.get("statusDetails", {})
    reason = f"{answer['status']} {details.get('statusCode', '')} {details.get('message', '')}".strip()
    if jobs.is_ours(reason) or not answer["status"].startswith("CREATE"):
        return jobs.failed(job, redrive_count, reason)
    # A seed that the model can't use must not keep the other cohorts, and the batch's report, from coming out.
    return jobs.rejected(job, reason)
