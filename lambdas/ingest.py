"""Start executions of the state machine for S3 events from the queue.

A batch of events becomes one execution. Its name is derived from the objects' versions, so the same events delivered
again give the same name, and Step Functions refuses to start the same name twice.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.planning.object_created import NotAnEvent, ObjectCreated, read_message
from lambdas.shared import stages
from lambdas.shared.identity import digest
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.sdk import client

# An execution's input may have 262,144 bytes (Step Functions quotas); the difference is for the JSON around the URIs.
MAXIMUM_INPUT_BYTES = 240_000
# A line of the log may have 256 KiB; an event takes 0.1 KiB.
EVENTS_PER_LINE = 500

# The pause after a start. PlanBatch sends S3 five requests per recording, 500 a second. Two invocations at a time
# (infra/ingest.py), each as long as its planning, use at most a fifth of the request rate that S3 allows for a prefix
# (S3 guide, "Optimizing performance").
PLANNED_PER_SECOND = 100

stepfunctions = client("stepfunctions")


@observed(stages.INGEST, timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the executions for one SQS batch of EventBridge `Object Created` events.

    Returns the ids of the messages that SQS is to deliver again: messages whose execution could not be started, and
    messages that aren't such events, which end in the dead-letter queue.
    """
    created: dict[str, list[ObjectCreated]] = defaultdict(list)
    returned: list[str] = []
    for message in event["Records"]:
        try:
            read = read_message(message)
        except NotAnEvent as error:
            extra = {"message_id": message["messageId"], "problem": str(error)}
            logger.error("message is no Object Created event", extra=extra)
            returned.append(message["messageId"])
            continue
        if not read.uri.endswith("/"):  # the console's "folders" are empty objects
            created[read.uri].append(read)
            count_waiting(read.time)
    for uris in chunks(sorted(created)):
        part = [each for uri in uris for each in created[uri]]
        name = f"drop-{digest(*uris, *versions(created[uri] for uri in uris))}"
        logger.set_correlation_id(name)
        tell_events(part)
        try:
            start_execution(name, uris)
        except (ClientError, BotoCoreError) as error:
            # Only this part returns, so that events of a started execution aren't regrouped under another name.
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            logger.error("execution not started", extra={"code": code})
            returned += [each.message_id for each in part]
    metrics.add_metric("EventsReceived", "Count", len(event["Records"]))
    metrics.add_metric("EventsReturned", "Count", len(returned))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}


def chunks(uris: list[str]) -> Iterator[list[str]]:
    """Cut the list into parts that each fit into an execution's input."""
    part: list[str] = []
    size = 0
    for uri in uris:
        length = len(json.dumps(uri)) + 2
        if part and size + length > MAXIMUM_INPUT_BYTES:
            yield part
            part, size = [], 0
        part.append(uri)
        size += length
    if part:
        yield part


def versions(groups: Iterable[list[ObjectCreated]]) -> Iterator[str]:
    """The distinct versions of each object, in an order that doesn't depend on the order of the messages."""
    for group in groups:
        yield from sorted({each.version for each in group})


def count_waiting(time_of_event: Any) -> None:
    """Count the time since the upload as WaitingSeconds; `time` is in EventBridge's guide, "Event structure"."""
    try:
        uploaded = datetime.fromisoformat(time_of_event)
        metrics.add_metric("WaitingSeconds", "Seconds", max(0.0, (datetime.now(UTC) - uploaded).total_seconds()))
    except (TypeError, ValueError, OverflowError):
        pass  # a hand-written event may have no time; it is processed all the same


def tell_events(created: list[ObjectCreated]) -> None:
    """Log the execution's messages and events, so that a recording can be traced from S3 on."""
    for first in range(0, len(created), EVENTS_PER_LINE):
        events = [
            {"message_id": each.message_id, "event_id": each.event_id, "media_id": each.media_id}
            for each in created[first : first + EVENTS_PER_LINE]
        ]
        logger.info("events of the execution", extra={"events": events})


def start_execution(name: str, uris: list[str]) -> None:
    try:
        stepfunctions.start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"], name=name, input=json.dumps({"media": uris})
        )
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        logger.info("these events were handled before", extra={"execution_name": name})
    else:
        logger.info("execution started", extra={"execution_name": name, "recordings": len(uris)})
        time.sleep(len(uris) / PLANNED_PER_SECOND)
