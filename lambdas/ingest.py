"""S3 events from the queue become executions of the state machine.

One execution per batch of events. Its name is derived from what the events say, so that the same events delivered
again name the same execution, which Step Functions refuses to start twice.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambdas.shared.identity import digest
from lambdas.shared.observability import logger, metrics, observed
from lambdas.shared.storage import uri_of

# An execution's input may have 262,144 bytes (Step Functions quotas); the rest is room for the JSON around the URIs.
MAXIMUM_INPUT_BYTES = 240_000
# A line of the log may have 256 KiB; an event takes a tenth of a KiB.
EVENTS_PER_LINE = 500

# PlanBatch asks S3 four times per recording, 400 times a second. Two invocations at a time (infra/ingest.py) that last
# about as long keep a drop of any size at a fifth of what a prefix takes (S3 guide, "Optimizing performance").
PLANNED_PER_SECOND = 100

stepfunctions = boto3.client("stepfunctions")


@observed("ingest", timed=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the executions for one SQS batch of EventBridge `Object Created` events.

    Returns the ids of the messages that are to come back: those of an execution that could not be started, and those
    that aren't such events, which end in the dead-letter queue.
    """
    versions: dict[str, set[str]] = defaultdict(set)
    messages: dict[str, list[str]] = defaultdict(list)
    events: dict[str, list[dict[str, str]]] = defaultdict(list)
    returned: list[str] = []
    for record in event["Records"]:
        try:
            event_body = json.loads(record["body"])
            detail = event_body["detail"]
            created = detail["object"]
            uri = uri_of(detail["bucket"]["name"], created["key"])
            version = created.get("version-id") or created["etag"]
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.error("message is no Object Created event", extra={"message_id": record["messageId"]})
            returned.append(record["messageId"])
            continue
        if not created["key"].endswith("/"):  # the console's "folders" are empty objects
            versions[uri].add(version)
            messages[uri].append(record["messageId"])
            media = digest(detail["bucket"]["name"], created["key"], version)  # as identity.media_id names it
            events[uri].append(
                {"message_id": record["messageId"], "event_id": str(event_body.get("id")), "media_id": media}
            )
            count_waiting(event_body)
    for uris in chunks(sorted(versions)):
        name = f"drop-{digest(*uris, *(version for uri in uris for version in sorted(versions[uri])))}"
        logger.set_correlation_id(name)
        tell_events([event for uri in uris for event in events[uri]])
        try:
            start_execution(name, uris)
        except ClientError as error:
            # Only this part returns: what was started is not to be regrouped under another name.
            logger.error("execution not started", extra={"code": error.response["Error"]["Code"]})
            returned += [message_id for uri in uris for message_id in messages[uri]]
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


def count_waiting(event: dict[str, Any]) -> None:
    """Count how long ago the recording was uploaded, by the event's own time (EventBridge guide, "Event structure")."""
    try:
        uploaded = datetime.fromisoformat(event["time"])
        metrics.add_metric("WaitingSeconds", "Seconds", max(0.0, (datetime.now(UTC) - uploaded).total_seconds()))
    except (KeyError, TypeError, ValueError):
        pass  # an event that was put there by hand may have none; it is worked on all the same


def tell_events(events: list[dict[str, str]]) -> None:
    """Say in the log which messages and events became the execution, so that a recording can be followed from S3 on."""
    for first in range(0, len(events), EVENTS_PER_LINE):
        logger.info("events of the execution", extra={"events": events[first : first + EVENTS_PER_LINE]})


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
