"""The work of an audience model, a generation job and an export job, each in a thread of its own.

A thread sets its results before the status becomes ACTIVE, and nothing reads them earlier.
"""

import logging
import math
import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from local.engines import lookalike
from local.services.cleanroomsml import storage
from local.services.cleanroomsml.resources import (
    ACTIVE,
    FAILED,
    IN_PROGRESS,
    AudienceModel,
    ExportJob,
    GenerationJob,
    Resource,
    State,
)

MINIMUM_SEED = 25
MAXIMUM_SEED = 500_000

_logger = logging.getLogger(__name__)
_Worked = TypeVar("_Worked", bound=Resource)


def start(work: Callable[[_Worked], None], resource: _Worked) -> None:
    """Do `work` on `resource` in a new thread, taking it from CREATE_PENDING to ACTIVE or CREATE_FAILED."""
    name = f"{type(resource).__name__} {resource.id}"
    threading.Thread(target=_run, args=(work, resource), name=name, daemon=True).start()


def _run(work: Callable[[_Worked], None], resource: _Worked) -> None:
    resource.state = State(IN_PROGRESS)
    try:
        work(resource)
    except storage.JobFailure as failure:
        resource.state = State(FAILED, {"statusCode": failure.status_code, "message": str(failure)})
    except Exception as error:
        # After a defect here the job must end, too. The error's text isn't logged, because it may quote user ids.
        place = "".join(traceback.format_tb(error.__traceback__))
        _logger.error("%s failed with %s\n%s", resource.arn, type(error).__name__, place)
        message = "The local Clean Rooms ML failed; its log has the traceback"
        resource.state = State(FAILED, {"statusCode": "INTERNAL_ERROR", "message": message})
    else:
        resource.state = State(ACTIVE)


def train_audience_model(model: AudienceModel) -> None:
    """Learn from the data set's interactions within the training window, if the model has one.

    AWS requires 100,000 users and a million interactions; any number will do here.
    """
    role = storage.Role(model.dataset.request["roleArn"], source_arn=model.dataset.arn)
    since = _timestamp(model.request.get("trainingDataStartTime"), -math.inf)
    until = _timestamp(model.request.get("trainingDataEndTime"), math.inf)
    interactions = storage.read_interactions(role, model.dataset)
    try:
        model.trained = lookalike.train((user, item) for user, item, time in interactions if since <= time <= until)
    except ValueError as error:
        raise storage.JobFailure("INVALID_TRAINING_DATA", f"{model.dataset.arn}: {error}") from error


def generate_audience(job: GenerationJob) -> None:
    """Rank the training data's users by similarity to the seed, and judge the result.

    Sources: "Seed data requirements" in the AWS Clean Rooms user guide (25 to 500,000 unique ids), and botocore on
    minMatchingSeedSize.
    """
    model = trained(job)
    seed_audience = job.request["seedAudience"]
    uri = seed_audience["dataSource"]["s3Uri"]
    seed = storage.read_seed(storage.Role(seed_audience["roleArn"], source_arn=job.arn), uri)
    if not MINIMUM_SEED <= len(seed) <= MAXIMUM_SEED:
        raise storage.JobFailure(
            "INVALID_SEED_SIZE",
            f"{uri} has {len(seed)} unique user ids; a seed must have {MINIMUM_SEED} to {MAXIMUM_SEED}",
        )
    matching, needed = len(model.indexes(seed)), job.configured_model.request["minMatchingSeedSize"]
    if matching < needed:
        raise storage.JobFailure(
            "INSUFFICIENT_MATCHING_SEED",
            f"{matching} user ids of {uri} are in the training data; {job.configured_model.arn} needs {needed}",
        )
    audience = lookalike.generate(model, seed)
    try:
        job.metrics = _metrics(job, audience)
    except ValueError as error:
        raise storage.JobFailure("EMPTY_AUDIENCE", f"{uri}: {error}") from error
    job.audience = audience


def export_audience(export: ExportJob) -> None:
    """Write the audience's most similar users; before them, if it was asked for, the seed."""
    job = export.generation_job
    model, audience = trained(job), job.audience
    assert audience is not None, "an export starts from an ACTIVE generation job"
    rows = audience.lookalikes.tolist()
    if job.request["includeSeedInOutput"]:
        rows = audience.seed.tolist() + rows
    output = job.configured_model.request["outputConfig"]
    role = storage.Role(output["roleArn"], source_arn=job.configured_model.arn)
    size = _number_of_users(job, export.request["audienceSize"])
    storage.write_audience(role, export.output_location, (model.user_ids[row] for row in rows[:size]))


def trained(job: GenerationJob) -> lookalike.LookalikeModel:
    """The model behind the job."""
    model = job.configured_model.audience_model.trained
    assert model is not None, "only an ACTIVE audience model can be configured"
    return model


def _metrics(job: GenerationJob, audience: lookalike.Audience) -> dict[str, Any]:
    """AudienceQualityMetrics.

    The user guide ("model evaluation metrics") explains relevance as -1 (least similar) to 1, 0 meaning distributed as
    the seed. The API reference and botocore's RelevanceMetric give `score` the range 0.0 to 10.0. An answer of the API
    keeps to the API's range: -1..1 is mapped onto 0..10, so that 5 means distributed as the seed. How AWS maps one to
    the other is not documented. recallMetric is 0 to 1 in both; random selection has the largest bin's share.
    """
    sizes = job.configured_model.audience_sizes
    numbers = [_number_of_users(job, size) for size in sizes]
    scores = lookalike.relevance(audience, numbers)
    return {
        "relevanceMetrics": [
            {"audienceSize": size, "score": 5 * (score + 1)} for size, score in zip(sizes, scores, strict=True)
        ],
        "recallMetric": lookalike.recall(trained(job), audience, max(numbers)),
    }


def _number_of_users(job: GenerationJob, size: dict[str, Any]) -> int:
    """An audience size as a number of users; a percentage is of all users in the training data."""
    if size["type"] == "ABSOLUTE":
        return int(size["value"])
    return math.ceil(len(trained(job).user_ids) * int(size["value"]) / 100)


def _timestamp(time: datetime | None, otherwise: float) -> float:
    return otherwise if time is None else time.timestamp()
