"""Types and values as Athena names and writes them.

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

import datetime
import decimal
import math
from typing import Any

_TYPES = {
    '"NULL"': "unknown",
    "BIGINT": "bigint",
    "BLOB": "varbinary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double",
    "FLOAT": "float",
    "HUGEINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TINYINT": "tinyint",
    "VARCHAR": "varchar",
}


def athena_type(duckdb_type: str) -> str:
    """Athena's name of a type of DuckDB; a type that Athena lacks keeps its name."""
    if duckdb_type.endswith("]"):
        return "array"
    name = duckdb_type.upper().partition("(")[0].strip()
    return {"STRUCT": "row", "MAP": "map", "DECIMAL": "decimal"}.get(name) or _TYPES.get(name, name.lower())


def as_text(value: Any) -> str | None:
    """A value as it stands in a result; None for NULL."""
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return _double(value)
        case datetime.datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
            return f"{text} {value.tzname()}" if value.tzinfo else text
        case list():
            return "[" + ", ".join(_text(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{name}={_text(item)}" for name, item in value.items()) + "}"
    return str(value)


def _double(value: float) -> str:
    # As Java writes it.
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text = "".join(str(digit) for digit in digits)
    return f"{'-' * sign}{text[0]}.{text[1:] or '0'}E{len(text) + int(exponent) - 1}"
