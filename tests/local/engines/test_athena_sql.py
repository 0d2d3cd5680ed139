from collections.abc import Iterable
from typing import Any

import pytest

from local.engines.athena_sql import QueryFailed, Table, duckdb_type, run, tables_of

TRAITS = "array<struct<name:string,score:double>>"
COLUMNS = {"user_id": "string", "score": "double", "traits": TRAITS}
LINES = b"""{"user_id": "p-1", "score": 0.5, "traits": [{"name": "NEGATION", "score": 1.0}], "unknown": 1}
{"user_id": "p-2", "score": null, "traits": []}
"""


def answer(statement: str, files: Iterable[bytes] = (LINES,), database: str = "clinic") -> list[list[str | None]]:
    return run(statement, database, {("clinic", "records"): Table(COLUMNS, files)}).rows


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT user_id FROM records ORDER BY user_id DESC", [["p-2"], ["p-1"]]),
        ("SELECT user_id FROM records WHERE any_match(traits, t -> t.name = 'NEGATION')", [["p-1"]]),
        ("SELECT user_id FROM records WHERE none_match(traits, t -> t.name = 'NEGATION')", [["p-2"]]),
        ("SELECT user_id, t.name FROM records CROSS JOIN UNNEST(traits) AS u(t)", [["p-1", "NEGATION"]]),
        ('SELECT count(*) FROM awsdatacatalog."clinic".Records', [["2"]]),
        ("WITH r AS (SELECT * FROM records) SELECT max(score) FROM r", [["0.5"]]),
        ("SELECT hour(from_iso8601_timestamp('2026-01-02T03:04:05+02:00'))", [["1"]]),
    ],
)
def test_athenas_sql_is_answered_from_the_lines(statement: str, expected: Any) -> None:
    assert answer(statement) == expected


def test_columns_have_athenas_names_and_types() -> None:
    statement = "SELECT user_id, score AS s, count(*), traits, NULL FROM records GROUP BY 1, 2, 4"
    assert run(statement, "clinic", {("clinic", "records"): Table(COLUMNS, [LINES])}).columns == [
        ("user_id", "varchar"),
        ("s", "double"),
        ("_col2", "bigint"),
        ("traits", "array"),
        ("_col4", "unknown"),
    ]
    assert run("SELECT 1 UNION SELECT 2", "clinic", {}).columns == [("_col0", "integer")]


def test_a_table_is_all_its_files_or_none() -> None:
    assert answer("SELECT count(*) FROM records", [LINES, LINES]) == [["4"]]
    assert answer("SELECT count(*), max(score) FROM records", []) == [["0", None]]


def test_only_tables_are_looked_for_not_names_that_the_statement_gives() -> None:
    statement = "WITH r AS (SELECT * FROM Records), s AS (SELECT * FROM r) SELECT * FROM s JOIN other.R ON true"
    assert tables_of(statement, "clinic") == {("clinic", "records"), ("other", "r")}
    assert tables_of("SELECT 1", "clinic") == set()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT nothing FROM records", "SYNTAX_ERROR: .*nothing"),
        ("SELECT FROM WHERE", "SYNTAX_ERROR"),
        ("SELECT CAST(user_id AS integer) FROM records", "GENERIC_USER_ERROR"),
        ("CREATE TABLE copy AS SELECT * FROM records", "NOT_SUPPORTED"),
        ("DROP TABLE records", "NOT_SUPPORTED"),
    ],
)
def test_what_cannot_be_answered_fails_by_athenas_name_of_the_error(statement: str, error: str) -> None:
    with pytest.raises(QueryFailed, match=error):
        answer(statement)


@pytest.mark.parametrize("line", [b'{"user_id": "p-3", "score": "what was said"}', b"what was said"])
def test_a_line_that_is_not_as_the_columns_say_fails_the_query_and_is_not_quoted(line: bytes) -> None:
    with pytest.raises(QueryFailed, match="HIVE_BAD_DATA") as failure:
        answer("SELECT * FROM records", [LINES, line])
    assert "said" not in str(failure.value)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('{path}')",
        "SELECT * FROM '{path}'",
        "SELECT * FROM glob('{path}')",
        "SELECT * FROM read_json('{path}')",
    ],
)
def test_a_query_sees_nothing_of_this_machine(statement: str, tmp_path: Any) -> None:
    path = tmp_path / "secret.json"
    path.write_text('{"a": 1}')
    with pytest.raises(QueryFailed):
        answer(statement.format(path=path))


def test_hive_types_are_duckdbs() -> None:
    assert duckdb_type("int") == "INT"
    assert duckdb_type(TRAITS) == "STRUCT(name TEXT, score DOUBLE)[]"
