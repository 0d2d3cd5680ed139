"""The ledger's item `object#<object id>` for each object of the media bucket: its planned version and its records.

`version` is the media id of the last planned version, and `consent` is that version's consent to audiences; it replaces
the consent of earlier versions even if the newest is rejected. `recorded` is the transcript whose records are complete,
`recorded_by` the execution that wrote them. `indexes` are the indexes of cohorts of which the object is a member by its
records (`shared/members.py`); every write that changes them writes the members in the same transaction. A write that
follows new records also lists the object for the compaction (`shared/analysis_items.py`). Every write increments
`sequence`, even one that changes nothing else, so that a write based on an earlier read is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from lambdas.shared.analysis_items import changed
from lambdas.shared.ledger import Change, Item, only, read_item, read_items, write_with
from lambdas.shared.ledger_keys import about, object_key
from lambdas.shared.lifetime import expires_at
from lambdas.shared.members import Membership, changes

# An item's attributes to write by name; None removes an attribute.
Attributes = Mapping[str, str | bool | None]


class ObjectItem(NamedTuple):
    """An item as it was read; `sequence` is 0 for an object that was never planned or was forgotten."""

    sequence: int = 0
    version: str = ""
    consent: bool = False
    recorded: str = ""
    recorded_by: str = ""
    indexes: frozenset[str] = frozenset()


def plan(object_id: str, seen: ObjectItem, version: str, recorded: str, *, consents: bool) -> bool:
    """Store the planned version, and the transcript whose records are complete, "" for none.

    Without consent, the object's membership in cohorts ends at once. Returns False, without a change, if the item has
    changed since it was `seen`.
    """
    attributes: Attributes = {"version": version, "consent": consents, "recorded": recorded or None}
    if not recorded:
        attributes = {**attributes, "recorded_by": None}
    if consents:
        return _write(object_id, seen, attributes, seen.indexes, [])
    return replace(object_id, seen, attributes, None)


def record(object_id: str, seen: ObjectItem, transcript_id: str, execution: str, membership: Membership | None) -> bool:
    """Store the transcript whose records are complete, "" for none, and the membership by these records.

    Returns False, without a change, if the item has changed since it was `seen`.
    """
    attributes = {"recorded": transcript_id or None, "recorded_by": execution}
    return replace(object_id, seen, attributes, membership, datetime.now(UTC))


def replace(
    object_id: str,
    seen: ObjectItem,
    attributes: Attributes,
    membership: Membership | None,
    written: datetime | None = None,
) -> bool:
    """Write the attributes and the membership; False, without a change, if the item has changed since it was `seen`.

    `written` is when the object's records were written, if the compaction has to read them.
    """
    indexes = membership.indexes if membership else frozenset[str]()
    others = changes(object_id, seen.indexes, membership)
    if written:
        others.append(changed(object_id, seen.sequence + 1, expires_at(written)))
    return _write(object_id, seen, attributes, indexes, others)


def _write(
    object_id: str,
    seen: ObjectItem,
    attributes: Attributes,
    indexes: frozenset[str],
    others: Sequence[Change],
) -> bool:
    wanted = {**attributes, "sequence": seen.sequence + 1, "indexes": indexes or None}
    change = Change(
        object_key(object_id),
        put={name: value for name, value in wanted.items() if value is not None},
        remove=[name for name, value in wanted.items() if value is None],
        expected={"sequence": seen.sequence or None},
    )
    return write_with(change, others)


def read_objects(object_ids: Iterable[str]) -> dict[str, ObjectItem]:
    """The items by object id; objects that were never planned, or were forgotten, are left out."""
    items = read_items([object_key(object_id) for object_id in object_ids])
    return {about(key): _object_item(item) for key, item in items.items()}


def read_object(object_id: str) -> ObjectItem:
    return _object_item(read_item(object_key(object_id)))


def _object_item(item: Item) -> ObjectItem:
    return ObjectItem(**only(item, ObjectItem._fields))
