"""CloudWatch alarms' actions and history, which moto lacks: it only stores the state.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html

An action on an SNS topic is a publication by `cloudwatch.amazonaws.com`, which the topic's policy must allow, and the
policy of its key: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html ("Enable compatibility"). The
history's wording is that of https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger; users have
published the message for the key.

Difference from AWS. Actions on other targets than a topic fail, with a line in the history.
"""

import datetime
import functools
import json
import threading
from typing import Any

import botocore.session
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.sns.models import sns_backends

from local.aws.key_policies import lets_service_use_key
from local.aws.policies import Decision, Request, evaluate

_SERVICE = "cloudwatch.amazonaws.com"

_moto_set_alarm_state = CloudWatchBackend.set_alarm_state
_moto_put_metric_alarm = CloudWatchBackend.put_metric_alarm
_changing = threading.RLock()


class ActionFailed(Exception):
    """An action could not be executed; the message is the history's."""


def put_metric_alarm(self: CloudWatchBackend, name: str, *args: Any, **details: Any) -> Alarm:
    """CloudWatchBackend.put_metric_alarm, with its line in the history. A changed alarm keeps its state."""
    with _changing:
        before = self.alarms.get(name)
        alarm = _moto_put_metric_alarm(self, name, *args, **details)
        if before:
            alarm.state_value, alarm.state_reason = before.state_value, before.state_reason
            alarm.state_updated_timestamp = before.state_updated_timestamp
        else:
            alarm.state_value = "INSUFFICIENT_DATA"
        kind = "Update" if before else "Create"
        _remember(self, alarm, "ConfigurationUpdate", f'Alarm "{name}" {kind.lower()}d', {"type": kind})
    return alarm


def set_alarm_state(
    self: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str | None, state_value: str
) -> None:
    """CloudWatchBackend.set_alarm_state: a change of state is noted in the history, and its actions are executed."""
    with _changing:
        alarm = self.alarms.get(alarm_name)
        old = {"stateValue": alarm.state_value, "stateReason": alarm.state_reason} if alarm else {}
        _moto_set_alarm_state(self, alarm_name, reason, reason_data, state_value)  # type: ignore[arg-type]
        if alarm is None or old["stateValue"] == state_value:
            return
        summary = f"Alarm updated from {old['stateValue']} to {state_value}"
        new = {"stateValue": state_value, "stateReason": reason}
        if reason_data:
            new["stateReasonData"] = json.loads(reason_data)
        _remember(self, alarm, "StateUpdate", summary, {"oldState": old, "newState": new})
        if alarm.actions_enabled:
            for action in _actions(alarm)[state_value]:
                _execute(self, alarm, action, old["stateValue"])


def _actions(alarm: Alarm) -> dict[str, list[str]]:
    return {
        "ALARM": alarm.alarm_actions or [],
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }


def _execute(cloudwatch: CloudWatchBackend, alarm: Alarm, action: str, old_state: str) -> None:
    data: dict[str, Any] = {"notificationResource": action}
    try:
        _publish(cloudwatch, alarm, action, old_state)
        summary, data["actionState"] = f"Successfully executed action {action}", "Succeeded"
    except ActionFailed as failure:
        summary = f'Failed to execute action {action}. Received error: "{failure}"'
        data |= {"actionState": "Failed", "error": str(failure)}
    _remember(cloudwatch, alarm, "Action", summary, data)


def _publish(cloudwatch: CloudWatchBackend, alarm: Alarm, topic_arn: str, old_state: str) -> None:
    if topic_arn.split(":")[2] != "sns":
        raise ActionFailed("The local AWS executes actions on SNS topics only")
    region, account = topic_arn.split(":")[3:5]
    topic = sns_backends[account][region].topics.get(topic_arn)
    if topic is None:
        raise ActionFailed("Topic does not exist")
    ours = cloudwatch.account_id
    context = {"aws:SourceAccount": ours, "aws:SourceOwner": ours, "aws:SourceArn": alarm.alarm_arn}
    context["aws:SecureTransport"] = "true"
    request = Request("sns:Publish", topic_arn, context, {"Service": (_SERVICE,)})
    if evaluate([topic.policy], request) is not Decision.ALLOW:
        raise ActionFailed(
            f"CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: {topic_arn} "
            "because no resource-based policy allows the SNS:Publish action"
        )
    if key := topic.kms_master_key_id:
        context["kms:EncryptionContext:aws:sns:topicArn"] = topic_arn
        if not lets_service_use_key(key, _SERVICE, ("kms:GenerateDataKey", "kms:Decrypt"), context):
            raise ActionFailed("CloudWatch Alarms does not have authorization to access the SNS topic encryption key.")
    place = _name_of(cloudwatch.region_name)
    subject = f'{alarm.state_value}: "{alarm.name}" in {place}'
    topic.publish(json.dumps(_message(cloudwatch, alarm, place, old_state)), subject=subject[:100])


def _message(cloudwatch: CloudWatchBackend, alarm: Alarm, place: str, old_state: str) -> dict[str, Any]:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    actions = _actions(alarm)
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": cloudwatch.account_id,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": f"{alarm.state_updated_timestamp:%Y-%m-%dT%H:%M:%S}.000+0000",
        "Region": place,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old_state,
        "OKActions": actions["OK"],
        "AlarmActions": actions["ALARM"],
        "InsufficientDataActions": actions["INSUFFICIENT_DATA"],
        "Trigger": {"MetricName": alarm.metric_name, "Namespace": alarm.namespace, "Threshold": alarm.threshold},
    }


@functools.cache
def _name_of(region: str) -> str:
    endpoints = botocore.session.get_session().get_component("data_loader").load_data("endpoints")
    regions: dict[str, Any] = endpoints["partitions"][0]["regions"]
    return str(regions[region]["description"])


def _remember(cloudwatch: CloudWatchBackend, alarm: Alarm, kind: str, summary: str, data: dict[str, Any]) -> None:
    # Stored on the backend, so that a reset of moto deletes it, but not the deletion of the alarm.
    history: list[dict[str, Any]] = cloudwatch.__dict__.setdefault("alarm_history", [])
    history.append(
        {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
            "Timestamp": datetime.datetime.now(datetime.UTC),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0", **data}, separators=(",", ":")),
        }
    )


def describe_alarm_history(self: CloudWatchResponse) -> ActionResult:
    """CloudWatchResponse.describe_alarm_history, which moto lacks."""
    cloudwatch = self.cloudwatch_backend
    history: list[dict[str, Any]] = list(cloudwatch.__dict__.get("alarm_history", ()))
    asked = {"AlarmName": self._get_param("AlarmName"), "HistoryItemType": self._get_param("HistoryItemType")}
    begin, end = _moment(self._get_param("StartDate")), _moment(self._get_param("EndDate"))
    types = self._get_param("AlarmTypes") or ["MetricAlarm"]
    found = [
        item
        for item in history
        if all(value in (None, item[member]) for member, value in asked.items())
        and item["AlarmType"] in types
        and (begin is None or begin <= item["Timestamp"])
        and (end is None or item["Timestamp"] <= end)
    ]
    if self._get_param("ScanBy") != "TimestampAscending":
        found.reverse()
    start, most = int(self._get_param("NextToken") or 0), int(self._get_param("MaxRecords") or 100)
    answer: dict[str, Any] = {"AlarmHistoryItems": found[start : start + most]}
    if start + most < len(found):
        answer["NextToken"] = str(start + most)
    return ActionResult(answer)


def _moment(given: datetime.datetime | None) -> datetime.datetime | None:
    # moto parses times as naive datetimes in UTC.
    return given.replace(tzinfo=datetime.UTC) if given and given.tzinfo is None else given


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    CloudWatchBackend.put_metric_alarm = put_metric_alarm  # type: ignore[method-assign]
    CloudWatchBackend.set_alarm_state = set_alarm_state  # type: ignore[method-assign]
    CloudWatchResponse.describe_alarm_history = describe_alarm_history  # type: ignore[attr-defined]
