"""The ledger's item `object#<object id>` for each object of the media bucket: its planned version and its records.

`version` is the media id of the last planned version, and `consent` is that version's consent to audiences; it replaces
the consent of earlier versions even if the newest is rejected. `recorded` is the transcript whose records are complete,
`recorded_by` the execution that wrote them. Every write increments `sequence`, even a planning that changes nothing
else, so that a write based on an earlier read is refused.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lambdas.shared.ledger import Change, Item, only, read_item, read_items, write


class ObjectItem(NamedTuple):
    """An item as it was read; `sequence` is 0 for an object that was never planned or was forgotten."""

    sequence: int = 0
    version: str = ""
    consent: bool = False
    recorded: str = ""
    recorded_by: str = ""


def record(object_id: str, seen: ObjectItem, transcript_id: str, execution: str) -> bool:
    """Store the transcript whose records are complete, "" for none; False, without a change, if the item changed."""
    put = {"recorded_by": execution, "sequence": seen.sequence + 1}
    change = Change(
        object_key(object_id),
        put=put | ({"recorded": transcript_id} if transcript_id else {}),
        remove=() if transcript_id else ("recorded",),
        expected={"sequence": seen.sequence},
    )
    return write(change) is not None


def read_objects(object_ids: Iterable[str]) -> dict[str, ObjectItem]:
    """The items by object id; objects that were never planned, or were forgotten, are left out."""
    items = read_items([object_key(object_id) for object_id in object_ids])
    return {key.removeprefix(_PREFIX): _object_item(item) for key, item in items.items()}


def read_object(object_id: str) -> ObjectItem:
    return _object_item(read_item(object_key(object_id)))


def _object_item(item: Item) -> ObjectItem:
    return ObjectItem(**only(item, ObjectItem._fields))


_PREFIX = "object#"


def object_key(object_id: str) -> str:
    return f"{_PREFIX}{object_id}"
