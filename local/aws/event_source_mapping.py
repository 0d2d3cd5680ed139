"""Lambda event source mappings of SQS queues, which poll a queue and invoke a function with batches.

moto invokes the function inside SendMessage (so inside the PutObject that caused it), with one message at a time, and
deletes messages that the function reported as failed. Here every mapping has a poller thread, as described in
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

Differences from AWS. A mapping invokes one batch at a time (as with a MaximumConcurrency of 1); a batch is not cut at
6 MB; FilterCriteria are not applied; message attributes are not passed on; the function's role needs its permissions on
the queue when the mapping is created, not later. The batching window and the time until failed messages return run on
`local.aws.clock`, but messages never return while their function runs.
"""

import json
import logging
import threading
import time
import weakref
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend, lambda_backends
from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import Message, Queue, sqs_backends

from local.aws import clock, queues
from local.aws.iam import role_allows

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.05
"""The longest delay before a poller notices that messages are visible again, or that it must stop."""
_LONGEST_VISIBILITY_SECONDS = 43_200
_LARGEST_BATCH_WITHOUT_WINDOW = 10

_moto_create_event_source_mapping = LambdaBackend.create_event_source_mapping
_pollers: "weakref.WeakSet[Poller]" = weakref.WeakSet()


class Poller(threading.Thread):
    """Receives batches for one mapping, invokes its function and deletes what succeeded, until the mapping is gone."""

    def __init__(self, backend: LambdaBackend, mapping: EventSourceMapping, queue: Queue) -> None:
        super().__init__(name=f"event-source-mapping-{queue.name}", daemon=True)
        self._backend, self._mapping, self._queue = backend, mapping, queue
        self._sqs = sqs_backends[queue.account_id][queue.region]
        self._stopping = threading.Event()
        self._problem = ""

    def stop(self) -> None:
        """Finish the batch that the function is processing, if any, and start no other."""
        self._stopping.set()

    def run(self) -> None:
        while self._is_wanted():
            try:
                batch = self._next_batch() if self._mapping.enabled else []
                self._problem = ""
                if batch:
                    self._process(batch)
                else:
                    self._wait(_IDLE_SECONDS)
            except QueueDoesNotExist:
                return
            except Exception as error:
                # The received messages become visible again by themselves.
                self._warn(type(error).__name__)
                self._wait(_IDLE_SECONDS)

    def _warn(self, problem: str) -> None:
        # A queue's key may be disabled for long.
        if problem != self._problem:
            logger.warning("event source mapping %s: %s", self._mapping.uuid, problem)
        self._problem = problem

    def _is_wanted(self) -> bool:
        # A reset of moto deletes its mappings.
        known = self._backend.get_event_source_mapping(self._mapping.uuid) is self._mapping
        return known and not self._stopping.is_set()

    def _wait(self, seconds: float) -> None:
        if self._mapping.enabled and not self._stopping.is_set():
            self._queue.wait_for_messages(seconds)  # type: ignore[arg-type]
        else:
            self._stopping.wait(seconds)

    def _next_batch(self) -> list[Message]:
        """Up to BatchSize messages, gathered for no longer than the batching window from the first on."""
        batch = self._receive(self._mapping.batch_size)
        end = time.monotonic() + clock.scaled(float(self._mapping.max_batch_window or 0))
        while batch and len(batch) < self._mapping.batch_size and not self._stopping.is_set():
            remaining = end - time.monotonic()
            if remaining <= 0:
                break
            self._queue.wait_for_messages(min(remaining, _IDLE_SECONDS))  # type: ignore[arg-type]
            batch += self._receive(self._mapping.batch_size - len(batch))
        return batch

    def _receive(self, count: int) -> list[Message]:
        # The visibility timeout is set when the function has answered.
        return self._sqs.receive_message(self._queue.name, count, 0, _LONGEST_VISIBILITY_SECONDS)

    def _process(self, batch: list[Message]) -> None:
        received = time.monotonic()
        failed = {message.id for message in batch}
        try:
            failed = self._invoke(batch)
        finally:
            waited = time.monotonic() - received
            for message in batch:
                if message.id not in failed:
                    self._sqs.delete_message(self._queue.name, message.receipt_handle)  # type: ignore[arg-type]
            timeout = clock.scaled(float(self._queue.visibility_timeout))  # type: ignore[attr-defined]
            self._return_after(max(0.0, timeout - waited), failed)

    def _invoke(self, batch: list[Message]) -> set[str]:
        """The ids of the messages that the function did not process."""
        response_headers: dict[str, str] = {}
        event = {"Records": [self._record(message) for message in batch]}
        function_arn = self._mapping.function_arn
        answer = self._backend.invoke(function_arn, None, json.dumps(event), {}, response_headers)
        if any(header.lower() == "x-amz-function-error" for header in response_headers):
            return {message.id for message in batch}
        if "ReportBatchItemFailures" not in (self._mapping.function_response_types or []):
            return set()
        return reported_failures(answer, {message.id for message in batch})

    def _record(self, message: Message) -> dict[str, Any]:
        """An element of the event's Records: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.approximate_receive_count),
                "SentTimestamp": str(message.sent_timestamp),
                "SenderId": message.sender_id,
                "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
            },
            "messageAttributes": {},
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.queue_arn,
            "awsRegion": self._queue.region,
        }

    def _return_after(self, seconds: float, message_ids: set[str]) -> None:
        with self._queue._messages_lock:
            for message in self._queue._messages:
                if message.id in message_ids:
                    message.visible_at = unix_time_millis() + 1000 * seconds


def reported_failures(answer: str | bytes | None, message_ids: set[str]) -> set[str]:
    """The failed ones of `message_ids` in the function's answer `{"batchItemFailures": [{"itemIdentifier": id}]}`.

    The set is empty if the answer or its list is empty or null. It has all ids if the answer is not JSON, or an
    identifier is missing, empty or not one of `message_ids`.
    """
    try:
        failures = (json.loads(answer or b"null") or {}).get("batchItemFailures") or []
        reported = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, AttributeError, TypeError, KeyError):
        return message_ids
    return reported if reported <= message_ids else message_ids


def create_event_source_mapping(self: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """LambdaBackend.create_event_source_mapping, with a poller for an SQS queue.

    Raises InvalidParameterValueException as Lambda does: for a batch of more than 10 without a batching window, for a
    queue whose visibility timeout is shorter than the function's timeout, and for a role that may not consume it.
    """
    mapping = _moto_create_event_source_mapping(self, spec)
    if mapping.event_source_arn.split(":")[2] != "sqs":
        return mapping
    queue = sqs_backends[self.account_id][self.region_name].get_queue(mapping.event_source_arn.split(":")[-1])
    # This entry makes moto invoke the function within SendMessage.
    del queue.lambda_event_source_mappings[mapping.function_arn]
    if problem := problem_of(mapping):
        self.delete_event_source_mapping(mapping.uuid)
        raise LambdaClientError("InvalidParameterValueException", problem)
    poller = Poller(self, mapping, queue)
    _pollers.add(poller)
    poller.start()
    return mapping


def problem_of(mapping: EventSourceMapping) -> str | None:
    """Why Lambda would refuse the settings of a mapping of an SQS queue; None if it wouldn't."""
    queue = sqs_backends[mapping.account_id][mapping.region].get_queue(mapping.event_source_arn.split(":")[-1])
    function = lambda_backends[mapping.account_id][mapping.region].get_function(mapping.function_arn)
    function_timeout, role = int(function.timeout), function.role
    if mapping.batch_size > _LARGEST_BATCH_WITHOUT_WINDOW and not int(mapping.max_batch_window or 0):
        return (
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
            f"{_LARGEST_BATCH_WITHOUT_WINDOW}"
        )
    visibility_timeout = queue.visibility_timeout  # type: ignore[attr-defined]
    if visibility_timeout < function_timeout:
        return (
            f"Queue visibility timeout: {visibility_timeout} seconds is less than "
            f"Function timeout: {function_timeout} seconds"
        )
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        if not role_allows(role, f"sqs:{action}", queue.queue_arn):
            return f"The provided execution role does not have permissions to call {action} on SQS"
    return None


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    queues.install()
    LambdaBackend.create_event_source_mapping = create_event_source_mapping  # type: ignore[method-assign]


def stop(timeout: float = 10) -> None:
    """Stop all pollers, and wait up to `timeout` real seconds for the functions that they have called."""
    pollers = [poller for poller in _pollers if poller.is_alive()]
    for poller in pollers:
        poller.stop()
    end = time.monotonic() + timeout
    for poller in pollers:
        poller.join(max(0.0, end - time.monotonic()))
