"""The items by which the compaction of the analysis tables (lambdas/compact_records.py) knows its work.

- `changed#<digit>` / `<object id>` in the members table: the object's records were written since its rows were. Each
  commit of records puts it in its own transaction, with the `sequence` of the object's item after the commit. The
  compaction deletes it only with the sequence that it read before the records: no two commits of an object have the
  same one, so a later commit's item stays. A rebuild puts the sequence 0, and only where no item is.
- `analysed#<object id>` in the ledger table: the months in whose files the object's rows may be. A month is added
  before its files are written, and removed after the rows have left them.
- `compaction#<digit>` in the ledger table: until when one compaction has this digit for itself.

An object's digit is the first one of its id, which is hexadecimal.
"""

import itertools
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lambdas.shared.ledger import Change, read_item, read_items, read_partition, write, write_together
from lambdas.shared.ledger_keys import about, analysed_key, changed_key, changed_partition, compaction_key

# Longer than a call of CompactRecords can take: Lambda ends a call at the function's timeout.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
LONGEST_COMPACTION_SECONDS = 16 * 60


class CompactionAtWork(Exception):
    """Another compaction has the digit; the state machine repeats the call until that one has ended."""


class Changed(NamedTuple):
    """An object whose rows aren't those of its records."""

    object_id: str
    sequence: int


def changed(object_id: str, sequence: int, expires_at: int | None) -> Change:
    """The change of the members table that lists the object; `expires_at` is when its records expire."""
    put = {"sequence": sequence}
    if expires_at is None:
        return Change(changed_key(object_id), sort=object_id, put=put, remove=("expires_at",))
    return Change(changed_key(object_id), sort=object_id, put=put | {"expires_at": expires_at})


def list_again(object_id: str, expires_at: int | None) -> None:
    """List the object, unless it is listed."""
    write(changed(object_id, 0, expires_at)._replace(expected={"sequence": None}))


def read_changed(digit: str, most: int) -> list[Changed]:
    """The first `most` of the digit's objects that are listed."""
    items = itertools.islice(read_partition(changed_partition(digit)), most)
    return [Changed(item["sk"], item["sequence"]) for item in items]


def is_done(done: Changed) -> None:
    """Remove the object from the list, unless it was listed anew."""
    expected = {"sequence": done.sequence}
    write_together([Change(changed_key(done.object_id), sort=done.object_id, delete=True, expected=expected)])


def read_months(object_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Object id -> the months in whose files its rows may be."""
    items = read_items([analysed_key(object_id) for object_id in object_ids])
    return {about(key): item.get("months", frozenset()) for key, item in items.items()}


def add_month(object_id: str, month: str) -> None:
    write(Change(analysed_key(object_id), add={"months": frozenset({month})}))


def only_month(object_id: str, month: str | None) -> None:
    """The object's rows are in this month's files alone; None: it has none."""
    if month is None:
        write(Change(analysed_key(object_id), remove=("months",)))
    else:
        write(Change(analysed_key(object_id), put={"months": frozenset({month})}))


@contextmanager
def alone_with(digit: str) -> Iterator[None]:
    """Let no other compaction have the digit during the block, or until Lambda must have ended this one.

    An object's rows are in several files, which S3 can't replace together. A compaction that was overtaken could add
    older rows to a file that the other one had no reason to write, so conditional writes alone don't suffice.

    Raises:
        CompactionAtWork: another one has it.
    """
    key, now, own = compaction_key(digit), int(time.time()), uuid.uuid4().hex
    until = read_item(key).get("until")
    if until and until > now:
        raise CompactionAtWork(f"Another compaction has the digit {digit} for up to {until - now} more seconds.")
    put = {"until": now + LONGEST_COMPACTION_SECONDS, "owner": own}
    # The SDK may have repeated a write that had succeeded; then the item is as wanted.
    if write(Change(key, put=put, expected={"until": until})) is None and read_item(key).get("owner") != own:
        raise CompactionAtWork(f"Another compaction has just taken the digit {digit}.")
    try:
        yield
    finally:
        write(Change(key, put={"until": 0}, expected={"owner": own}))
