"""What is planned and recorded of each object of the media bucket: an item `object#<object id>` of the ledger.

`version` is the media id of the version that was planned last, and `consent` whether that one consents to audiences:
the consent of the versions before it has ended, whatever becomes of the newest. `recorded` is the transcript whose
records stand, `recorded_by` the execution that wrote them. `sequence` counts the writes: each planning moves it on,
also one that changes nothing, so that whoever read the item before is refused.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lambdas.shared.ledger import Change, Item, only, read_item, read_items, write


class ObjectItem(NamedTuple):
    """An item as it was read; of an object that was never planned, or was forgotten, the sequence is 0."""

    sequence: int = 0
    version: str = ""
    consent: bool = False
    recorded: str = ""
    recorded_by: str = ""


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
