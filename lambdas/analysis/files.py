"""The files of one digit and one month: all that has to be replaced when an object's rows change."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from lambdas.analysis.parquet import Fresh, Table, load, rewrite
from lambdas.shared.layout import FINDINGS, findings_key, month_prefix, utterances_key
from lambdas.shared.parallel import PARALLEL_REQUESTS
from lambdas.shared.storage import list_keys, s3, unchanged

_CHUNK_BYTES = 1 << 20


class Stored(NamedTuple):
    """A file of a table with its ETag and a copy of its content."""

    key: str
    etag: str
    copy: Path


def replace_rows(
    connection: DuckDBPyConnection,
    bucket: str,
    table: Table,
    digit: str,
    month: str,
    fresh: Fresh,
    oldest: str,
    folder: Path,
) -> int:
    """Replace the objects' rows in the files of the digit and the month, and return the number of written files.

    Rows that were recorded before `oldest` go too. A file that has no rows any more is written without rows: no
    function may delete objects. `folder` is for copies, and empty again afterwards.

    Raises:
        botocore.exceptions.ClientError: a code of CONDITION_NOT_MET if a file has changed meanwhile, for example
            because a patient was forgotten; the files before it are written.
    """
    keys = list(_keys(bucket, table, digit, month))
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        there = list(pool.map(lambda item: _fetch(bucket, item[1], folder / f"old-{item[0]}"), enumerate(keys)))
    by_key = {file.key: file for file in there}
    values = load(connection, table, fresh)
    for key in values_to_keys(table, digit, month, values):
        by_key.setdefault(key, Stored(key, "", folder / "none"))
    written = 0
    for key, file in sorted(by_key.items()):
        target = folder / "new"
        value = value_of(table, key)
        if rewrite(connection, table, value, file.copy if file.etag else None, oldest, target):
            with target.open("rb") as body:
                condition = unchanged({"ETag": file.etag} if file.etag else None)
                s3.put_object(
                    Bucket=bucket, Key=key, Body=body, ContentType="application/vnd.apache.parquet", **condition
                )
            target.unlink()
            written += 1
        file.copy.unlink(missing_ok=True)
    return written


def values_to_keys(table: Table, digit: str, month: str, values: Iterable[str]) -> list[str]:
    """The keys of the files into which rows with these values of the partition go."""
    if table.prefix == FINDINGS:
        return [findings_key(month, value, digit) for value in values]
    return [utterances_key(month, digit)]


def value_of(table: Table, key: str) -> str | None:
    """The value of the partition in the key, None for a table without one."""
    return None if table.partition is None else key.rpartition("/")[0].rpartition(f"/{table.partition}=")[2]


def _keys(bucket: str, table: Table, digit: str, month: str) -> Iterable[str]:
    return (key for key in list_keys(bucket, month_prefix(table.prefix, month)) if key.endswith(f"/{digit}.parquet"))


def _fetch(bucket: str, key: str, copy: Path) -> Stored:
    answer = s3.get_object(Bucket=bucket, Key=key)
    with copy.open("wb") as file:
        for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
    return Stored(key, answer["ETag"], copy)
