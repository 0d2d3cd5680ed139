"""S3 events from the queue become executions of the state machine.

One execution per batch of events. Its name is derived from what the events say, so that the same events delivered
again name the same execution, which Step Functions refuses to start twice.
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

# An execution's input may have 262,144 bytes (Step Functions quotas); the rest is room for the JSON around the URIs.
MAXIMUM_INPUT_BYTES = 240_000
# A line of the log may have 256 KiB; an event takes a tenth of a KiB.
EVENTS_PER_LINE = 500

# PlanBatch asks S3 five times per recording, 500 times a second. Two invocations at a time (infra/ingest.py) that last
# about as long keep a drop of any size at a fifth of what a prefix takes (S3 guide, "Optimizing performance").
PLANNED_PER_SECOND = 100

stepfunctions = client("stepfunctions")


@observed(stages.INGEST, timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the executions for one SQS batch of EventBridge `Object Created` events.

    Returns the ids of the messages that are to come back: those of an execution that could not be started, and those
    that aren't such events, which end in the dead-letter queue.
    """
    created: dict[str, list[ObjectCreated]] = defaultdict(list)
    returned: list[str] = []
    for message in event["Records"]:
        try:
            one = read_message(message)
        except NotAnEvent as error:
            extra = {"message_id": message["messageId"], "problem": str(error)}
            logger.error("message is no Object Created event", extra=extra)
            returned.append(message["messageId"])
            continue
        if not one.uri.endswith("/"):  # the console's "folders" are empty objects
            created[one.uri].append(one)
            count_waiting(one.time)
    for uris in chunks(sorted(created)):
        part = [one for uri in uris for one in created[uri]]
        name = f"drop-{digest(*uris, *versions(created[uri] for uri in uris))}"
        logger.set_correlation_id(name)
        tell_events(part)
        try:
            start_execution(name, uris)
        except (ClientError, BotoCoreError) as error:
            # Only this part returns: what was started is not to be regrouped under another name.
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            logger.error("execution not started", extra={"code": code})
            returned += [one.message_id for one in part]
    metrics.add_metric("EventsReceived", "Count", len(event["Records"]))
    metrics.add_metric("EventsReturned", "Count", len(returned))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in returned]}


def chunks(uris: list[str]) -> Iterator[list[str]]:
    """Cut the list so that each part fits into an execution's input."""
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
    """The versions of each object, each once, in an order that doesn't depend on that of the messages."""
    for group in groups:
        yield from sorted({one.version for one in group})


def count_waiting(time_of_event: Any) -> None:
    """Count how long ago the recording was uploaded, by the event's own time (EventBridge guide, "Event structure")."""
    try:
        uploaded = datetime.fromisoformat(time_of_event)
        metrics.add_metric("WaitingSeconds", "Seconds", max(0.0, (datetime.now(UTC) - uploaded).total_seconds()))
    except (TypeError, ValueError, OverflowError):
        pass  # an event that was put there by hand may have none; it is worked on all the same


def tell_events(created: list[ObjectCreated]) -> None:
    """Say in the log which messages and events became the execution, so that a recording can be followed from S3 on."""
    for first in range(0, len(created), EVENTS_PER_LINE):
        events = [
            {"message_id": one.message_id, "event_id": one.event_id, "media_id": one.media_id}
            for one in created[first : first + EVENTS_PER_LINE]
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
