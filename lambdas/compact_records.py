"""CompactRecords: bring the analysis tables up to date with the records of one hexadecimal digit of object ids.

The state machine of statemachine/analysis.asl.yaml calls it for each digit until nothing is left. A call takes a bite
of the objects whose records have changed and replaces their rows. It can be stopped between any two of its steps and
repeated: an object stays listed until its rows are written, and the months in whose files they may be are stored before
they are written there.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypedDict, TypeVar

import msgspec

from lambdas.analysis.files import replace_rows
from lambdas.analysis.parquet import TABLES, Fresh, database
from lambdas.analysis.sources import moment, rows_of
from lambdas.shared.analysis_items import (
    Changed,
    add_month,
    alone_with,
    is_done,
    only_month,
    read_changed,
    read_months,
)
from lambdas.shared.ledger import batches
from lambdas.shared.lifetime import lifetime_days
from lambdas.shared.observability import logger
from lambdas.shared.parallel import PARALLEL_REQUESTS

# A bite: what one call reads at most, in objects and in bytes of rows as JSON.
MOST_OBJECTS = 2_000
MOST_BYTES = 400_000_000
# So many objects are read before their bytes are counted.
_OBJECTS_AT_ONCE = 2 * PARALLEL_REQUESTS

T = TypeVar("T")


class CompactRecordsEvent(TypedDict):
    """`digit` is a hexadecimal digit."""

    execution_name: str
    digit: str


class Bite(NamedTuple):
    """The objects that were read, each with the month of its rows, None without rows, which are in `folder`."""

    months: Mapping[Changed, str | None]
    folder: Path


def handler(event: CompactRecordsEvent, context: object) -> dict[str, Any]:
    """Compact a bite of the digit's objects; `more` says whether others are left.

    Raises:
        CompactionAtWork: another compaction has the digit.
    """
    logger.set_correlation_id(event["execution_name"])
    digit, bucket = event["digit"], os.environ["CLINICAL_BUCKET"]
    with alone_with(digit), TemporaryDirectory(prefix="compaction-") as folder:
        listed = read_changed(digit, MOST_OBJECTS)
        bite = read_bite(bucket, listed, Path(folder))
        files = compact(bucket, digit, bite)
    logger.info("records compacted", extra={"digit": digit, "objects": len(bite.months), "files": files})
    return {"more": len(bite.months) < len(listed) or len(listed) == MOST_OBJECTS}


def read_bite(bucket: str, listed: Sequence[Changed], folder: Path) -> Bite:
    """Write the objects' rows into a file for each table and month, until they are as many bytes as a bite may have."""
    months: dict[Changed, str | None] = {}
    size, encode = 0, msgspec.json.Encoder().encode_lines
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        for some in batches(listed, _OBJECTS_AT_ONCE):
            read = pool.map(lambda one: rows_of(bucket, one.object_id), some)
            for one, rows in zip(some, read, strict=True):
                months[one] = rows.month if rows else None
                for number, part in enumerate((rows.findings, rows.utterances) if rows else ()):
                    with lines_file(folder, number, rows.month if rows else "").open("ab") as file:
                        size += file.write(encode(part))
            if size >= MOST_BYTES:
                break
    return Bite(months, folder)


def compact(bucket: str, digit: str, bite: Bite) -> int:
    """Replace the objects' rows, take the objects off the list, and return the number of written files."""
    before = read_months(one.object_id for one in bite.months)
    new = {one.object_id: month for one, month in bite.months.items()}
    ids_by_month: dict[str, list[str]] = defaultdict(list)
    for object_id, month in new.items():
        for touched in {*before.get(object_id, ()), *([month] if month else ())}:
            ids_by_month[touched].append(object_id)
    in_parallel(
        lambda item: add_month(*item),
        [(object_id, month) for object_id, month in new.items() if month and month not in before.get(object_id, ())],
    )
    files, oldest = 0, oldest_recorded()
    with database() as connection:
        for month, object_ids in sorted(ids_by_month.items()):
            for number, table in enumerate(TABLES):
                fresh = Fresh(lines_file(bite.folder, number, month), object_ids)
                files += replace_rows(connection, bucket, table, digit, month, fresh, oldest, bite.folder)
    in_parallel(
        lambda item: only_month(*item),
        [(object_id, month) for object_id, month in new.items() if before.get(object_id, {month}) - {month}],
    )
    in_parallel(is_done, bite.months)
    return files


def lines_file(folder: Path, table: int, month: str) -> Path:
    return folder / f"{table}-{month}.jsonl"


def oldest_recorded() -> str:
    """Rows that were recorded before this time have expired, as their records have."""
    days = lifetime_days()
    return "" if days is None else moment(datetime.fromtimestamp(datetime.now(UTC).timestamp() - days * 86_400, UTC))


def in_parallel(act: Callable[[T], None], things: Iterable[T]) -> None:
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(act, things))
