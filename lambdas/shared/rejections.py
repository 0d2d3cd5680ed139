"""Rejections: a recording that can't be used is stored with the reason, and the batch continues."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from lambdas.shared.layout import rejection_key, rejections_prefix
from lambdas.shared.observability import logger
from lambdas.shared.recording_files import UnreadableFile, read_file, understanding
from lambdas.shared.state import LeftRecording, NamedRecording, Rejection
from lambdas.shared.storage import list_keys, write_json

# A word of a reason that is specific to one recording.
_PARTICULAR = re.compile(r"\S*[\d'/]\S*")


def write_rejection(bucket: str, batch_id: str, media_id: str, reason: str) -> None:
    """The file names no patient: an execution that is redriven after its patient was forgotten may still write it."""
    write_json(bucket, rejection_key(batch_id, media_id), {"media_id": media_id, "reason": reason})
    logger.warning("recording rejected", extra={"batch_id": batch_id, "media_id": media_id})


def rejected_media(bucket: str, batch_id: str) -> set[str]:
    """The media ids of the recordings that the batch's steps have rejected, without those rejected in the plan."""
    keys = list_keys(bucket, rejections_prefix(batch_id))
    return {key.rpartition("/")[2].removesuffix(".json") for key in keys}


def read_rejection(bucket: str, batch_id: str, recording: NamedRecording) -> Rejection:
    """The rejection of a recording. If its file can't be read, the reason says so."""
    key = rejection_key(batch_id, recording["media_id"])
    try:
        with understanding(bucket, key):
            reason = str(json.loads(read_file(bucket, key))["reason"])
    except UnreadableFile as unreadable:
        reason = f"The reason of the rejection can't be read: {unreadable}"
    return rejection(recording, reason)


def most_alike(rejections: Iterable[Rejection]) -> int:
    """The size of the largest group of rejections with the same reason, numbers, names and places aside."""
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
    """The planned recordings that other executions own; `elsewhere` maps a media id to its execution."""
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
