"""The one logger and the one metrics collector. Never pass text, file names or user ids to either.

Metrics go to the log in CloudWatch's embedded metric format, once per environment and once per environment and stage:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
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
# A function as Lambda calls it, with any JSON event.
Called = Callable[[Any, object], Result]

logger = Logger()
metrics = Metrics()
# Without this, Powertools adds a dimension called service.
metrics.service = ""


def observed(stage: str, *, timed: bool = False) -> Callable[[Callable[[Event, object], Result]], Called[Result]]:
    """Add the execution's name to a function's log lines, and the environment and `stage` to its metrics.

    `timed` is for a step that is a whole stage: its duration becomes the metric DurationSeconds. Every call counts a
    BatchesFinished of 0, so that alarms can distinguish an hour of work without a result from an hour without work.
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
    """Count the watched time of a polled job as JobAgeSeconds and, once the job has ended, as DurationSeconds.

    A redrive restarts the watched time. A transcript that existed before the execution isn't counted.
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
    """The name of the execution that calls a function, which is also the batch's id; None for the queue's events."""
    if name := event.get("execution_name") or event.get("batch_id"):
        return str(name)
    holders = (event.get("batch"), event.get("recording"), event.get("state", {}).get("batch"))
    return next((str(holder["batch_id"]) for holder in holders if holder and "batch_id" in holder), None)
