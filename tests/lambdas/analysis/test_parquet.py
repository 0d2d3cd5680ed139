"""The removal of patients' rows, and what an unreadable file may say."""

from pathlib import Path

import duckdb
import msgspec
import pytest

from lambdas.analysis.parquet import TABLES, Fresh, UnreadableRows, database, load, names, rewrite, without
from lambdas.shared.analysis_rows import UtteranceRow
from tests.lambdas.report import visit


def parquet(tmp_path: Path, rows: str, order: str = "") -> bytes:
    path = tmp_path / "made.parquet"
    columns = "t(user_id, object_id, uploaded_at, start_seconds, traits)"
    duckdb.execute(f"COPY (SELECT * FROM (VALUES {rows}) AS {columns} {order}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@pytest.fixture
def body(tmp_path: Path) -> bytes:
    rows = "('p-1', 'a1', 'x', 1.0, [{'n': 'a'}]), ('p-1', 'a2', 'x', 2.0, []), ('p-2', 'a3', 'x', 3.0, [{'n': 'b'}])"
    return parquet(tmp_path, rows)


def rows_of(body: bytes, tmp_path: Path) -> list[tuple[object, ...]]:
    path = tmp_path / "read.parquet"
    path.write_bytes(body)
    return duckdb.execute(f"FROM read_parquet('{path}')").fetchall()


def test_a_file_names_the_patients_of_its_rows(body: bytes) -> None:
    assert names(body, lambda user_id, _: user_id == "p-2")
    assert names(body, lambda _, object_id: object_id == "a2")
    assert not names(body, lambda user_id, _: user_id == "p-3")


def test_without_a_patient_the_other_rows_are_as_they_were(body: bytes, tmp_path: Path) -> None:
    rest = without(body, lambda user_id, _: user_id == "p-1")
    assert rows_of(rest, tmp_path) == [("p-2", "a3", "x", 3.0, [{"n": "b"}])]
    assert b"p-1" not in rest
    assert [row[1] for row in rows_of(without(body, lambda _, one: one == "a2"), tmp_path)] == ["a1", "a3"]


def test_a_file_of_one_patient_alone_becomes_empty(body: bytes) -> None:
    assert without(body, lambda *_: True) == b""


def test_the_rows_stay_in_order(tmp_path: Path) -> None:
    rows = ", ".join(f"('p-{number:05}', 'a{number}', 'x', 1.0, [{{'n': 'a'}}])" for number in range(1000))
    rest = without(parquet(tmp_path, rows), lambda user_id, _: user_id == "p-00500")
    found = [row[0] for row in rows_of(rest, tmp_path)]
    assert len(found) == 999 and found == sorted(found)  # type: ignore[type-var]


@pytest.mark.parametrize("most", [1, 7, 100, 1000])
def test_rows_that_are_too_many_to_sort_at_once_are_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Some patients have many rows, some have new ones, and one is new."""
    monkeypatch.setattr("lambdas.analysis.parquet.MOST_SORTED", most)
    rows = [
        {**dict.fromkeys(UtteranceRow.__struct_fields__), "user_id": f"p-{number % 13:02}", "object_id": f"a{number}",
         "uploaded_at": "2026", "recorded_at": "2026", "start_seconds": number}
        for number in range(100)
    ]  # fmt: skip
    old, lines = tmp_path / "old.parquet", tmp_path / "rows.jsonl"
    with database() as connection:
        for source, number, some in (
            (None, 0, rows[:80]),
            (tmp_path / "0.parquet", 1, [*rows[80:], rows[3] | {"user_id": "q"}]),
        ):
            lines.write_bytes(msgspec.json.Encoder().encode_lines(some))
            load(connection, TABLES[1], Fresh(lines, [str(row["object_id"]) for row in some]))
            target = tmp_path / f"{number}.parquet"
            assert rewrite(connection, TABLES[1], None, source, "", target)
            old = target
        found = connection.execute(f"SELECT user_id, object_id, start_seconds FROM '{old}'").fetchall()
    expected = [*rows[:3], *rows[4:], rows[3] | {"user_id": "q"}]
    assert found == sorted((row["user_id"], row["object_id"], row["start_seconds"]) for row in expected)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_an_error_does_not_quote_the_file() -> None:
    with pytest.raises(UnreadableRows) as error:
        names(b"PAR1 Maria Lopez PAR1", lambda *_: True)
    assert "Maria" not in str(error.value) and error.value.__cause__ is None


def test_no_extension_is_fetched_at_run_time() -> None:
    with database() as connection:
        wanted = "autoinstall_known_extensions", "autoload_known_extensions"
        assert [connection.execute(f"SELECT current_setting('{name}')").fetchone() for name in wanted] == [(False,)] * 2


def test_memory_is_bounded_below_that_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1000")
    with database() as connection:
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == ("600.0 MiB",)


def test_a_file_has_the_oldest_form_of_the_format(tmp_path: Path) -> None:
    """Athena's documents name no writers, so a file has nothing that a reader may lack."""
    lines, target = tmp_path / "lines.jsonl", tmp_path / "new.parquet"
    said = visit.words()
    lines.write_bytes(msgspec.json.Encoder().encode_lines(visit.records(said)))
    with database() as connection:
        category, *_ = load(connection, TABLES[0], Fresh(lines, []))
        assert rewrite(connection, TABLES[0], category, None, "", target)
        form = connection.execute(f"SELECT format_version FROM parquet_file_metadata('{target}')").fetchall()
        compressions = connection.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{target}')").fetchall()
        columns = connection.execute(f"DESCRIBE FROM '{target}'").fetchall()
        schema = connection.execute(f"SELECT name FROM parquet_schema('{target}')").fetchall()
    assert (form, compressions) == ([(1,)], [("ZSTD",)])
    names = [name for (name,) in schema]
    at = names.index("traits")
    assert names[at : at + 5] == ["traits", "list", "element", "name", "score"]
    assert "category" not in [name for name, *_ in columns]


def test_a_file_that_lacks_a_column_of_today_is_rewritten_with_it(tmp_path: Path) -> None:
    """The rows of an earlier version stay until their records are compacted again."""
    old, lines, target = tmp_path / "old.parquet", tmp_path / "none.jsonl", tmp_path / "new.parquet"
    values = "'p-1' AS user_id, 'a1' AS object_id, 'x' AS uploaded_at, '2026' AS recorded_at, 1.0 AS start_seconds"
    duckdb.execute(f"COPY (SELECT {values}) TO '{old}' (FORMAT parquet)")
    with database() as connection:
        load(connection, TABLES[1], Fresh(lines, ["a2"]))
        assert not rewrite(connection, TABLES[1], None, old, "", target)
        load(connection, TABLES[1], Fresh(lines, ["a2"]))
        assert rewrite(connection, TABLES[1], None, old, "2027", target)
        found = connection.execute(f"SELECT count(*), count(text) FROM '{target}'").fetchone()
    assert found == (0, 0)
