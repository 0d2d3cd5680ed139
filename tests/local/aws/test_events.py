import inspect
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.events.models import Rule
from moto.s3 import notifications
from moto.s3.responses import S3Response

from local.aws import events
from tests.local.aws.in_process import InProcessAws, in_process_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[InProcessAws]:
    events.install()
    with in_process_aws(time_scale=0.01) as aws:
        yield aws


class Delivery:
    """A bucket that sends its events to EventBridge, a rule for `media/` and a queue behind it."""

    def __init__(self, aws: InProcessAws, versioned: bool = True, **target: Any) -> None:
        self.name = f"media-{uuid.uuid4().hex[:8]}"
        self.s3, self.sqs, self.events = aws.client("s3"), aws.client("sqs"), aws.client("events")
        self.kms = aws.client("kms")
        self.s3.create_bucket(Bucket=self.name)
        if versioned:
            self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self.url, self.arn = self.queue(self.name)
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [self.name]}, "object": {"key": [{"prefix": "media/"}]}},
        }
        self.rule = self.events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))["RuleArn"]
        self.target(Arn=self.arn, **target)

    def queue(self, name: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        self.allow(url, attributes["QueueArn"], rule=self.name)
        return url, attributes["QueueArn"]

    def allow(self, url: str, arn: str, rule: str) -> None:
        """Let only the rule of this name send to the queue."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:123456789012:rule/{rule}"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def encrypt(self, url: str, *conditions: dict[str, Any]) -> str:
        """Encrypt the queue under a key of its own, which EventBridge may use under each of these conditions."""
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringEquals": condition} if condition else {},
            }
            for condition in conditions
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key: str = self.kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
        # moto deletes a queue's policy when it sets attributes without one.
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={**attributes, "KmsMasterKeyId": key})
        return key

    def target(self, **target: Any) -> None:
        self.events.put_targets(Rule=self.name, Targets=[{"Id": "queue", **target}])

    def put(self, key: str, body: bytes = b"x") -> Any:
        return self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def received(self, url: str | None = None) -> Any:
        messages = self.sqs.receive_message(
            QueueUrl=url or self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return messages.get("Messages", [])

    def bodies(self) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.received()]


def test_a_new_object_is_told_as_s3_tells_it(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    put = delivery.put("media/p-001/visit one+two %é.wav", b"12345")
    [event] = delivery.bodies()
    detail = event.pop("detail")
    assert uuid.UUID(event.pop("id"))
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{delivery.name}"],
    }
    assert int(detail["object"].pop("sequencer"), 16)
    assert detail.pop("request-id")
    assert detail == {
        "version": "0",
        "bucket": {"name": delivery.name},
        "object": {
            "key": "media/p-001/visit one+two %é.wav",
            "size": 5,
            "etag": put["ETag"].strip('"'),
            "version-id": put["VersionId"],
        },
        "requester": "123456789012",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }


def test_a_bucket_without_versions_tells_no_version(aws: InProcessAws) -> None:
    delivery = Delivery(aws, versioned=False)
    delivery.put("media/a.wav")
    [event] = delivery.bodies()
    assert "version-id" not in event["detail"]["object"]


def test_every_event_has_its_own_id_and_a_greater_sequencer(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    for n in range(8):
        delivery.put(f"media/{n}.wav")
    bodies = sorted(delivery.bodies(), key=lambda event: event["detail"]["object"]["key"])
    sequencers = [event["detail"]["object"]["sequencer"] for event in bodies]
    assert len({event["id"] for event in bodies}) == 8
    assert sequencers == sorted(set(sequencers))


def test_a_copy_is_told_as_a_copy(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    delivery.put("elsewhere/a.wav")
    source = {"Bucket": delivery.name, "Key": "elsewhere/a.wav"}
    delivery.s3.copy_object(Bucket=delivery.name, Key="media/a.wav", CopySource=source)
    [event] = delivery.bodies()
    assert (event["detail"]["reason"], event["detail"]["object"]["key"]) == ("CopyObject", "media/a.wav")


def test_a_multipart_upload_is_told_once(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    upload = {"Bucket": delivery.name, "Key": "media/long.wav"}
    upload["UploadId"] = delivery.s3.create_multipart_upload(**upload)["UploadId"]
    part = delivery.s3.upload_part(**upload, PartNumber=1, Body=b"x" * 10)
    delivery.s3.complete_multipart_upload(
        **upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    [event] = delivery.bodies()
    assert (event["detail"]["reason"], event["detail"]["object"]["size"]) == ("CompleteMultipartUpload", 10)


def test_keys_without_the_prefix_are_not_told(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    delivery.put("documents/a.txt")
    assert delivery.bodies() == []


def test_a_disabled_rule_tells_nothing_until_it_is_enabled(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    delivery.events.disable_rule(Name=delivery.name)
    delivery.put("media/a.wav")
    assert delivery.bodies() == []
    delivery.events.enable_rule(Name=delivery.name)
    delivery.put("media/b.wav")
    assert [event["detail"]["object"]["key"] for event in delivery.bodies()] == ["media/b.wav"]


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    dead_letters, dead_letters_arn = delivery.queue(delivery.name + "-dead")
    missing = delivery.arn + "-missing"
    delivery.target(Arn=missing, DeadLetterConfig={"Arn": dead_letters_arn})
    delivery.put("media/a.wav")
    [message] = delivery.received(dead_letters)
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "media/a.wav"
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == delivery.rule
    assert attributes["TARGET_ARN"] == missing
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"
    assert attributes["ERROR_MESSAGE"]


def test_a_queue_that_does_not_allow_the_rule_gets_nothing(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    dead_letters, dead_letters_arn = delivery.queue(delivery.name + "-dead")
    delivery.allow(delivery.url, delivery.arn, rule="another")
    delivery.target(Arn=delivery.arn, DeadLetterConfig={"Arn": dead_letters_arn})
    delivery.put("media/a.wav")
    assert delivery.received() == []
    [message] = delivery.received(dead_letters)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


ACCOUNT_CONDITION = {"aws:SourceAccount": "123456789012"}


@pytest.mark.parametrize(
    ("way", "by_account", "by_queue", "unconditional"),
    [("account-and-queue", 1, 1, 1), ("queue", 0, 1, 1), ("nothing", 0, 0, 1)],
)
def test_the_key_of_an_encrypted_queue_is_used_under_what_kms_is_told(
    aws: InProcessAws,
    playing: Callable[..., None],
    way: str,
    by_account: int,
    by_queue: int,
    unconditional: int,
) -> None:
    playing(queue_key=way)
    delivery = Delivery(aws)
    queue_condition = {"kms:EncryptionContext:aws:sqs:arn": delivery.arn}
    for condition, expected in ((ACCOUNT_CONDITION, by_account), (queue_condition, by_queue), ({}, unconditional)):
        delivery.encrypt(delivery.url, condition)
        delivery.put("media/a.wav")
        assert len(delivery.bodies()) == expected, condition


def test_an_event_that_the_queue_s_key_refuses_goes_to_the_dead_letter_queue(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    dead_letters, dead_letters_arn = delivery.queue(delivery.name + "-dead")
    delivery.encrypt(delivery.url)
    delivery.encrypt(dead_letters, ACCOUNT_CONDITION)
    delivery.target(Arn=delivery.arn, DeadLetterConfig={"Arn": dead_letters_arn})
    delivery.put("media/a.wav")
    assert delivery.received() == []
    [message] = delivery.received(dead_letters)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_an_event_that_both_queues_keys_refuse_is_lost_and_logged(
    aws: InProcessAws, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery(aws)
    dead_letters, dead_letters_arn = delivery.queue(delivery.name + "-dead")
    delivery.encrypt(delivery.url)
    delivery.encrypt(dead_letters)
    delivery.target(Arn=delivery.arn, DeadLetterConfig={"Arn": dead_letters_arn})
    delivery.put("media/a.wav")
    assert delivery.received() == delivery.received(dead_letters) == []
    assert f"the dead-letter queue {dead_letters_arn} took nothing" in caplog.text


def test_a_disabled_key_keeps_events_from_its_queue(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    key = delivery.encrypt(delivery.url, {})
    delivery.kms.disable_key(KeyId=key)
    delivery.put("media/a.wav")
    # Nor can anybody look into it until then.
    delivery.kms.enable_key(KeyId=key)
    assert delivery.received() == []


def test_a_target_that_fails_keeps_nothing_from_the_others(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    targets = [{"Id": "a-missing", "Arn": delivery.arn + "-missing"}, {"Id": "queue", "Arn": delivery.arn}]
    delivery.events.remove_targets(Rule=delivery.name, Ids=["queue"])
    delivery.events.put_targets(Rule=delivery.name, Targets=targets)
    assert delivery.put("media/a.wav")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(delivery.bodies()) == 1


def test_events_of_other_sources_reach_the_queue_whole(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    delivery.events.put_rule(Name=delivery.name, EventPattern='{"source": ["test"]}')
    delivery.events.put_events(Entries=[{"Source": "test", "DetailType": "Something", "Detail": '{"n": 1}'}])
    [event] = delivery.bodies()
    assert event["detail"] == {"n": 1}
    assert event["account"] == "123456789012"
    assert event["time"].endswith("Z") and "ingestion-time" not in event


def test_a_bucket_tells_that_it_sends_events_to_eventbridge(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    configuration = delivery.s3.get_bucket_notification_configuration(Bucket=delivery.name)
    assert configuration["EventBridgeConfiguration"] == {}
    plain = delivery.name + "-plain"
    delivery.s3.create_bucket(Bucket=plain)
    assert "EventBridgeConfiguration" not in delivery.s3.get_bucket_notification_configuration(Bucket=plain)


def test_a_bucket_that_does_not_send_events_sends_none(aws: InProcessAws) -> None:
    delivery = Delivery(aws)
    delivery.s3.put_bucket_notification_configuration(Bucket=delivery.name, NotificationConfiguration={})
    delivery.put("media/a.wav")
    assert delivery.bodies() == []


def test_moto_still_has_what_is_replaced(aws: InProcessAws) -> None:
    moto_arguments = list(inspect.signature(events._moto_send_event_bridge_message).parameters)
    assert moto_arguments == ["account_id", "bucket", "event_name", "key"]
    assert list(inspect.signature(events._moto_send_to_targets).parameters) == [
        "self",
        "original_event",
        "transform_input",
    ]
    assert notifications._send_event_bridge_message is events.send_event_bridge_message
    assert "_send_event_bridge_message" in notifications.send_event.__code__.co_names
    assert Rule.send_to_targets is events.send_to_targets
    assert S3Response.get_bucket_notification is events.get_bucket_notification
