"""Athena's SQL over JSON lines and Parquet, run by DuckDB.

sqlglot translates between the two dialects. A query has access to the given tables only, not to this machine.

Difference from Athena: only queries run, no statements that create or change tables.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.engines.athena_values import as_text, athena_type


class QueryFailed(Exception):
    """The query cannot be run; the message begins with Athena's name of the error."""


@dataclass(frozen=True)
class Table:
    """JSON lines as a table: its columns' Hive types by name, and the content of its files."""

    columns: Mapping[str, str]
    files: Iterable[bytes]


@dataclass(frozen=True)
class PartitionedTable:
    """Parquet files as a table: its columns as those of Table, the names of its partitions, and the files.

    Each file is the content with the values of its partitions, which are texts.
    """

    columns: Mapping[str, str]
    partitions: Sequence[str]
    files: Iterable[tuple[Sequence[str], bytes]]


@dataclass(frozen=True)
class Answer:
    """Names and types of the columns, and rows of values as Athena writes them; None is NULL."""

    columns: list[tuple[str, str]]
    rows: list[list[str | None]]


def tables_of(statement: str, database: str) -> set[tuple[str, str]]:
    """Database and name of each table that the statement reads; `database` is the default.

    Raises QueryFailed if the statement is no query.
    """
    query = parsed(statement)
    named_here = {expression.alias.lower() for expression in query.find_all(exp.CTE)}
    return {
        ((table.db or database).lower(), table.name.lower())
        for table in query.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in named_here)
    }


def run(statement: str, database: str, tables: Mapping[tuple[str, str], Table | PartitionedTable]) -> Answer:
    """Answer the statement from `tables`, by database and name as `tables_of` has them. Raises QueryFailed."""
    query = in_duckdb(statement)
    with duckdb.connect(":memory:") as connection, tempfile.TemporaryDirectory() as directory:
        connection.execute("SET TimeZone = 'UTC'")
        for number, ((schema, name), table) in enumerate(tables.items()):
            folder, qualified = Path(directory, str(number)), f"{_quoted(schema)}.{_quoted(name)}"
            folder.mkdir()
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
            if isinstance(table, Table):
                _load(connection, qualified, table, folder)
            else:
                _load_partitions(connection, qualified, table, folder)
        # The following statement is the caller's.
        connection.execute("SET enable_external_access = false")
        try:
            if any(schema == database for schema, _ in tables):
                connection.execute(f"USE {_quoted(database)}")
            connection.execute("SET lock_configuration = true")
            found = connection.execute(query)
            types = [(column[0], column[1]) for column in found.description or ()]
            rows = [[as_text(value) for value in row] for row in found.fetchall()]
        except duckdb.Error as error:
            known = isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException)
            kind = "SYNTAX_ERROR" if known else "GENERIC_USER_ERROR"
            raise QueryFailed(f"{kind}: {str(error).splitlines()[0]}") from None
    return Answer([(name, athena_type(str(kind))) for name, kind in types], rows)


def in_duckdb(statement: str) -> str:
    """Athena's SQL as DuckDB has it. Raises QueryFailed if the statement is no query."""
    query = parsed(statement).transform(_adapted)
    first: Any = query
    while isinstance(first, exp.SetOperation):
        first = first.left
    if isinstance(first, exp.Select):
        first.set("expressions", [_named(column, number) for number, column in enumerate(first.expressions)])
    return query.sql("duckdb")


def duckdb_type(hive_type: str) -> str:
    """A column's Hive type as DuckDB names it."""
    return exp.DataType.build(hive_type, dialect="hive").sql("duckdb")


def parsed(statement: str) -> exp.Query:
    """The statement of Athena. Raises QueryFailed if it is no query."""
    try:
        query = sqlglot.parse_one(statement, read="athena")
    except SqlglotError as error:
        raise QueryFailed(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from None
    if not isinstance(query, exp.Query):
        raise QueryFailed("NOT_SUPPORTED: the local AWS runs queries (SELECT) only")
    return query


def _adapted(node: exp.Expression) -> exp.Expression:
    """Translate the functions that sqlglot doesn't translate."""
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("any_match", "none_match"):
        compare = exp.GT if node.name.lower() == "any_match" else exp.EQ
        number = exp.func("len", exp.func("list_filter", *node.expressions))
        return compare(this=number, expression=exp.Literal.number(0))
    if isinstance(node, exp.Table) and node.catalog:
        node.set("catalog", None)
    return node


def _named(column: exp.Expression, number: int) -> exp.Expression:
    """Give an expression without a name Athena's default name."""
    has_name = isinstance(column, exp.Alias | exp.Column | exp.Dot | exp.Star)
    return column if has_name else exp.Alias(this=column, alias=exp.to_identifier(f"_col{number}"))


def _load(connection: duckdb.DuckDBPyConnection, qualified: str, table: Table, directory: Path) -> None:
    for number, content in enumerate(table.files):
        Path(directory, f"{number}.jsonl").write_bytes(content)
    types = {name: duckdb_type(kind) for name, kind in table.columns.items()}
    _create(connection, qualified, types)
    if not any(directory.iterdir()):
        return
    try:
        connection.execute(
            f"INSERT INTO {qualified} FROM read_json(?, columns = {types}, format = 'newline_delimited')",
            [f"{directory}/*.jsonl"],
        )
    except duckdb.Error as error:
        # The error's own text quotes the line.
        raise QueryFailed(
            f"HIVE_BAD_DATA: a line of {qualified} is not as its columns say: {type(error).__name__}"
        ) from None


def _load_partitions(
    connection: duckdb.DuckDBPyConnection, qualified: str, table: PartitionedTable, directory: Path
) -> None:
    """Columns are found by their names; one that a file lacks is NULL."""
    types = {name: duckdb_type(kind) for name, kind in table.columns.items()}
    _create(connection, qualified, types | dict.fromkeys(table.partitions, "VARCHAR"))
    path = directory / "file.parquet"
    for values, content in table.files:
        path.write_bytes(content)
        source = "read_parquet(?, hive_partitioning = false)"
        try:
            described = connection.execute(f"DESCRIBE FROM {source}", [str(path)]).fetchall()
            columns = [_quoted(name) for name, *_ in described if name in types]
            partitions = [f"? AS {_quoted(name)}" for name in table.partitions]
            connection.execute(
                f"INSERT INTO {qualified} BY NAME SELECT {', '.join([*columns, *partitions])} FROM {source}",
                [*values, str(path)],
            )
        except duckdb.Error as error:
            raise QueryFailed(
                f"HIVE_BAD_DATA: a file of {qualified} is not as its columns say: {type(error).__name__}"
            ) from None


def _create(connection: duckdb.DuckDBPyConnection, qualified: str, types: Mapping[str, str]) -> None:
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in types.items())
    connection.execute(f"CREATE TABLE {qualified} ({columns})")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
