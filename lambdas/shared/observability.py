"""The one logger and the one metrics collector. Neither may ever see text, file names or user ids.

Metrics are written to the log in CloudWatch's embedded metric format, once for the environment and once for the stage
in it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics

from lambdas.shared.jobs import Job

Event = TypeVar("Event")
Result = TypeVar("Result")
# A function as Lambda calls it, with whatever JSON says.
Called = Callable[[Any, object], Result]

logger = Logger()
metrics = Metrics()
# Powertools would add a dimension of its own, called service.
metrics.service = ""


def observed(stage: str, *, timed: bool = False) -> Callable[[Callable[[Event, object], Result]], Called[Result]]:
    """Have a function's log lines carry the execution's name, and its metrics the environment and `stage`.

    `timed` is for the steps that are a stage by themselves: they count how long they take as DurationSeconds. Every
    call counts a BatchesFinished of 0, so that an hour of work without a result is told from an hour without work.
    """

    def decorate(handler: Callable[[Event, object], Result]) -> Called[Result]:
        @functools.wraps(handler)
        def observe(event: Any, context: object) -> Result:
            environment = os.environ.get("RESOURCE_PREFIX", "unknown")
            logger.set_correlation_id(execution_of(event))
            metrics.add_dimension("environment", environment)
            metrics.add_dimensions(environment=environment, stage=stage)
            metrics.add_metric("BatchesFinished", "Count", 0)
            begin = time.monotonic()
            try:
                return handler(event, context)
            finally:
                if timed:
                    metrics.add_metric("DurationSeconds", "Seconds", time.monotonic() - begin)
                metrics.flush_metrics()

        return observe

    return decorate


def watching(poll: Callable[[Event, object], Job]) -> Called[Job]:
    """Count how long the job that `poll` asks about has been watched, and how long it took once it has ended.

    A redrive begins to watch anew. A transcript that was there before the execution isn't counted.
    """

    @functools.wraps(poll)
    def watch(event: Any, context: object) -> Job:
        job: Job = event["job"]
        if job["status"] != "IN_PROGRESS":
            return poll(event, context)
        age = max(0.0, time.time() - job["watched_since"])
        metrics.add_metric("JobAgeSeconds", "Seconds", age)
        answer = poll(event, context)
        if answer["status"] in ("COMPLETED", "REJECTED"):
            metrics.add_metric("DurationSeconds", "Seconds", age)
        return answer

    return watch


def execution_of(event: Mapping[str, Any]) -> str | None:
    """The name of the execution that calls a function, which is also the batch's id; the queue belongs to none."""
    if name := event.get("execution_name") or event.get("batch_id"):
        return str(name)
    holders = (event.get("batch"), event.get("recording"), event.get("state", {}).get("batch"))
    return next((str(holder["batch_id"]) for holder in holders if holder and "batch_id" in holder), None)
