"""Thread-safe SQS queues that are fast with thousands of messages.

moto changes the messages of a queue without its lock: a message that is sent while another is deleted can be lost, and
two consumers can receive the same one. It also reads the clock again and again for every message: receiving a batch of
1,000 takes half a minute.
"""

import time
from typing import Any

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from local.aws.key_states import check_queue

_moto_receive_message = SQSBackend.receive_message
_moto_send_message = SQSBackend.send_message
_moto_attributes: Any = Queue.attributes.fget  # type: ignore[attr-defined]
_TIMES = ("CreatedTimestamp", "LastModifiedTimestamp")


def receive_message(
    self: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """SQSBackend.receive_message under the queue's lock.

    The lock is free during the wait for messages, because `Queue.wait_for_messages` waits on it.
    Raises QueueKeyRefused.
    """
    check_queue(self.get_queue(queue_name))
    with self.get_queue(queue_name)._messages_lock:
        return _moto_receive_message(
            self, queue_name, count, wait_seconds_timeout, visibility_timeout, message_attribute_names
        )


def send_message(self: SQSBackend, queue_name: str, *message: Any, **details: Any) -> Message:
    """SQSBackend.send_message. Raises QueueKeyRefused."""
    check_queue(self.get_queue(queue_name))
    return _moto_send_message(self, queue_name, *message, **details)


def delete_message(self: Queue, receipt_handle: str) -> None:
    """Queue.delete_message, in place: a sender may be about to append to the same list.

    Deleting a deleted message succeeds. Raises ReceiptHandleIsInvalid for a handle that this queue never gave.
    """
    with self._messages_lock:
        if receipt_handle in self.deleted_messages:
            return
        message = next((message for message in self._messages if message.had_receipt_handle(receipt_handle)), None)
        if message is None:
            raise ReceiptHandleIsInvalid()
        self._messages.remove(message)
        self.pending_messages.discard(message)
        self.deleted_messages.update(handle for handle in message.all_receipt_handles if handle)


def attributes(self: Queue) -> dict[str, Any]:
    """Queue.attributes, whose times are whole seconds.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    """
    found: dict[str, Any] = _moto_attributes(self)
    return {name: int(value) if name in _TIMES else value for name, value in found.items()}


def is_visible(self: Message) -> bool:
    """Message.visible, at a tenth of the cost."""
    return time.time() * 1000 > self.visible_at


def is_delayed(self: Message) -> bool:
    """Message.delayed, at a tenth of the cost."""
    return time.time() * 1000 < self.delayed_until


def is_message_valid_based_on_retention_period(self: SQSBackend, queue_name: str, message: Message) -> bool:
    """SQSBackend's, without counting the messages of the queue for it."""
    retention_seconds: int = self.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
    sent = message.sent_timestamp or 0
    return sent / 1000 + retention_seconds > time.time()


def install() -> None:
    """Put this into moto; repeating it changes nothing."""
    Message.visible = property(is_visible)  # type: ignore[method-assign,assignment]
    Message.delayed = property(is_delayed)  # type: ignore[method-assign,assignment]
    SQSBackend.is_message_valid_based_on_retention_period = is_message_valid_based_on_retention_period  # type: ignore[method-assign]
    SQSBackend.send_message = send_message  # type: ignore[method-assign]
    SQSBackend.receive_message = receive_message  # type: ignore[method-assign]
    Queue.attributes = property(attributes)  # type: ignore[method-assign,assignment]
    Queue.delete_message = delete_message  # type: ignore[method-assign]
