"""Whether alarms reach people, and whether undeliverable events reach the dead-letter queue.

Sources: API references of CloudWatch (SetAlarmState, DescribeAlarmHistory), SQS and EventBridge (ListTargetsByRule).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.verify.checks import Check, Seen, holds, not_seen, refuted
from operations.verify.observed import Observed


def _alarms(observed: Observed) -> Seen:
    """Set an alarm off that is not in ALARM, read in its history whether it notified, and set it back."""
    cloudwatch = observed.client("cloudwatch")
    listed = cloudwatch.describe_alarms(AlarmNamePrefix=f"{observed.prefix}-")["MetricAlarms"]
    if silent := [alarm["AlarmName"] for alarm in listed if not (alarm["ActionsEnabled"] and alarm["AlarmActions"])]:
        return refuted(f"{', '.join(silent)} notify nobody")
    quiet = [alarm for alarm in listed if alarm["StateValue"] != "ALARM"]
    if not quiet:
        return not_seen(f"All {len(listed)} alarms are in ALARM already; an alarm notifies when its state changes.")
    name, before = quiet[0]["AlarmName"], quiet[0]["StateValue"]
    since = datetime.now(UTC) - timedelta(seconds=1)
    reason = "operations verify: a test of the notification; nothing is wrong"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)
    try:
        actions = observed.wait_for(lambda: _actions(cloudwatch, name, since))
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=before, StateReason=reason)
    if not actions:
        return refuted(f"{name} was set to ALARM, but its history has no notification.")
    summary = actions[0]["HistorySummary"]
    return holds(f"{name}: {summary}") if summary.startswith("Successfully") else refuted(f"{name}: {summary}")


def _actions(cloudwatch: Any, name: str, since: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="Action", StartDate=since, EndDate=datetime.now(UTC) + timedelta(minutes=1)
    )["AlarmHistoryItems"]
    return found


def _dead_letters(observed: Observed) -> Seen:
    """Whether queue and rule both lead to the dead-letter queue, and whether a message can be read from it."""
    sqs, outputs = observed.client("sqs"), observed.deployed.outputs
    dead = sqs.get_queue_attributes(QueueUrl=outputs["IngestDeadLetterQueueUrl"], AttributeNames=["QueueArn", "Policy"])
    arn, policy = dead["Attributes"]["QueueArn"], json.loads(dead["Attributes"].get("Policy", '{"Statement": []}'))
    queue = sqs.get_queue_attributes(QueueUrl=outputs["IngestQueueUrl"], AttributeNames=["RedrivePolicy"])
    redrive_policy = json.loads(queue["Attributes"].get("RedrivePolicy", "{}"))
    if redrive_policy.get("deadLetterTargetArn") != arn:
        return refuted(
            f"the dead letters of the ingest queue go to {redrive_policy.get('deadLetterTargetArn')}, not to {arn}"
        )
    (target,) = observed.client("events").list_targets_by_rule(Rule=f"{observed.prefix}-recordings")["Targets"]
    if target.get("DeadLetterConfig", {}).get("Arn") != arn:
        return refuted(f"the dead letters of the rule go to {target.get('DeadLetterConfig')}, not to {arn}")
    if not any(_admits_events(statement) for statement in policy["Statement"]):
        return refuted(f"the policy of {arn} doesn't let the rule send to it")
    sent = sqs.send_message(
        QueueUrl=outputs["IngestDeadLetterQueueUrl"], MessageBody="operations verify: a test; delete it"
    )
    read = observed.wait_for(lambda: _read_and_delete(sqs, outputs["IngestDeadLetterQueueUrl"], sent["MessageId"]))
    if not read:
        return refuted(f"message {sent['MessageId']} was sent to {arn} and could not be read again")
    return holds(f"queue and rule lead to {arn}; message {sent['MessageId']} was written and read there")


def _admits_events(statement: dict[str, Any]) -> bool:
    return bool(statement["Effect"] == "Allow" and "events.amazonaws.com" in json.dumps(statement["Principal"]))


def _read_and_delete(sqs: Any, url: str, message_id: str) -> bool:
    """Whether the message is there; other messages become visible again at once."""
    is_there = False
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", ()):
        handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
        if message["MessageId"] == message_id:
            sqs.delete_message(**handle)
            is_there = True
        else:
            sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    return is_there


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "alarms",
        "The encrypted topic accepts an alarm's notification.",
        "Send us this report: alarms reach nobody. Look at the policies of the topic and of its key.",
        _alarms,
    ),
    Check(
        "dead-letters",
        "Events that can't be delivered or processed get into the dead-letter queue, and can be read there.",
        "Compare the queues' policies and the rule's target with the template, and deploy again.",
        _dead_letters,
    ),
)
