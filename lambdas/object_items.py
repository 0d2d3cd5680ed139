"""What is planned and recorded of each object of the media bucket: an item `object#<object id>` of the ledger.

`version` is the media id of the version that was planned last, and `consent` whether that one consents to audiences:
the consent of the versions before it has ended, whatever becomes of the newest. `recorded` is the transcript whose
records stand, `recorded_by` the execution that wrote them. `sequence` counts the writes: each planning moves it on,
also one that changes nothing, so that whoever read the item before is refused.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from lambdas.recordings import Recording, check_access, inspect
from lambdas.shared.identity import digest
from lambdas.shared.layout import records_key
from lambdas.shared.ledger import MAXIMUM_ATTEMPTS, Change, Item, only, read_item, read_items, write
from lambdas.shared.storage import find_head, find_listed
from lambdas.shared.uris import parse_uri


class ObjectItem(NamedTuple):
    """An item as it was read; of an object that was never planned, or was forgotten, the sequence is 0."""

    sequence: int = 0
    version: str = ""
    consent: bool = False
    recorded: str = ""
    recorded_by: str = ""


class Planned(NamedTuple):
    """A recording as it was found in the bucket, and the transcript whose records stand, if any."""

    recording: Recording
    recorded: str


def plan_versions(pool: Executor, keys: Sequence[str]) -> list[Planned]:
    """Find each recording in the bucket, and write down that this version of it is planned.

    The item is read before the bucket is looked at, and written if it is still the same: what stands in it follows the
    bucket, whichever of two executions is faster. What was recorded stands if it is of this version and its records
    are still there; those from before there was a ledger are taken into it.

    Raises:
        botocore.exceptions.ClientError: S3 denied access, and told nothing of any recording.
    """
    planned: dict[str, Planned] = {}
    for _ in range(MAXIMUM_ATTEMPTS):
        left = [key for key in keys if key not in planned]
        if not left:
            return [planned[key] for key in keys]
        ids = [digest(os.environ["MEDIA_BUCKET"], key) for key in left]
        items = read_objects(ids)
        inspected = list(pool.map(inspect, left))
        check_access([*inspected, *(one.recording for one in planned.values())])
        written = pool.map(_plan, inspected, [items.get(object_id) for object_id in ids])
        planned |= {key: one for key, one in zip(left, written, strict=True) if one is not None}
    raise RuntimeError(f"{len(left)} objects were planned by other executions {MAXIMUM_ATTEMPTS} times meanwhile")


def _plan(found: Recording, seen: ObjectItem | None) -> Planned | None:
    """None if the item has changed since it was `seen`."""
    if not _is_version(found):
        return Planned(found, "")
    recorded = _standing(found, seen)
    put = {"version": found.media_id, "consent": found.audience_consent, "sequence": (seen.sequence if seen else 0) + 1}
    change = Change(
        object_key(found.object_id),
        put=put | ({"recorded": recorded} if recorded else {}),
        remove=() if recorded else ("recorded", "recorded_by"),
        expected={"sequence": seen.sequence if seen else None},
    )
    return Planned(found, recorded) if write(change) is not None else None


def _is_version(found: Recording) -> bool:
    """Whether there is a version of it. To delete an object is not to withdraw consent."""
    if found.user_id is None:
        return False
    return bool(found.uploaded_at) or (found.unseen and find_listed(*parse_uri(found.uri)) is not None)


def _standing(found: Recording, seen: ObjectItem | None) -> str:
    """The transcript of this version whose records stand; empty for none."""
    if found.rejected or (seen and (seen.version != found.media_id or not seen.recorded)):
        return ""
    head = find_head(os.environ["CLINICAL_BUCKET"], records_key(found.object_id))
    there: str = head["Metadata"].get("transcript-id", "") if head else ""
    if seen:
        return there if there == seen.recorded else ""
    return there if there.startswith(found.media_id) else ""


def record(object_id: str, seen: ObjectItem, transcript_id: str, execution: str) -> bool:
    """Note whose records stand, empty for incomplete ones; False, and nothing is noted, if the item has changed."""
    put = {"recorded_by": execution, "sequence": seen.sequence + 1}
    change = Change(
        object_key(object_id),
        put=put | ({"recorded": transcript_id} if transcript_id else {}),
        remove=() if transcript_id else ("recorded",),
        expected={"sequence": seen.sequence},
    )
    return write(change) is not None


def read_objects(object_ids: Iterable[str]) -> dict[str, ObjectItem]:
    """By object id; those that were never planned, or forgotten, are left out."""
    items = read_items([object_key(object_id) for object_id in object_ids])
    return {key.removeprefix(_PREFIX): _object_item(item) for key, item in items.items()}


def read_object(object_id: str) -> ObjectItem:
    return _object_item(read_item(object_key(object_id)))


def _object_item(item: Item) -> ObjectItem:
    return ObjectItem(**only(item, ObjectItem._fields))


_PREFIX = "object#"


def object_key(object_id: str) -> str:
    return f"{_PREFIX}{object_id}"
