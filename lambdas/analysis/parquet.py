"""Parquet files of the analysis tables, read and written by DuckDB.

Errors name no row: DuckDB's own texts may quote one. No extension is loaded at run time; JSON and Parquet are built in.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import duckdb

from lambdas.shared import layout
from lambdas.shared.analysis_rows import FindingRow, UtteranceRow

_PLAIN = {str: "VARCHAR", bool: "BOOLEAN", int: "INTEGER", float: "DOUBLE"}
# Version 1 of the format and its nested lists are what every reader has. A group of rows is what a reader skips.
_FORMAT = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v1, ROW_GROUP_SIZE 122880)"
# So many rows are sorted at once: they take less than half of what DuckDB may have in a function of 3,008 MiB.
MOST_SORTED = 500_000
_ORDER = "user_id, uploaded_at, object_id, start_seconds"
# The rest of a function's memory is Python's.
_SHARE_OF_MEMORY = 0.6
_USUAL_MIB = 2048


class Table(NamedTuple):
    """An analysis table below `prefix`; `partition` is a column that is in the files' keys, not in the files."""

    prefix: str
    row: type
    partition: str | None


class Fresh(NamedTuple):
    """New rows as JSON Lines, and the ids of the objects of which they are all rows."""

    lines: Path
    object_ids: Sequence[str]


TABLES = (Table(layout.FINDINGS, FindingRow, "category"), Table(layout.UTTERANCES, UtteranceRow, None))


class UnreadableRows(ValueError):
    """Rows can't be read or written; the message has the kind of the error only."""


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database whose memory is bounded: what doesn't fit is written to a temporary folder."""
    memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _USUAL_MIB)) * _SHARE_OF_MEMORY
    with TemporaryDirectory(prefix="duckdb-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{int(memory)}MiB",
            "temp_directory": folder,
        }
        with _without_quotes(), duckdb.connect(":memory:", config=config) as connection:
            yield connection


def load(connection: duckdb.DuckDBPyConnection, table: Table, fresh: Fresh) -> list[str]:
    """Read the new rows for `rewrite`, and return the values of the partition, sorted."""
    columns = _columns(table)
    typed = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE fresh ({_definition(columns)})")
    if fresh.lines.exists():
        source = f"read_json({_text(fresh.lines)}, columns = {{{typed}}}, format = 'newline_delimited')"
        connection.execute(f"INSERT INTO fresh FROM {source}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE replaced AS SELECT unnest(?::VARCHAR[]) AS object_id", [[*fresh.object_ids]]
    )
    if table.partition is None:
        return []
    return [
        value for (value,) in connection.execute(f"SELECT DISTINCT {table.partition} FROM fresh ORDER BY 1").fetchall()
    ]


def rewrite(
    connection: duckdb.DuckDBPyConnection, table: Table, value: str | None, old: Path | None, oldest: str, target: Path
) -> bool:
    """Write the file `old` to `target` with the rows of the loaded objects replaced; False if nothing would change.

    `value` is that of the partition. Rows that were recorded before `oldest` are left out. A file without rows has
    columns.
    """
    columns = [name for name in _columns(table) if name != table.partition]
    where = "" if table.partition is None else f"WHERE {table.partition} = {_text(value)}"
    new = f"SELECT {', '.join(columns)} FROM fresh {where}"
    kept = ""
    if old is not None:
        gone = f"object_id IN (FROM replaced) OR recorded_at < {_text(oldest)}"
        source = f"read_parquet({_text(old)}, hive_partitioning = false)"
        kept = f"UNION ALL BY NAME SELECT * FROM {source} WHERE NOT ({gone})"
        if not _any(connection, f"FROM {source} WHERE {gone}") and not _any(connection, f"FROM fresh {where}"):
            return False
    rows = f"SELECT {', '.join(columns)} FROM ({new} {kept})"
    bounds = [] if old is None else _bounds(connection, f"read_parquet({_text(old)})")
    _write_sorted(connection, rows, bounds, target)
    return True


def _bounds(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    """The user ids that divide the rows into parts that can be sorted in memory, each the last one of its part."""
    (count,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    parts = -(-count // MOST_SORTED)
    if parts < 2:
        return []
    shares = [number / parts for number in range(1, parts)]
    ((found,),) = connection.execute(f"SELECT quantile_disc(user_id, {shares}) FROM {source}").fetchall()
    return sorted({*found})


def _write_sorted(connection: duckdb.DuckDBPyConnection, rows: str, bounds: Sequence[str], target: Path) -> None:
    """Write the rows in their order. DuckDB's own sort of millions of nested rows takes more memory than it may have.

    So parts are sorted one after another, and then joined, which needs little memory.
    """
    if not bounds:
        connection.execute(f"COPY ({rows} ORDER BY {_ORDER}) TO {_text(target)} {_FORMAT}")
        return
    with TemporaryDirectory(dir=target.parent) as folder:
        parts = []
        for number, (after, last) in enumerate(zip([None, *bounds], [*bounds, None], strict=True)):
            within = [f"user_id > {_text(after)}"] if after is not None else []
            within += [f"user_id <= {_text(last)}"] if last is not None else []
            parts.append(_text(Path(folder, f"{number}.parquet")))
            part = f"SELECT * FROM ({rows}) WHERE {' AND '.join(within)} ORDER BY {_ORDER}"
            connection.execute(f"COPY ({part}) TO {parts[-1]} {_FORMAT}")
        connection.execute(f"COPY (FROM read_parquet([{', '.join(parts)}])) TO {_text(target)} {_FORMAT}")


def names(body: bytes, is_theirs: Callable[[str, str], bool]) -> bool:
    """Whether the Parquet file has a row of a patient: `is_theirs` decides by user id and object id.

    Raises:
        UnreadableRows: the file is no Parquet file with these columns.
    """
    with _file(body) as (connection, source):
        return any(is_theirs(user_id, object_id) for user_id, object_id in _owners(connection, source))


def without(body: bytes, is_theirs: Callable[[str, str], bool]) -> bytes:
    """The Parquet file without the rows of a patient, as `names` decides; empty if no row is left.

    Raises:
        UnreadableRows: as `names` does.
    """
    with _file(body) as (connection, source):
        kept = [owner for owner in _owners(connection, source) if not is_theirs(*owner)]
        if not kept:
            return b""
        connection.execute("CREATE TEMP TABLE kept (user_id VARCHAR, object_id VARCHAR)")
        connection.executemany("INSERT INTO kept VALUES (?, ?)", kept)
        with TemporaryDirectory() as folder:
            target = Path(folder, "rest.parquet")
            rows = f"SELECT * FROM {source} SEMI JOIN kept USING (user_id, object_id)"
            _write_sorted(connection, rows, _bounds(connection, source), target)
            return target.read_bytes()


@contextmanager
def _file(body: bytes) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    with TemporaryDirectory() as folder, database() as connection:
        path = Path(folder, "file.parquet")
        path.write_bytes(body)
        yield connection, f"read_parquet({_text(path)}, hive_partitioning = false)"


def _owners(connection: duckdb.DuckDBPyConnection, source: str) -> list[tuple[str, str]]:
    return connection.execute(f"SELECT DISTINCT user_id, object_id FROM {source}").fetchall()


def _any(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    return connection.execute(f"SELECT 1 {rows} LIMIT 1").fetchone() is not None


def _columns(table: Table) -> dict[str, str]:
    return {name: _type(kind) for name, kind in get_type_hints(table.row).items()}


def _type(kind: Any) -> str:
    """The type of a column in DuckDB; every column may be NULL."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    if get_origin(kind) is UnionType:
        return _type(arguments[0])
    if arguments:
        return f"{_type(arguments[0])}[]"
    members = {name: _type(member) for name, member in get_type_hints(kind).items()}
    return f"STRUCT({_definition(members)})"


def _definition(columns: dict[str, str]) -> str:
    return ", ".join(f'"{name}" {kind}' for name, kind in columns.items())


def _text(value: object) -> str:
    """The value as a text in SQL; COPY takes no parameters."""
    return "'" + str(value).replace("'", "''") + "'"


@contextmanager
def _without_quotes() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise UnreadableRows(f"DuckDB failed with {type(error).__name__}") from None
