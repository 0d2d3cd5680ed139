import inspect
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, sqs_backends

from local.aws import queues


@pytest.fixture
def sqs() -> Any:
    queues.install()
    return sqs_backends["123456789012"]["us-east-1"]


@pytest.fixture
def queue(sqs: Any) -> Iterator[Any]:
    name = f"queue-{uuid.uuid4().hex[:8]}"
    yield sqs.create_queue(name)
    sqs.delete_queue(name)


def test_no_message_is_lost_while_others_are_deleted(sqs: Any, queue: Any) -> None:
    deleted, sending = set(), True

    def consume() -> None:
        while (messages := sqs.receive_message(queue.name, 10, 0, 600)) or sending:
            for message in messages:
                assert message.body not in deleted, "received twice"
                deleted.add(message.body)
                sqs.delete_message(queue.name, message.receipt_handle)

    def send(sender: int) -> None:
        for n in range(300):
            sqs.send_message(queue.name, f"{sender}-{n}")

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    senders = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in consumers + senders:
        thread.start()
    for thread in senders:
        thread.join()
    sending = False
    for thread in consumers:
        thread.join()
    assert deleted == {f"{sender}-{n}" for sender in range(4) for n in range(300)}


@pytest.mark.parametrize("operation", ["receive", "delete"])
def test_a_queue_is_not_changed_while_another_changes_it(sqs: Any, queue: Any, operation: str) -> None:
    sqs.send_message(queue.name, "a")
    sqs.send_message(queue.name, "b")
    [message] = sqs.receive_message(queue.name, 1, 0, 600)
    operations = {
        "receive": lambda: sqs.receive_message(queue.name, 1, 0, 600),
        "delete": lambda: sqs.delete_message(queue.name, message.receipt_handle),
    }
    thread = threading.Thread(target=operations[operation])
    with queue._messages_lock:
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
        assert [m.approximate_receive_count for m in queue._messages] == [1, 0]
    thread.join(5)
    assert [m.approximate_receive_count for m in queue._messages] == ([1, 1] if operation == "receive" else [0])


def test_deleting_keeps_the_list_that_a_sender_may_hold(sqs: Any, queue: Any) -> None:
    held = queue._messages
    sqs.send_message(queue.name, "a")
    [message] = sqs.receive_message(queue.name, 1, 0, 600)
    sqs.delete_message(queue.name, message.receipt_handle)
    assert queue._messages is held and held == []


def test_a_thousand_messages_are_received_and_deleted_in_a_moment(sqs: Any, queue: Any) -> None:
    for n in range(1000):
        queue.add_message(sent_message(n))
    started = time.monotonic()
    messages = sqs.receive_message(queue.name, 1000, 0, 600)
    for message in messages:
        sqs.delete_message(queue.name, message.receipt_handle)
    assert len(messages) == 1000 and not queue._messages
    assert time.monotonic() - started < 2


def sent_message(n: int) -> Message:
    message = Message(str(n), f"body {n}")
    message.mark_sent()
    return message


def test_a_message_is_invisible_until_its_visibility_timeout_ends(sqs: Any, queue: Any) -> None:
    sqs.send_message(queue.name, "a")
    [message] = sqs.receive_message(queue.name, 1, 0, 600)
    assert sqs.receive_message(queue.name, 1, 0, 600) == []
    sqs.change_message_visibility(queue.name, message.receipt_handle, 0)
    [again] = sqs.receive_message(queue.name, 1, 0, 600)
    assert again.approximate_receive_count == 2


def test_a_delayed_message_comes_later(sqs: Any, queue: Any) -> None:
    sqs.send_message(queue.name, "a", delay_seconds=1)
    assert sqs.receive_message(queue.name, 1, 0, 600) == []
    assert [message.body for message in sqs.receive_message(queue.name, 1, 5, 600)] == ["a"]


def test_a_receiver_that_waits_lets_senders_send(sqs: Any, queue: Any) -> None:
    threading.Timer(0.2, lambda: sqs.send_message(queue.name, "late")).start()
    started = time.monotonic()
    assert [message.body for message in sqs.receive_message(queue.name, 1, 10, 600)] == ["late"]
    assert time.monotonic() - started < 3


def test_a_message_that_is_too_old_is_not_received(sqs: Any, queue: Any) -> None:
    queue.message_retention_period = 60
    sqs.send_message(queue.name, "old")
    queue._messages[0].sent_timestamp -= 61_000
    assert sqs.receive_message(queue.name, 1, 0, 600) == []


def test_deleting_twice_succeeds_and_an_unknown_handle_does_not(sqs: Any, queue: Any) -> None:
    sqs.send_message(queue.name, "a")
    [message] = sqs.receive_message(queue.name, 1, 0, 600)
    sqs.delete_message(queue.name, message.receipt_handle)
    sqs.delete_message(queue.name, message.receipt_handle)
    with pytest.raises(ReceiptHandleIsInvalid):
        sqs.delete_message(queue.name, "unknown")


def test_a_queue_s_times_are_whole_seconds(queue: Any) -> None:
    for name in ("CreatedTimestamp", "LastModifiedTimestamp"):
        assert isinstance(queue.attributes[name], int), name
    assert abs(queue.attributes["CreatedTimestamp"] - time.time()) < 60


def test_moto_still_has_what_is_replaced() -> None:
    names = ["queue_name", "count", "wait_seconds_timeout", "visibility_timeout", "message_attribute_names"]
    assert list(inspect.signature(queues._moto_receive_message).parameters) == ["self", *names]
    assert "is_message_valid_based_on_retention_period" in queues._moto_receive_message.__code__.co_names
    assert "visible" in inspect.getsource(vars(Queue)["messages"].fget)
    assert "_messages_lock" in inspect.getsource(Queue.add_message)
