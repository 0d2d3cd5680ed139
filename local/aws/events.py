"""S3 events through EventBridge to SQS, as AWS sends them.

moto gives every event the same id and sequencer, reports a multipart upload twice, ignores that a rule is disabled, and
drops undeliverable events. `install` replaces the event and its delivery to SQS; moto still matches the rules and
serves other targets.

- Event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- Dead letters: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

The policy of a queue, and that of an encrypted queue's key, must allow events.amazonaws.com. An event that may go
neither to the queue nor to the dead-letter queue is lost. NO_PERMISSIONS for a key that can't be used is our choice:
the guide's list of error codes has none for keys.

Differences from AWS. Delivery is immediate and exactly once. Input, InputPath and InputTransformer of an SQS target are
not supported: such a target is left to moto.
"""

import copy
import json
import logging
import threading
import time
import uuid
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcfromtimestamp
from moto.events.models import Rule, events_backends
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey
from moto.s3.notifications import S3NotificationEvent
from moto.s3.responses import S3Response
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from local.aws.key_policies import lets_service_use_key
from local.aws.open_points import played
from local.aws.policies import Decision, Request, evaluate

logger = logging.getLogger(__name__)

_REASONS = {
    S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: "PutObject",
    S3NotificationEvent.OBJECT_CREATED_POST_EVENT: "POST Object",
    S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: "CopyObject",
    S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: "CompleteMultipartUpload",
}
_SERVICE = "events.amazonaws.com"
# "You must include" these in the key's policy: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
_TRANSFORMATIONS = ("Input", "InputPath", "InputTransformer")

_moto_send_event_bridge_message = notifications._send_event_bridge_message
_moto_send_to_targets = Rule.send_to_targets
_moto_get_bucket_notification = S3Response.get_bucket_notification
_counting = threading.Lock()
_last_sequencer = 0


def send_event_bridge_message(
    account_id: str, bucket: FakeBucket, event_name: S3NotificationEvent, key: FakeKey
) -> None:
    """moto.s3.notifications._send_event_bridge_message: send Object Created to the default event bus.

    moto sends other events.
    """
    if event_name not in _REASONS:
        _moto_send_event_bridge_message(account_id, bucket, event_name, key)
        return
    if event_name == S3NotificationEvent.OBJECT_CREATED_PUT_EVENT and key.multipart is not None:
        return  # moto completes a multipart upload with PutObject; S3 reports the completion only
    event = object_created(account_id, bucket, key, _REASONS[event_name])
    bus = events_backends[account_id][bucket.region_name].event_buses["default"]
    for rule in list(bus.rules.values()):
        rule.send_to_targets(event, transform_input=False)  # type: ignore[arg-type]


def object_created(account_id: str, bucket: FakeBucket, key: FakeKey, reason: str) -> dict[str, Any]:
    """The event that S3 sends about `key`, with an id of its own; later events have greater sequencers.

    `time` is in seconds since the epoch, as moto's rules take it; a queue gets it as text.
    """
    stored = {"key": key.name, "size": key.size, "etag": key.etag.strip('"'), "sequencer": _next_sequencer()}
    if bucket.is_versioned:
        stored["version-id"] = key.version_id
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": account_id,
        "time": time.time(),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": stored,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": reason,
        },
    }


def _next_sequencer() -> str:
    global _last_sequencer
    with _counting:
        _last_sequencer = max(_last_sequencer + 1, time.time_ns())
        return f"{_last_sequencer:018X}"


def _timestamp(seconds: float) -> str:
    return iso_8601_datetime_without_milliseconds(utcfromtimestamp(int(seconds)))


def send_to_targets(self: Rule, original_event: dict[str, Any], transform_input: bool = True) -> None:
    """Rule.send_to_targets: send the event to each queue, or to its dead-letter queue, unless the rule is disabled.

    A failed delivery affects neither the sender nor other targets.
    """
    # In moto a rule with a schedule instead of a pattern matches every event.
    if self.state != "ENABLED" or not self.event_pattern._raw_pattern:
        return
    if not self.event_pattern.matches_event(original_event):  # type: ignore[arg-type]
        return
    event = copy.deepcopy(original_event)
    if isinstance(event.get("time"), int | float):
        event["time"] = _timestamp(event["time"])
    event.pop("ingestion-time", None)  # moto's own
    for target in list(self.targets):
        try:
            if target["Arn"].split(":")[2] == "sqs" and not any(member in target for member in _TRANSFORMATIONS):
                _send(self, target["Arn"], event, group_id=target.get("SqsParameters", {}).get("MessageGroupId"))
            else:
                _send_as_moto(self, target, original_event, transform_input)
        except Exception as error:
            _send_to_dead_letter_queue(self, target, event, error)


class NoPermissions(Exception):
    """The policy of a queue, or that of its key, does not let a rule send to it."""


def _send(rule: Rule, queue_arn: str, event: dict[str, Any], **details: Any) -> None:
    region, account_id, name = queue_arn.split(":")[3:6]
    backend = sqs_backends[account_id][region]
    context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id, "aws:SecureTransport": "true"}
    request = Request("sqs:SendMessage", queue_arn, context, {"Service": (_SERVICE,)})
    queue = backend.get_queue(name)
    if queue.policy is None or evaluate([queue.policy], request) is not Decision.ALLOW:
        raise NoPermissions(f"the policy of {queue_arn} does not allow {_SERVICE} to send for {rule.arn}")
    key = queue.kms_master_key_id  # type: ignore[attr-defined]
    if key and not lets_service_use_key(key, _SERVICE, _KEY_ACTIONS, _key_context(rule, queue_arn)):
        raise NoPermissions(f"{key}, the key of {queue_arn}, does not let {_SERVICE} use it for {rule.arn}")
    backend.send_message(name, json.dumps(event), **details)


def _key_context(rule: Rule, queue_arn: str) -> dict[str, str]:
    """The condition keys that KMS sees (`local.aws.open_points`, `queue_key`)."""
    account = {"aws:SourceAccount": rule.account_id}
    queue = {"kms:EncryptionContext:aws:sqs:arn": queue_arn}
    return {"account-and-queue": account | queue, "queue": queue, "nothing": {}}[played().queue_key]


def _send_as_moto(rule: Rule, target: dict[str, Any], event: dict[str, Any], transform_input: bool) -> None:
    rule_of_one = copy.copy(rule)
    rule_of_one.targets = [target]
    _moto_send_to_targets(rule_of_one, event, transform_input)  # type: ignore[arg-type]


_ERROR_CODES: dict[type[Exception], str] = {QueueDoesNotExist: "NO_RESOURCE", NoPermissions: "NO_PERMISSIONS"}


def _send_to_dead_letter_queue(rule: Rule, target: dict[str, Any], event: dict[str, Any], error: Exception) -> None:
    logger.warning("EventBridge rule %s could not deliver to %s: %s", rule.name, target["Arn"], type(error).__name__)
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if queue_arn is None:
        return
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": _ERROR_CODES.get(type(error), "SDK_CLIENT_ERROR"),
        "ERROR_MESSAGE": str(error) or type(error).__name__,
    }
    described = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    try:
        _send(rule, queue_arn, event, message_attributes=described)
    except Exception as failure:
        logger.warning("the dead-letter queue %s took nothing: %s", queue_arn, type(failure).__name__)


def get_bucket_notification(self: S3Response) -> TYPE_RESPONSE:
    """S3Response.get_bucket_notification, with the EventBridgeConfiguration that moto leaves out."""
    configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
    if configuration is None or configuration.event_bridge is None:
        return _moto_get_bucket_notification(self)
    serialized = self.serialized

    def serialized_with_event_bridge(answer: ActionResult) -> TYPE_RESPONSE:
        return serialized(ActionResult({**answer.result, "EventBridgeConfiguration": {}}))  # type: ignore[dict-item]

    # moto serializes its answer itself; the response object serves this request only.
    self.serialized = serialized_with_event_bridge  # type: ignore[method-assign,assignment]
    return _moto_get_bucket_notification(self)


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    notifications._send_event_bridge_message = send_event_bridge_message  # type: ignore[assignment]
    Rule.send_to_targets = send_to_targets  # type: ignore[method-assign,assignment]
    S3Response.get_bucket_notification = get_bucket_notification  # type: ignore[method-assign]
