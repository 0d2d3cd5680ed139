"""Parquet tables with projected partitions: what a query reads of them, and what it doesn't see."""

import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local.server import LocalAws
from tests.local.aws.test_athena_queries import Clinic

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
PROJECTION = {
    "projection.enabled": "true",
    "projection.month.type": "date",
    "projection.month.format": "yyyy-MM",
    "projection.month.range": "2026-01,NOW",
    "projection.category.type": "enum",
    "projection.category.values": "A,B",
}
# Month, category, and the rows' texts; the last two are in no projected partition.
FILES = (
    ("2026-01", "A", ("one", "two")),
    ("2026-02", "A", ("three",)),
    ("2026-02", "B", ("four",)),
    ("2025-12", "A", ("early",)),
    ("2026-02", "C", ("other",)),
)


@pytest.fixture(scope="module")
def sizes(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Month and category of each file -> its bytes; the table is there, too."""
    folder, found = tmp_path_factory.mktemp("parquet"), {}
    for month, category, texts in FILES:
        path = Path(folder, f"{month}-{category}.parquet")
        rows = ", ".join(f"('{text}')" for text in texts)
        duckdb.execute(f"COPY (FROM (VALUES {rows}) t(text)) TO '{path}' (FORMAT parquet)")
        key = f"findings/month={month}/category={category}/a.parquet"
        clinic.s3.put_object(Bucket=clinic.bucket, Key=key, Body=path.read_bytes())
        found[f"{month} {category}"] = path.stat().st_size
    make(clinic, "findings", PROJECTION)
    return found


@pytest.fixture(scope="module")
def clinic(local_aws: LocalAws) -> Clinic:
    return Clinic(local_aws)


def make(clinic: Clinic, name: str, parameters: dict[str, str]) -> None:
    storage = {
        "Columns": [{"Name": "text", "Type": "string"}, {"Name": "added", "Type": "int"}],
        "Location": f"s3://{clinic.bucket}/findings/",
        "SerdeInfo": {"SerializationLibrary": PARQUET},
    }
    keys = [{"Name": "month", "Type": "string"}, {"Name": "category", "Type": "string"}]
    described: Any = {
        "Name": name, "StorageDescriptor": storage, "PartitionKeys": keys, "Parameters": parameters
    }  # fmt: skip
    clinic.aws.client("glue").create_table(DatabaseName=clinic.name, TableInput=described)


def rows(clinic: Clinic, query: dict[str, Any]) -> list[list[str | None]]:
    assert query["Status"]["State"] == "SUCCEEDED", query["Status"]
    result = clinic.aws.client("athena").get_query_results(QueryExecutionId=query["QueryExecutionId"])
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in result["ResultSet"]["Rows"][1:]]


@pytest.mark.parametrize(
    ("condition", "texts", "read"),
    [
        ("", {"one", "two", "three", "four"}, {"2026-01 A", "2026-02 A", "2026-02 B"}),
        ("WHERE category = 'A'", {"one", "two", "three"}, {"2026-01 A", "2026-02 A"}),
        ("WHERE month > '2026-01' AND text LIKE 'f%'", {"four"}, {"2026-02 A", "2026-02 B"}),
        ("WHERE category = 'C'", set(), set()),
    ],
)
def test_a_query_reads_the_files_of_the_partitions_that_it_needs_and_their_bytes_count(
    clinic: Clinic, sizes: dict[str, int], condition: str, texts: set[str], read: set[str]
) -> None:
    query = clinic.ask(clinic.aws.client("athena"), f"SELECT text FROM findings {condition}")
    assert {row[0] for row in rows(clinic, query)} == texts
    assert query["Statistics"]["DataScannedInBytes"] == sum(sizes[name] for name in read)


@pytest.mark.usefixtures("sizes")
def test_the_partitions_are_columns_and_a_column_that_a_file_lacks_is_null(clinic: Clinic) -> None:
    query = clinic.ask(clinic.aws.client("athena"), "SELECT * FROM findings WHERE text = 'four'")
    assert rows(clinic, query) == [["four", None, "2026-02", "B"]]


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"projection.enabled": "false"}, "knows projected partitions only"),
        ({"projection.month.format": "yyyy-MM-dd"}, "projects neither date nor yyyy-MM-dd"),
        ({"projection.category.type": "injected"}, "projects neither injected nor None"),
    ],
)
def test_a_table_with_other_partitions_is_refused(clinic: Clinic, change: dict[str, str], reason: str) -> None:
    name = f"other_{uuid.uuid4().hex[:6]}"
    make(clinic, name, PROJECTION | change)
    status = clinic.ask(clinic.aws.client("athena"), f"SELECT * FROM {name}")["Status"]
    assert status["State"] == "FAILED" and reason in status["StateChangeReason"]


@pytest.mark.usefixtures("sizes")
def test_a_file_that_is_none_fails_the_query_without_its_content(clinic: Clinic) -> None:
    key = "findings/month=2026-03/category=A/a.parquet"
    clinic.put(key, "Maria Lopez")
    try:
        status = clinic.ask(clinic.aws.client("athena"), "SELECT * FROM findings WHERE month = '2026-03'")["Status"]
    finally:
        clinic.s3.delete_object(Bucket=clinic.bucket, Key=key)
    assert status["StateChangeReason"].startswith("HIVE_BAD_DATA") and "Maria" not in status["StateChangeReason"]
