"""Bad input is data: what can't be used is written down with its reason, and the batch goes on."""

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from lambdas.shared.observability import logger
from lambdas.shared.storage import list_keys, read_json, write_json


class Rejection(TypedDict):
    media_id: str
    user_id: str
    uri: str
    reason: str


def write_rejection(bucket: str, batch_id: str, recording: Mapping[str, Any], reason: str) -> None:
    rejection: Rejection = {
        "media_id": recording["media_id"],
        "user_id": recording["user_id"],
        "uri": recording["uri"],
        "reason": reason,
    }
    write_json(bucket, f"batches/{batch_id}/rejections/{recording['media_id']}.json", rejection)
    logger.warning("recording rejected", extra={"batch_id": batch_id, "media_id": recording["media_id"]})


def read_rejections(bucket: str, batch_id: str) -> Iterator[Rejection]:
    for key in list_keys(bucket, f"batches/{batch_id}/rejections/"):
        yield read_json(bucket, key)
