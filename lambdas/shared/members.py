"""The members table: the members of each cohort, and the people with records.

`index#<index>` / `<object id>` is an object whose records make its person, `user_id`, a member of a cohort by the rules
of that index (`cohorts/indexes.py`). `outline#<digest of the outline>` / `<user id>` is a person with records, below
the outline that easily confused user ids share. `changed#<digit>` / `<object id>` is an object whose records the
compaction has to read (`shared/analysis_items.py`). All expire with the records. `patient#…` is a patient in an
execution (`planning/patients.py`).

The table has no facts of its own: a rebuild makes the members and people from the records.
"""

import time
from collections.abc import Set
from typing import NamedTuple

from lambdas.shared.ledger import Change, read_partition
from lambdas.shared.ledger_keys import index_key, outline_key


class Membership(NamedTuple):
    """The person of an object with records, and the indexes of which the object is a member.

    `expires_at` is the time when the records expire, in seconds since 1970, None for never.
    """

    user_id: str
    indexes: frozenset[str]
    expires_at: int | None


def changes(object_id: str, before: Set[str], after: Membership | None) -> list[Change]:
    """The changes of the members table when an object's membership changes; `after` is None if it has no records."""
    if after is None:
        return [_removed(object_id, index) for index in sorted(before)]
    return [
        _put(outline_key(after.user_id), after.user_id, after),
        *(_put(index_key(index), object_id, after) for index in sorted(after.indexes)),
        *(_removed(object_id, index) for index in sorted(before - after.indexes)),
    ]


def read_members(index: str) -> set[str]:
    """The user ids of the people whom the index has as members.

    DynamoDB deletes expired items within days, so they are left out here.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
    """
    now = time.time()
    return {item["user_id"] for item in read_partition(index_key(index)) if item.get("expires_at", now + 1) > now}


def read_alike(user_id: str) -> set[str]:
    """The people with records whose user ids are this one, or easily confused with it."""
    return {item["user_id"] for item in read_partition(outline_key(user_id))}


def _put(key: str, sort: str, after: Membership) -> Change:
    if after.expires_at is None:
        return Change(key, sort=sort, put={"user_id": after.user_id}, remove=("expires_at",))
    return Change(key, sort=sort, put={"user_id": after.user_id, "expires_at": after.expires_at})


def _removed(object_id: str, index: str) -> Change:
    return Change(index_key(index), sort=object_id, delete=True)
