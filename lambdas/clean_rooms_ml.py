"""The Clean Rooms ML jobs of one cohort: generate the lookalike audience, and export it if the cohort asks for that.

Sources: API reference of StartAudienceGenerationJob, GetAudienceGenerationJob, StartAudienceExportJob and
ListAudienceExportJobs. Neither start takes a client token, and an export has no id, so jobs are found again by name.
The model usually belongs to another account of the collaboration. Only the start works across accounts ("IAM behaviors
for AWS Clean Rooms ML" in the Clean Rooms user guide), so jobs and exports are listed by our own account, not by model.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, TypedDict, Unpack

from lambdas.cohorts.audience_attempts import name_of, unless_failed
from lambdas.cohorts.model_owner import refusal
from lambdas.rules.clean_rooms_ml import OPERATION, request_problems
from lambdas.rules.parameters import merged
from lambdas.shared import jobs, stages
from lambdas.shared.errors import InvalidInput
from lambdas.shared.job_records import write_job_record
from lambdas.shared.observability import logger, observed, watching
from lambdas.shared.sdk import client
from lambdas.shared.state import Parameters, SeededCohort
from lambdas.shared.storage import list_keys
from lambdas.shared.uris import parse_uri

GENERATION_DEADLINE_SECONDS = 24 * 3600
EXPORT_DEADLINE_SECONDS = 12 * 3600
# Assumed, not documented (docs/aws.md).
EXPECTED_GENERATION_SECONDS = 3600
EXPECTED_EXPORT_SECONDS = 600
SEED_DELETED = "The seed was deleted after it was selected, as when a patient in it is forgotten. "
SEED_DELETED += "The next execution selects another."
PAGES = {"PageSize": 100}  # the most that the API gives

# Our outcome for each status in the API reference; an export has the first four.
STATUSES = {
    "CREATE_PENDING": "running",
    "CREATE_IN_PROGRESS": "running",
    "ACTIVE": "completed",
    "CREATE_FAILED": "refused",
    "DELETE_PENDING": "failed",
    "DELETE_IN_PROGRESS": "failed",
    "DELETE_FAILED": "failed",
}

clean_rooms_ml = client("cleanroomsml")


class StartGenerationEvent(TypedDict):
    """A new `reprocess_id` requests another audience of the same seed; it is empty otherwise."""

    batch_id: str
    seed: SeededCohort
    parameters: Parameters
    reprocess_id: str
    redrive_count: int


class StartExportEvent(TypedDict):
    batch_id: str
    seed: SeededCohort
    generation: jobs.Job
    redrive_count: int


class PollEvent(TypedDict):
    """`job` is the state of the generation or export that its start or the last poll returned."""

    batch_id: str
    job: jobs.Job
    redrive_count: int


@observed(stages.AUDIENCE_GENERATION.name)
def start(event: StartGenerationEvent, context: object) -> jobs.Job:
    """Start to generate the audience of `event["seed"]` with `event["parameters"]`, or adopt a job that didn't fail.

    A refusal by the owner of a model in another account is a rejection, because we can't repair its cause. So is a seed
    that isn't there any more: forgetting a patient deletes it, and the next execution selects another.

    Raises:
        InvalidInput: the service would refuse the request.
        JobFailed: too many attempts have failed.
    """
    seed, parameters, redrive_count = event["seed"], event["parameters"], event["redrive_count"]
    model_arn = parameters["configuredAudienceModelArn"]
    base = name_of(
        seed["cohort"],
        seed["seed_id"],
        model_arn,
        parameters.get("collaborationId", ""),
        str(parameters.get("includeSeedInOutput", False)),
        event["reprocess_id"],
    )

    def usable(job: Any) -> bool:
        """The name depends on the model, so a job of that name for another model isn't ours and only occupies it."""
        return goes_on(job) and job["configuredAudienceModelArn"] == model_arn

    name, known = unless_failed(base, generations(), usable)
    if not known:
        if seed["seed_uri"] and not is_there(seed["seed_uri"]):
            return jobs.rejected(jobs.started(name, 0, redrive_count), SEED_DELETED)
        wanted = request(name, seed, parameters)
        model = clean_rooms_ml.meta.service_model.operation_model(OPERATION)
        if problems := request_problems(wanted, model.input_shape):
            raise InvalidInput(f"Clean Rooms ML would not take the request: {' '.join(problems)}")
        try:
            arn = clean_rooms_ml.start_audience_generation_job(**wanted)["audienceGenerationJobArn"]
        except clean_rooms_ml.exceptions.ConflictException:
            # Since the listing, a start whose answer was lost or another execution may have taken the name.
            name, known = unless_failed(base, generations(), usable)
            if not known:
                raise
        except (
            clean_rooms_ml.exceptions.AccessDeniedException,
            clean_rooms_ml.exceptions.ResourceNotFoundException,
            clean_rooms_ml.exceptions.ValidationException,
        ) as error:
            # The documentation doesn't say which of these errors a wrong collaboration gives.
            reason = refusal(error, model_arn, own_arn=wanted["seedAudience"]["roleArn"])
            if reason is None:
                raise
            return jobs.rejected(jobs.started(name, 0, redrive_count), reason)
        else:
            logger.info("job started", extra={"job_name": name})
            return jobs.started(arn, EXPECTED_GENERATION_SECONDS, redrive_count)
    logger.info("job adopted", extra={"job_name": name})
    expected_seconds = 0 if STATUSES[known["status"]] == "completed" else EXPECTED_GENERATION_SECONDS
    return jobs.started(known["audienceGenerationJobArn"], expected_seconds, redrive_count)


def is_there(uri: str) -> bool:
    bucket, key = parse_uri(uri)
    return key in list_keys(bucket, key)


def request(name: str, seed: SeededCohort, parameters: Parameters) -> dict[str, Any]:
    source = {"dataSource": {"s3Uri": seed["seed_uri"]}} if seed["seed_uri"] else sql_seed(seed["cohort"])
    return {
        "description": f"cohort {seed['cohort']}",
        **parameters,
        "name": name,
        "seedAudience": {**source, "roleArn": os.environ["SEED_READER_ROLE_ARN"]},
    }


def sql_seed(cohort: str) -> dict[str, Any]:
    """The query's seed, read from the environment: a query may be too long or too confidential for the state."""
    cohorts = {item["name"]: item["seedAudience"] for item in json.loads(os.environ["SQL_COHORTS"])}
    found: dict[str, Any] = merged({}, cohorts[cohort])  # without nulls, which the SDK would refuse
    return found


@observed(stages.AUDIENCE_GENERATION.name)
@watching
def poll(event: PollEvent, context: object) -> jobs.Job:
    """The generation's state; once it is ACTIVE, with the metrics that the model's owner shares.

    Raises:
        JobFailed: the service could not generate the audience, or no longer knows the job.
        JobDeadlineExceeded: the job has not ended in time.
    """
    job = event["job"]
    if job["status"] == "REJECTED":
        return job
    try:
        answer = clean_rooms_ml.get_audience_generation_job(audienceGenerationJobArn=job["id"])
    except clean_rooms_ml.exceptions.ResourceNotFoundException as error:
        return jobs.failed(job, event["redrive_count"], error.response["Error"]["Message"])
    if STATUSES[answer["status"]] != "running":
        write_job_record(event["batch_id"], stages.AUDIENCE_GENERATION.name, answer["name"], answer)
    return outcome(job, answer, event["redrive_count"], GENERATION_DEADLINE_SECONDS, metrics=answer.get("metrics"))


@observed(stages.AUDIENCE_EXPORT.name)
def start_export(event: StartExportEvent, context: object) -> jobs.Job:
    """Start the export of the generated audience in the cohort's export size, or adopt an export that didn't fail.

    Raises:
        JobFailed: too many attempts have failed.
    """
    size, redrive_count = event["seed"]["export"], event["redrive_count"]
    assert size is not None  # the state ExportWanted? has checked it
    generation_arn = event["generation"]["id"]
    base = name_of(generation_arn, size["type"], str(size["value"]))
    name, known = unless_failed(base, exports(generation_arn), goes_on)
    expected_seconds = 0 if known and STATUSES[known["status"]] == "completed" else EXPECTED_EXPORT_SECONDS
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


@observed(stages.AUDIENCE_EXPORT.name)
@watching
def poll_export(event: PollEvent, context: object) -> jobs.Job:
    """The export's state; once it is ACTIVE, with its location, which is hidden if another account owns the model.

    Raises:
        JobFailed: the service could not export, or no longer lists the export.
        JobDeadlineExceeded: the export has not ended in time.
    """
    job = event["job"]
    if job["status"] == "REJECTED":
        return job
    generation_arn = job["result"]["audience_generation_job_arn"]
    answer = next((export for export in exports(generation_arn) if export["name"] == job["id"]), None)
    if answer is None:
        return jobs.failed(job, event["redrive_count"], f"{generation_arn} has no export of that name")
    if STATUSES[answer["status"]] != "running":
        write_job_record(event["batch_id"], stages.AUDIENCE_EXPORT.name, job["id"], answer)
    return outcome(
        job,
        answer,
        event["redrive_count"],
        EXPORT_DEADLINE_SECONDS,
        audience_generation_job_arn=generation_arn,
        output_uri=answer.get("outputLocation"),
    )


def goes_on(job: Any) -> bool:
    return STATUSES[job["status"]] in ("running", "completed")


def generations() -> Iterator[Any]:
    """The account's jobs; each page is requested when it is needed."""
    for page in clean_rooms_ml.get_paginator("list_audience_generation_jobs").paginate(PaginationConfig=PAGES):
        yield from page["audienceGenerationJobs"]


def exports(generation_arn: str) -> Iterator[Any]:
    asked = {"audienceGenerationJobArn": generation_arn, "PaginationConfig": PAGES}
    for page in clean_rooms_ml.get_paginator("list_audience_export_jobs").paginate(**asked):
        yield from page["audienceExportJobs"]


def outcome(
    job: jobs.Job, answer: Any, redrive_count: int, deadline_seconds: int, **result: Unpack[jobs.JobResult]
) -> jobs.Job:
    status = STATUSES[answer["status"]]
    if status == "completed":
        return jobs.completed(job, **result)
    if status == "running":
        return jobs.still_running(job, redrive_count, deadline_seconds)
    details = answer.get("statusDetails", {})
    reason = f"{answer['status']} {details.get('statusCode', '')} {details.get('message', '')}".strip()
    if status == "failed" or jobs.is_ours(reason):
        return jobs.failed(job, redrive_count, reason)
    # A seed that the model can't use must not stop the other cohorts and the batch's report.
    return jobs.rejected(job, reason)
