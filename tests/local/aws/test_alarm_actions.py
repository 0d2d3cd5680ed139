import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws

HERE = "us-east-1:123456789012"


class Topic:
    """A topic with a queue behind it, whose policy and key let CloudWatch's alarms publish, unless changed."""

    def __init__(self, aws: LocalAws, statement: dict[str, Any] | None, key_statement: dict[str, Any] | None) -> None:
        self._sqs, sns = aws.client("sqs"), aws.client("sns")
        name = f"topic-{uuid.uuid4().hex[:8]}"
        self.arn = f"arn:aws:sns:{HERE}:{name}"
        condition = {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{HERE}:alarm:our-*"},
        }
        allow = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": condition}
        key_policy = allow | {"Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"} | (key_statement or {})
        key = aws.client("kms").create_key(Policy=policy(key_policy))["KeyMetadata"]["Arn"]
        attributes = {"KmsMasterKeyId": key}
        if statement is not None:
            attributes["Policy"] = policy(allow | {"Action": "sns:Publish", "Resource": self.arn} | statement)
        sns.create_topic(Name=name, Attributes=attributes)
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{HERE}:{name}")

    def messages(self) -> list[dict[str, Any]]:
        """The messages since the last call."""
        received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in received]


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def make_topic(local_aws: LocalAws) -> Callable[..., Topic]:
    def make(statement: dict[str, Any] | None = {}, key: dict[str, Any] | None = None) -> Topic:  # noqa: B006
        return Topic(local_aws, statement, key)

    return make


class Alarm:
    """An alarm with actions; `history` are the summaries, oldest first."""

    def __init__(self, aws: LocalAws, name: str | None = None, **settings: Any) -> None:
        self.client = aws.client("cloudwatch")
        self.name = name or f"our-{uuid.uuid4().hex[:8]}"
        self._settings = settings
        self.put()

    def put(self, **settings: Any) -> None:
        standard: dict[str, Any] = {
            "AlarmDescription": "Something is wrong. docs/runbook.md#wrong",
            "Namespace": "ClinicalMedia",
            "MetricName": "BatchesFinished",
            "ComparisonOperator": "LessThanThreshold",
            "EvaluationPeriods": 1,
            "Period": 60,
            "Threshold": 1,
            "Statistic": "Sum",
        }
        self.client.put_metric_alarm(AlarmName=self.name, **{**standard, **self._settings, **settings})

    def set(self, state: str) -> None:
        self.client.set_alarm_state(AlarmName=self.name, StateValue=state, StateReason="A drill")

    def history(self, **asked: Any) -> list[str]:
        asked = {"ScanBy": "TimestampAscending", **asked}
        items = self.client.describe_alarm_history(AlarmName=self.name, **asked)["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


def test_a_change_of_state_publishes_to_the_topic_and_says_so(local_aws: LocalAws, make_topic: Any) -> None:
    topic = make_topic()
    alarm = Alarm(local_aws, AlarmActions=[topic.arn])
    alarm.set("ALARM")
    (message,) = topic.messages()
    assert message["Subject"] == f'ALARM: "{alarm.name}" in US East (N. Virginia)'
    told = json.loads(message["Message"])
    assert (told["AlarmName"], told["OldStateValue"], told["NewStateValue"]) == (
        alarm.name,
        "INSUFFICIENT_DATA",
        "ALARM",
    )
    assert told["NewStateReason"] == "A drill" and told["AlarmDescription"].endswith("#wrong")
    assert told["AlarmArn"] == f"arn:aws:cloudwatch:{HERE}:alarm:{alarm.name}"
    assert alarm.history() == [
        f'Alarm "{alarm.name}" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f"Successfully executed action {topic.arn}",
    ]


def test_only_a_change_executes_and_only_the_actions_of_the_new_state(local_aws: LocalAws, make_topic: Any) -> None:
    bad, good, unknown = make_topic(), make_topic(), make_topic()
    alarm = Alarm(local_aws, AlarmActions=[bad.arn], OKActions=[good.arn], InsufficientDataActions=[unknown.arn])
    alarm.set("INSUFFICIENT_DATA")
    assert alarm.history(HistoryItemType="Action") == alarm.history(HistoryItemType="StateUpdate") == []
    for state in ("ALARM", "ALARM", "OK"):
        alarm.set(state)
    assert (len(bad.messages()), len(good.messages()), len(unknown.messages())) == (1, 1, 0)
    alarm.set("INSUFFICIENT_DATA")
    assert len(unknown.messages()) == 1
    assert len(alarm.history(HistoryItemType="StateUpdate")) == 3


def test_an_alarm_whose_actions_are_disabled_changes_without_them(local_aws: LocalAws, make_topic: Any) -> None:
    topic = make_topic()
    alarm = Alarm(local_aws, AlarmActions=[topic.arn], ActionsEnabled=False)
    alarm.set("ALARM")
    assert topic.messages() == []
    assert alarm.history()[-1] == "Alarm updated from INSUFFICIENT_DATA to ALARM"


OTHERS = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{HERE}:alarm:theirs-*"}}
OTHER_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "210987654321"}}
NOT_AUTHORIZED = "CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: "
NO_KEY = "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."


@pytest.mark.parametrize(
    ("statement", "key", "error"),
    [
        ({"Principal": {"Service": "events.amazonaws.com"}}, {}, NOT_AUTHORIZED),
        ({"Condition": OTHERS}, {}, NOT_AUTHORIZED),
        ({"Condition": OTHER_ACCOUNT}, {}, NOT_AUTHORIZED),
        ({}, {"Principal": {"Service": "events.amazonaws.com"}}, NO_KEY),
        ({}, {"Action": "kms:Decrypt"}, NO_KEY),
        ({}, {"Action": "kms:GenerateDataKey"}, NO_KEY),
        ({}, {"Condition": OTHERS}, NO_KEY),
        ({}, {"Condition": OTHER_ACCOUNT}, NO_KEY),
    ],
)
def test_what_topic_or_key_do_not_let_alarms_do_fails_and_says_so(
    local_aws: LocalAws, make_topic: Any, statement: Any, key: Any, error: str
) -> None:
    topic = make_topic(statement, key)
    alarm = Alarm(local_aws, AlarmActions=[topic.arn])
    alarm.set("ALARM")
    assert topic.messages() == []
    (summary,) = alarm.history(HistoryItemType="Action")
    assert summary.startswith(f'Failed to execute action {topic.arn}. Received error: "{error}')


def test_a_topic_without_a_policy_of_its_own_admits_the_accounts_alarms(local_aws: LocalAws, make_topic: Any) -> None:
    topic = make_topic(statement=None)
    Alarm(local_aws, AlarmActions=[topic.arn]).set("ALARM")
    assert len(topic.messages()) == 1


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (f"arn:aws:sns:{HERE}:no-topic", "Topic does not exist"),
        (f"arn:aws:lambda:{HERE}:function:f", "The local AWS executes actions on SNS topics only"),
    ],
)
def test_an_action_that_cannot_be_executed_does_not_keep_the_next_from_it(
    local_aws: LocalAws, make_topic: Any, action: str, error: str
) -> None:
    topic = make_topic()
    alarm = Alarm(local_aws, AlarmActions=[action, topic.arn])
    alarm.set("ALARM")
    assert alarm.history(HistoryItemType="Action") == [
        f'Failed to execute action {action}. Received error: "{error}"',
        f"Successfully executed action {topic.arn}",
    ]
    assert len(topic.messages()) == 1


def test_a_changed_alarm_keeps_its_state_and_its_history(local_aws: LocalAws) -> None:
    alarm = Alarm(local_aws)
    alarm.set("ALARM")
    alarm.put(Threshold=2)
    (described,) = alarm.client.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
    assert (described["StateValue"], described["Threshold"]) == ("ALARM", 2)
    assert alarm.history() == [
        f'Alarm "{alarm.name}" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f'Alarm "{alarm.name}" updated',
    ]


def test_history_is_told_newest_first_by_time_and_in_pages(local_aws: LocalAws) -> None:
    alarm = Alarm(local_aws)
    before = datetime.datetime.now(datetime.UTC)
    for state in ("ALARM", "OK", "ALARM"):
        alarm.set(state)
    pages = alarm.client.get_paginator("describe_alarm_history").paginate(
        AlarmName=alarm.name, PaginationConfig={"PageSize": 3}
    )
    sizes = [[item["HistoryItemType"] for item in page["AlarmHistoryItems"]] for page in pages]
    assert sizes == [["StateUpdate"] * 3, ["ConfigurationUpdate"]]
    assert len(alarm.history(StartDate=before)) == 3
    hour = datetime.timedelta(hours=1)
    assert len(alarm.history(StartDate=before - hour, EndDate=before + hour)) == 4
    assert alarm.history(EndDate=before - hour) == []
    newest = alarm.client.describe_alarm_history(AlarmName=alarm.name)["AlarmHistoryItems"][0]
    assert json.loads(newest["HistoryData"]) == {
        "version": "1.0",
        "oldState": {"stateValue": "OK", "stateReason": "A drill"},
        "newState": {"stateValue": "ALARM", "stateReason": "A drill"},
    }


def test_an_alarm_that_there_is_not_cannot_be_set(local_aws: LocalAws) -> None:
    client = local_aws.client("cloudwatch")
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="-")


def test_setting_and_asking_take_the_alarms_permissions(local_aws: LocalAws, make_role: Any) -> None:
    alarm, other = Alarm(local_aws), Alarm(local_aws)
    allow = {
        "Effect": "Allow",
        "Action": ["cloudwatch:SetAlarmState", "cloudwatch:DescribeAlarmHistory"],
        "Resource": f"arn:aws:cloudwatch:{HERE}:alarm:{alarm.name}",
    }
    client = make_role(allow).client("cloudwatch")
    client.set_alarm_state(AlarmName=alarm.name, StateValue="ALARM", StateReason="-")
    assert client.describe_alarm_history(AlarmName=alarm.name)["AlarmHistoryItems"]
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:SetAlarmState") as refused:
        client.set_alarm_state(AlarmName=other.name, StateValue="ALARM", StateReason="-")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:DescribeAlarmHistory"):
        client.describe_alarm_history(AlarmName=other.name)
    assert other.history(HistoryItemType="StateUpdate") == []
