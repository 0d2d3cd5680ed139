import inspect
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaBackend
from moto.sqs.models import Message, sqs_backends

from local.aws import clock, event_source_mapping
from local.aws.event_source_mapping import reported_failures
from tests.local.aws.in_process import Handler, InProcessAws, eventually, in_process_aws

SCALE = 0.02


@pytest.fixture(scope="module")
def aws() -> Iterator[InProcessAws]:
    event_source_mapping.install()
    with in_process_aws(time_scale=SCALE) as aws:
        yield aws
        event_source_mapping.stop()


class Mapping:
    """A queue with a dead-letter queue behind it (after 3 receives), and a function that gets its batches."""

    def __init__(
        self, aws: InProcessAws, handler: Handler, visibility_timeout: int = 30, timeout: int = 3, **mapping: Any
    ) -> None:
        self.aws, self.sqs, self.lambda_ = aws, aws.client("sqs"), aws.client("lambda")
        self.name = f"ingest-{uuid.uuid4().hex[:8]}"
        self.dead_letters = self.sqs.create_queue(QueueName=self.name + "-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self.arn(self.dead_letters), "maxReceiveCount": 3}
        attributes = {"VisibilityTimeout": str(visibility_timeout), "RedrivePolicy": json.dumps(redrive)}
        self.queue = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        aws.function(self.name, handler, timeout)
        mapping = {"FunctionResponseTypes": ["ReportBatchItemFailures"], **mapping}
        created = self.lambda_.create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=self.arn(self.queue), **mapping
        )
        self.uuid = created["UUID"]

    def arn(self, url: str) -> Any:
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def batches(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for event in self.aws.events(self.name)]

    def records(self) -> list[Any]:
        return [record for event in self.aws.events(self.name) for record in event["Records"]]

    def left(self, url: str | None = None) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url or self.queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


def report(*bodies: str) -> Handler:
    """A handler that reports the messages with these bodies as failed."""

    def handler(event: Any) -> dict[str, Any]:
        failed = [record["messageId"] for record in event["Records"] if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def test_messages_within_the_window_come_as_one_batch(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report(), BatchSize=100, MaximumBatchingWindowInSeconds=100)
    mapping.send(*"abcdefghijklmnopqrstuvwxy")
    eventually(mapping.batches)
    assert mapping.batches() == [list("abcdefghijklmnopqrstuvwxy")]
    eventually(lambda: mapping.left() == 0)


def test_a_full_batch_does_not_wait_for_its_window(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report(), BatchSize=3, MaximumBatchingWindowInSeconds=100)
    mapping.send(*"abcdefg")
    eventually(lambda: len(mapping.batches()) == 2, seconds=1.9)
    assert mapping.batches() == [list("abc"), list("def")]
    eventually(lambda: mapping.batches()[2:] == [["g"]])


def test_a_record_holds_what_lambda_puts_into_it(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report())
    sent = mapping.sqs.send_message(QueueUrl=mapping.queue, MessageBody="text")
    [record] = eventually(mapping.records)
    assert record["messageId"] == sent["MessageId"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert (record["body"], record["eventSource"], record["awsRegion"]) == ("text", "aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == mapping.arn(mapping.queue)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) <= int(record["attributes"]["ApproximateFirstReceiveTimestamp"])


def test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report("poison"))
    mapping.send("good", "poison", "fine")
    eventually(lambda: mapping.left(mapping.dead_letters) == 1)
    bodies = [record["body"] for record in mapping.records()]
    counts = [r["attributes"]["ApproximateReceiveCount"] for r in mapping.records() if r["body"] == "poison"]
    assert counts == ["1", "2", "3"]
    assert (bodies.count("good"), bodies.count("fine")) == (1, 1)
    assert mapping.left() == 0


def test_a_failed_message_returns_when_its_visibility_timeout_ends_on_the_clock(aws: InProcessAws) -> None:
    times = []

    def fail_once(event: Any) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            raise ValueError("bad")

    mapping = Mapping(aws, fail_once, visibility_timeout=40)
    mapping.send("a")
    eventually(lambda: len(times) == 2)
    assert clock.scaled(40) * 0.9 <= times[1] - times[0] < clock.scaled(40) + 1


def test_a_message_does_not_return_while_its_function_runs(aws: InProcessAws) -> None:
    mapping = Mapping(aws, lambda event: time.sleep(clock.scaled(30) + 0.3), visibility_timeout=30)
    mapping.send("slow")
    eventually(lambda: mapping.left() == 0)
    assert mapping.batches() == [["slow"]]


def test_an_error_of_the_function_returns_the_whole_batch(aws: InProcessAws) -> None:
    def fail_first(event: Any) -> None:
        if event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1":
            raise ValueError("bad")

    mapping = Mapping(aws, fail_first, BatchSize=100, MaximumBatchingWindowInSeconds=10)
    mapping.send("a", "b", "c")
    eventually(lambda: len(mapping.records()) == 6)
    assert [r["attributes"]["ApproximateReceiveCount"] for r in mapping.records()] == ["1"] * 3 + ["2"] * 3
    eventually(lambda: mapping.left() == 0)


def test_failures_are_not_asked_about_without_the_response_type(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report("a"), FunctionResponseTypes=[])
    mapping.send("a")
    eventually(lambda: mapping.left() == 0)
    assert mapping.batches() == [["a"]]


def test_sending_does_not_wait_for_the_function(aws: InProcessAws) -> None:
    release = threading.Event()
    mapping = Mapping(aws, lambda event: release.wait(10) and None)
    started = time.monotonic()
    mapping.send("a", "b")
    assert time.monotonic() - started < 2
    eventually(mapping.batches)
    release.set()
    eventually(lambda: mapping.left() == 0)


def test_a_disabled_mapping_leaves_the_queue_alone_until_it_is_enabled(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report(), Enabled=False)
    mapping.send("a")
    time.sleep(0.3)
    assert (mapping.batches(), mapping.left()) == ([], 1)
    mapping.lambda_.update_event_source_mapping(UUID=mapping.uuid, Enabled=True)
    eventually(lambda: mapping.batches() == [["a"]])


def test_a_deleted_mapping_polls_no_more(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report())
    mapping.lambda_.delete_event_source_mapping(UUID=mapping.uuid)
    eventually(lambda: f"event-source-mapping-{mapping.name}" not in {t.name for t in threading.enumerate()})
    mapping.send("a")
    time.sleep(0.2)
    assert (mapping.batches(), mapping.left()) == ([], 1)


def test_a_deleted_queue_ends_its_poller(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report())
    mapping.sqs.delete_queue(QueueUrl=mapping.queue)
    eventually(lambda: f"event-source-mapping-{mapping.name}" not in {t.name for t in threading.enumerate()})


def test_no_message_of_many_senders_is_lost_or_processed_twice(aws: InProcessAws) -> None:
    mapping = Mapping(aws, report(), BatchSize=50, MaximumBatchingWindowInSeconds=1)
    queue = sqs_backends["123456789012"]["us-east-1"]

    def send(sender: int) -> None:
        for n in range(200):
            queue.send_message(mapping.name, f"{sender}-{n}")

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    eventually(lambda: mapping.left() == 0)
    bodies = [record["body"] for record in mapping.records()]
    assert len(bodies) == 1600
    assert set(bodies) == {f"{sender}-{n}" for sender in range(8) for n in range(200)}


def test_a_large_batch_needs_a_window(aws: InProcessAws) -> None:
    with pytest.raises(ClientError, match="Maximum batch window") as refusal:
        Mapping(aws, report(), BatchSize=11)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_queue_must_hide_messages_as_long_as_the_function_may_take(aws: InProcessAws) -> None:
    with pytest.raises(Exception, match="visibility timeout: 30 seconds is less than Function timeout: 31"):
        Mapping(aws, report(), visibility_timeout=30, timeout=31)


def test_the_functions_role_must_be_allowed_to_consume_the_queue(aws: InProcessAws) -> None:
    aws.role("function", "lambda.amazonaws.com")
    iam = aws.client("iam")
    allowed = iam.get_role_policy(RoleName="function", PolicyName="all")["PolicyDocument"]
    receive_only = {"Version": "2012-10-17", "Statement": [{**allowed["Statement"][0], "Action": "sqs:ReceiveMessage"}]}
    try:
        iam.put_role_policy(RoleName="function", PolicyName="all", PolicyDocument=json.dumps(receive_only))
        with pytest.raises(Exception, match="role does not have permissions to call DeleteMessage on SQS"):
            Mapping(aws, report())
    finally:
        iam.put_role_policy(RoleName="function", PolicyName="all", PolicyDocument=json.dumps(allowed))


def test_a_refused_mapping_does_not_exist(aws: InProcessAws) -> None:
    before = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    with pytest.raises(Exception, match="Maximum batch window"):
        Mapping(aws, report(), BatchSize=11)
    assert len(aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]) == len(before)


def test_stopping_waits_for_the_function_and_leaves_nothing_running(aws: InProcessAws) -> None:
    mapping = Mapping(aws, lambda event: time.sleep(0.3))
    mapping.send("a")
    eventually(mapping.batches)
    event_source_mapping.stop()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("event-source-mapping-")]
    assert mapping.left() == 0


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (b'{"batchItemFailures": [{"itemIdentifier": "a"}]}', {"a"}),
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": null}', set()),
        (b"{}", set()),
        (b"null", set()),
        (b"", set()),
        (None, set()),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', {"a", "b"}),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', {"a", "b"}),
        (b'{"batchItemFailures": [{"itemId": "a"}]}', {"a", "b"}),
        (b'{"batchItemFailures": [{"itemIdentifier": "other"}]}', {"a", "b"}),
        (b"not json", {"a", "b"}),
        (b'"text"', {"a", "b"}),
    ],
)
def test_an_answer_tells_the_failed_messages(answer: bytes | None, failed: set[str]) -> None:
    assert reported_failures(answer, {"a", "b"}) == failed


def test_moto_still_has_what_is_used_of_it() -> None:
    create = inspect.signature(event_source_mapping._moto_create_event_source_mapping)
    assert list(create.parameters) == ["self", "spec"]
    invoke = ["self", "function_name", "qualifier", "body", "headers", "response_headers"]
    assert list(inspect.signature(LambdaBackend.invoke).parameters) == invoke
    message = Message("id", "body")
    message.visible_at = time.time() * 1000 + 50
    assert not message.visible
    message.visible_at = time.time() * 1000 - 50
    assert message.visible
