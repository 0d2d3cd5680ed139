from collections.abc import Callable

import pytest

from tests.infra.conftest import Deployed

RULE_ARN = "arn:aws:events:us-east-1:123456789012:rule/clinical-media-local-recordings"


def test_uploads_under_media_go_to_the_queue(local: Deployed) -> None:
    rule = local.resources["Ingest/Rule"]["Properties"]
    assert rule["Name"] == "clinical-media-local-recordings"
    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["Storage/Media/Bucket"]}, "object": {"key": [{"prefix": "media/"}]}},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == "Ingest/Queue.Arn"


def test_an_event_that_cannot_be_delivered_is_retried_for_a_day_and_then_kept(local: Deployed) -> None:
    (target,) = local.resources["Ingest/Rule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": "Ingest/DeadLetterQueue.Arn"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_a_message_that_fails_repeatedly_ends_in_the_dead_letter_queue(local: Deployed) -> None:
    queue = local.resources["Ingest/Queue"]["Properties"]
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": "Ingest/DeadLetterQueue.Arn", "maxReceiveCount": 50}
    dead_letters = local.resources["Ingest/DeadLetterQueue"]["Properties"]
    assert dead_letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_message_stays_hidden_while_its_batch_is_collected_and_retried(
    deploy: Callable[..., Deployed], environment: str
) -> None:
    deployed = deploy(environment)
    timeout = deployed.resources["Functions/Ingest/Function"]["Properties"]["Timeout"]
    (mapping,) = deployed.of_type("AWS::Lambda::EventSourceMapping").values()
    visibility = deployed.resources["Ingest/Queue"]["Properties"]["VisibilityTimeout"]
    assert visibility >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]


@pytest.mark.parametrize(("environment", "size", "window"), [("dev", 100, 60), ("prod", 1000, 300)])
def test_batches_are_as_large_as_the_environment_says_and_fail_message_by_message(
    deploy: Callable[..., Deployed], environment: str, size: int, window: int
) -> None:
    (mapping,) = deploy(environment).of_type("AWS::Lambda::EventSourceMapping").values()
    assert mapping == {
        "BatchSize": size,
        "EventSourceArn": "Ingest/Queue.Arn",
        "FunctionName": "Functions/Ingest/Function",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": window,
        "ScalingConfig": {"MaximumConcurrency": 2},
    }


@pytest.mark.parametrize("queue", ["Queue", "DeadLetterQueue"])
def test_queues_are_encrypted_and_take_messages_from_the_rule_only(local: Deployed, queue: str) -> None:
    assert local.resources[f"Ingest/{queue}"]["Properties"]["KmsMasterKeyId"] == "Storage/Operations/Key.Arn"
    statements = local.resources[f"Ingest/{queue}/Policy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [
        (s["Action"], s["Principal"], s["Condition"], s["Resource"]) for s in statements if s["Effect"] == "Allow"
    ]
    assert allowed == [
        (
            "sqs:SendMessage",
            {"Service": "events.amazonaws.com"},
            {"ArnEquals": {"aws:SourceArn": RULE_ARN}},
            f"Ingest/{queue}.Arn",
        )
    ]
    denied = [s["Condition"] for s in statements if s["Effect"] == "Deny" and s["Action"] == "sqs:*"]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_eventbridge_may_use_the_queues_key_on_no_condition_that_it_might_not_meet(local: Deployed) -> None:
    statements = local.resources["Storage/Operations/Key"]["Properties"]["KeyPolicy"]["Statement"]
    (statement,) = [s for s in statements if s["Principal"] == {"Service": "events.amazonaws.com"}]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert "Condition" not in statement
