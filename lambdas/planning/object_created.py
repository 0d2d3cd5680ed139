"""Read a queue message: EventBridge's event about the creation of a version of an object.

Shape: S3 user guide, "Amazon S3 EventBridge event message structure". The queue can have any content, so every member
is checked: one invalid message must not block the others of its batch.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambdas.shared.identity import digest
from lambdas.shared.uris import MAXIMUM_KEY_BYTES, uri_of

_DETAIL_TYPE = "Object Created"
# EventBridge's ids are UUIDs. An arbitrary text in place of an id must not reach the log.
_EVENT_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class NotAnEvent(Exception):
    """The message isn't one of our events. The error names members, never their values: a key may name a patient."""


class ObjectCreated(NamedTuple):
    """`media_id` is as in identity.media_id; `time` is the event's member, unchecked."""

    message_id: str
    event_id: str | None
    uri: str
    version: str
    media_id: str
    time: object


def read_message(message: Mapping[str, Any]) -> ObjectCreated:
    """The event in an SQS message.

    Raises:
        NotAnEvent: it isn't JSON, lacks a member, or names no object that this environment's media bucket can have.
    """
    try:
        event = json.loads(message["body"])
    except (TypeError, ValueError, RecursionError):
        raise NotAnEvent("the body isn't JSON") from None
    bucket, key = _text(event, "detail", "bucket", "name"), _text(event, "detail", "object", "key")
    version = _text(event, "detail", "object", "version-id" if _versioned(event) else "etag")
    if event.get("detail-type", _DETAIL_TYPE) != _DETAIL_TYPE:
        raise NotAnEvent(f"detail-type isn't {_DETAIL_TYPE!r}")
    if bucket != os.environ["MEDIA_BUCKET"]:
        raise NotAnEvent("detail.bucket.name isn't this environment's media bucket")
    if len(key.encode()) > MAXIMUM_KEY_BYTES:
        raise NotAnEvent(f"detail.object.key is longer than {MAXIMUM_KEY_BYTES} bytes")
    event_id = event.get("id")
    known_id = event_id if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else None
    media = digest(bucket, key, version)
    return ObjectCreated(message["messageId"], known_id, uri_of(bucket, key), version, media, event.get("time"))


def _versioned(event: Any) -> bool:
    """Whether the event names a version; without versioning, S3 omits the member or leaves it empty."""
    return bool(event["detail"]["object"].get("version-id"))


def _text(event: Any, *path: str) -> str:
    """The text at `path`, not empty and valid in UTF-8.

    Raises:
        NotAnEvent: there is no such text.
    """
    value = event
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise NotAnEvent(f"{'.'.join(path)} is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotAnEvent(f"{'.'.join(path)} isn't valid UTF-8") from None
    return value
