import datetime
import decimal
from typing import Any

import pytest

from local.engines.athena_values import as_text, athena_type

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 67_890)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (True, "true"),
        (12, "12"),
        (9.0, "9.0"),
        (0.001, "0.001"),
        (0.0005, "5.0E-4"),
        (-12345678.5, "-1.23456785E7"),
        (1e22, "1.0E22"),
        (0.0, "0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (decimal.Decimal("1.50"), "1.50"),
        (MOMENT, "2026-01-02 03:04:05.067"),
        (MOMENT.replace(tzinfo=datetime.UTC), "2026-01-02 03:04:05.067 UTC"),
        (MOMENT.date(), "2026-01-02"),
        ([1, None], "[1, null]"),
        ([{"name": "NEGATION", "score": 0.5}], "[{name=NEGATION, score=0.5}]"),
    ],
)
def test_values_are_written_as_athena_writes_them(value: Any, text: str | None) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("duckdb", "athena"),
    [
        ("VARCHAR", "varchar"),
        ("INTEGER", "integer"),
        ("HUGEINT", "bigint"),
        ("DECIMAL(3,1)", "decimal"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp with time zone"),
        ("STRUCT(a INTEGER)", "row"),
        ("STRUCT(a INTEGER)[]", "array"),
        ("MAP(VARCHAR, INTEGER)", "map"),
        ('"NULL"', "unknown"),
        ("UUID", "uuid"),
    ],
)
def test_types_have_athenas_names(duckdb: str, athena: str) -> None:
    assert athena_type(duckdb) == athena
