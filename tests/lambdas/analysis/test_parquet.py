"""The removal of patients' rows, and what an unreadable file may say."""

from pathlib import Path

import duckdb
import pytest

from lambdas.analysis.parquet import UnreadableRows, database, names, without


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
