"""S3 events from the queue become executions of the state machine.

One execution per batch of events. Its name is derived from what the events say, so that the same events delivered
again name the same execution, which Step Functions refuses to start twice.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3

from lambdas.shared.identity import digest
from lambdas.shared.observability import logger
from lambdas.shared.storage import uri_of

# An execution's input may have 262,144 bytes (Step Functions quotas); the rest is room for the JSON around the URIs.
MAXIMUM_INPUT_BYTES = 240_000

stepfunctions = boto3.client("stepfunctions")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the executions for one SQS batch of EventBridge `Object Created` events.

    Returns the ids of the messages that aren't such events; the queue hands them to its dead-letter queue in time.
    """
    recordings: dict[str, str] = {}
    unreadable: list[str] = []
    for record in event["Records"]:
        try:
            detail = json.loads(record["body"])["detail"]
            created = detail["object"]
            uri = uri_of(detail["bucket"]["name"], created["key"])
            version = created.get("version-id") or created["etag"]
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable.append(record["messageId"])
            continue
        if not created["key"].endswith("/"):  # the console's "folders" are empty objects
            recordings[uri] = version
    for uris in chunks(sorted(recordings)):
        start_execution(uris, [recordings[uri] for uri in uris])
    if unreadable:
        logger.error("messages that are no Object Created events", extra={"message_ids": unreadable})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable]}


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


def start_execution(uris: list[str], versions: list[str]) -> None:
    name = f"drop-{digest(*uris, *versions)}"
    try:
        stepfunctions.start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"], name=name, input=json.dumps({"media": uris})
        )
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        logger.info("these events were handled before", extra={"execution_name": name})
    else:
        logger.info("execution started", extra={"execution_name": name, "recordings": len(uris)})
