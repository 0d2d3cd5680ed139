"""Bad input is data: what can't be used is written down with its reason, and the batch goes on."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from lambdas.shared.layout import rejection_key, rejections_prefix
from lambdas.shared.observability import logger
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.state import LeftRecording, NamedRecording, Rejection
from lambdas.shared.storage import list_keys, write_json

# A word of a reason that tells one recording from another.
_PARTICULAR = re.compile(r"\S*[\d'/]\S*")


def write_rejection(bucket: str, batch_id: str, recording: NamedRecording, reason: str) -> None:
    write_json(bucket, rejection_key(batch_id, recording["media_id"]), rejection(recording, reason))
    logger.warning("recording rejected", extra={"batch_id": batch_id, "media_id": recording["media_id"]})


def rejected_media(bucket: str, batch_id: str) -> set[str]:
    """The media ids of the recordings that the batch's steps have rejected; not those of its plan."""
    keys = list_keys(bucket, rejections_prefix(batch_id))
    return {key.rpartition("/")[2].removesuffix(".json") for key in keys}


def read_rejection(bucket: str, batch_id: str, recording: NamedRecording) -> Rejection:
    """The rejection of a recording. One that can't be read is told with the reason for that."""
    key = rejection_key(batch_id, recording["media_id"])
    try:
        with understanding(bucket, key):
            reason = str(json.loads(read_file(bucket, key))["reason"])
    except UnreadableFile as unreadable:
        reason = f"Its reason can't be told: {unreadable}"
    return rejection(recording, reason)


def most_alike(rejections: Iterable[Rejection]) -> int:
    """How many of them have the same reason, but for its particulars: numbers, names and places."""
    reasons = Counter(_PARTICULAR.sub("", rejection["reason"]) for rejection in rejections)
    return max(reasons.values(), default=0)


def rejection(recording: NamedRecording, reason: str) -> Rejection:
    return {
        "media_id": recording["media_id"],
        "user_id": recording["user_id"],
        "uri": recording["uri"],
        "reason": reason,
    }


def left_to_others(planned: Iterable[NamedRecording], elsewhere: Mapping[str, str]) -> list[LeftRecording]:
    """The planned recordings that another execution has; `elsewhere` names it by media id."""
    return [
        {
            "media_id": recording["media_id"],
            "user_id": recording["user_id"],
            "uri": recording["uri"],
            "execution_name": elsewhere[recording["media_id"]],
        }
        for recording in planned
        if recording["media_id"] in elsewhere
    ]
