"""The tables: their locations, keys, columns and partitions; the saved queries over them."""

import re
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec
import pytest

from infra.analysis_tables import RECORDS, TABLES
from infra.saved_queries import FINDINGS, QUERIES, UTTERANCES
from lambdas.analysis.parquet import TABLES as PARQUET_TABLES
from lambdas.analysis.parquet import Fresh, database, load, rewrite
from lambdas.analysis.sources import utterance
from lambdas.shared.analysis_rows import FindingRow, UtteranceRow
from lambdas.shared.entity_record import UNMAPPED_ATTRIBUTE, EntityRecord
from lambdas.shared.layout import findings_key, utterances_key
from lambdas.transcript.paragraphs import paragraphs
from local.engines import athena_sql
from tests.infra.conftest import ROOT, Deployed
from tests.lambdas.report import visit

NAME = "clinical_media_local"


def only(deployed: Deployed, resource_type: str) -> dict[str, Any]:
    (found,) = deployed.of_type(resource_type).values()
    properties: dict[str, Any] = found
    return properties


def table(deployed: Deployed, name: str) -> dict[str, Any]:
    tables = deployed.of_type("AWS::Glue::Table").values()
    (found,) = (one for one in tables if one["TableInput"]["Name"] == name)
    assert found["DatabaseName"] == only(deployed, "AWS::Glue::Database")["DatabaseInput"]["Name"] == NAME
    described: dict[str, Any] = found["TableInput"]
    return described


def columns(described: dict[str, Any]) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in described["StorageDescriptor"]["Columns"]}


def test_the_table_of_records_is_over_the_records_and_nothing_else(local: Deployed) -> None:
    records = table(local, RECORDS)
    assert records["StorageDescriptor"]["Location"] == "s3://Storage/Clinical/Bucket/records/"
    assert list(columns(records)) == list(get_type_hints(EntityRecord))
    attribute = (
        "id:int,category:string,type:string,text:string,score:double,relationship_type:string,"
        "relationship_score:double,begin_offset:int,end_offset:int,traits:array<struct<name:string,score:double>>"
    )
    shown = ("audience_consent", "entity_id", "score", "alternatives", "attributes")
    assert [columns(records)[name] for name in shown] == [
        "boolean",
        "int",
        "double",
        "array<string>",
        f"array<struct<{attribute}>>",
    ]
    assert "PartitionKeys" not in records and "projection.enabled" not in records["Parameters"]


def test_the_findings_have_the_columns_of_the_records_with_the_category_as_a_partition(local: Deployed) -> None:
    findings = table(local, FINDINGS)
    assert findings["StorageDescriptor"]["Location"] == "s3://Storage/Clinical/Bucket/analysis/findings/"
    assert findings["PartitionKeys"] == [{"Name": "month", "Type": "string"}, {"Name": "category", "Type": "string"}]
    more = {"object_id": "string", "recorded_at": "string"}
    assert columns(findings) | {"category": "string"} == columns(table(local, RECORDS)) | more
    assert "category" not in columns(findings)


def test_the_partitions_are_computed_from_the_first_month_on_and_from_the_services_categories(local: Deployed) -> None:
    parameters = table(local, FINDINGS)["Parameters"]
    assert {name: value for name, value in parameters.items() if name.startswith("projection.month")} == {
        "projection.month.type": "date",
        "projection.month.format": "yyyy-MM",
        "projection.month.range": "2026-01,NOW",
        "projection.month.interval": "1",
        "projection.month.interval.unit": "MONTHS",
    }
    assert (parameters["projection.enabled"], parameters["projection.category.type"]) == ("true", "enum")
    categories = parameters["projection.category.values"].split(",")
    assert {"MEDICATION", "PROTECTED_HEALTH_INFORMATION", "UNMAPPED_ATTRIBUTE"} < {*categories}
    assert len(categories) == 8 and not [name for name in categories if name != name.strip()]


def test_the_keys_of_the_files_are_those_of_the_partitions(local: Deployed) -> None:
    for name, key in ((FINDINGS, findings_key("M", "C", "a")), (UTTERANCES, utterances_key("M", "a"))):
        described = table(local, name)
        folders = "".join(f"{column['Name']}={column['Name'][0].upper()}/" for column in described["PartitionKeys"])
        location = described["StorageDescriptor"]["Location"].removeprefix("s3://Storage/Clinical/Bucket/")
        assert key == f"{location}{folders}a.parquet"


def test_what_was_said_is_a_table_of_its_own(local: Deployed) -> None:
    said = table(local, UTTERANCES)
    assert said["PartitionKeys"] == [{"Name": "month", "Type": "string"}]
    assert list(columns(said)) == list(get_type_hints(UtteranceRow))
    assert said["Parameters"]["classification"] == "parquet"


def test_results_go_below_a_prefix_of_their_own_under_the_clinical_key_and_expire(
    deploy: Callable[..., Deployed],
) -> None:
    deployed = deploy("prod")
    configuration = only(deployed, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    result = configuration["ResultConfiguration"]
    assert result["OutputLocation"] == "s3://Storage/Clinical/Bucket/queries/"
    assert result["ExpectedBucketOwner"] == "123456789012"
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": "Storage/Clinical/Key.Arn"}
    rules = deployed.resources["Storage/Clinical/Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "queries/"] == [30]


def test_whoever_asks_cannot_choose_another_place_or_key_and_cannot_read_without_end(local: Deployed) -> None:
    configuration = only(local, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 50 * 1024**3


def test_the_saved_queries_are_in_the_workgroup_and_exist_after_it(local: Deployed) -> None:
    assert only(local, "AWS::Athena::WorkGroup")["Name"] == "clinical-media-local"
    resources = [item for item in local.resources.values() if item["Type"] == "AWS::Athena::NamedQuery"]
    assert {item["Properties"]["Name"] for item in resources} == set(QUERIES)
    for item in resources:
        assert (item["Properties"]["WorkGroup"], item["Properties"]["Database"]) == ("clinical-media-local", NAME)
        assert len(item["DependsOn"]) == 1


@pytest.mark.parametrize("query", QUERIES)
def test_a_saved_query_names_columns_and_values_that_there_are(query: str) -> None:
    statement = QUERIES[query].statement
    (name,) = (name for name in TABLES if f"FROM {name}" in statement)
    assert name != RECORDS
    # Without strings and the statement's own names, only columns, functions and keywords are left.
    own = set(re.findall(r"\bAS (\w+)", statement)) | set(re.findall(r"(\w+) ->", statement)) | {"mentions", name}
    words = set(re.findall(r"\b[a-z_0-9]*[a-z][a-z_0-9]*\b(?!\s*\()", re.sub(r"'[^']*'", "", statement)))
    assert words - own - {"name"} <= {*TABLES[name].columns, *TABLES[name].partitions}
    texts = set(re.findall(r"'([A-Z_]{3,})'", statement))
    known = (ROOT / "infra" / "environment.py").read_text()
    attributes = {"DOSAGE", "STRENGTH", "ROUTE_OR_MODE", "FORM", "FREQUENCY"}
    assert all(f'"{text}"' in known for text in texts - attributes - {UNMAPPED_ATTRIBUTE})


Ask = Callable[[str], list[dict[str, str | None]]]


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], athena_sql.PartitionedTable]:
    """Two patients' findings, and what one of them said, in the files that a compaction writes."""
    said = visit.words()
    denied = visit.record(said, "chest pain", traits=[visit.trait("NEGATION")], user_id="p-002", media_id="m2")
    unassigned = visit.record(
        said, "10 mg", "UNMAPPED_ATTRIBUTE", type="DOSAGE", attribute_of="MEDICATION", user_id="p-002", media_id="m2"
    )
    encode = msgspec.json.Encoder().encode
    rows = [
        msgspec.json.decode(encode(record), type=FindingRow) for record in (*visit.records(said), denied, unassigned)
    ]
    utterances = [utterance(rows[0], said.text, part) for part in paragraphs(said)]
    found = {}
    contents: tuple[list[Any], ...] = (rows, utterances)
    for table, some in zip(PARQUET_TABLES, contents, strict=True):
        folder = tmp_path_factory.mktemp("table")
        lines = folder / "rows.jsonl"
        lines.write_bytes(msgspec.json.Encoder().encode_lines(some))
        files = []
        with database() as connection:
            for value in load(connection, table, Fresh(lines, [])) or [""]:
                assert rewrite(connection, table, value, None, "", folder / "file.parquet")
                month = ["2026-01", value] if value else ["2026-01"]
                files.append((month, (folder / "file.parquet").read_bytes()))
        name = table.prefix.split("/")[1]
        found[NAME, name] = athena_sql.PartitionedTable(TABLES[name].columns, TABLES[name].partitions, files)
    return found


@pytest.fixture
def ask(parquet: dict[tuple[str, str], athena_sql.PartitionedTable]) -> Ask:
    """Runs a saved query over the tables."""

    def ask(query: str) -> list[dict[str, str | None]]:
        answer = athena_sql.run(QUERIES[query].statement, NAME, parquet)
        names = [name for name, _ in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    return ask


def test_findings_are_counted_by_month_and_category(ask: Ask) -> None:
    found = {(row["month"], row["category"]): (row["findings"], row["patients"]) for row in ask("findings-by-month")}
    assert found["2026-01", "UNMAPPED_ATTRIBUTE"] == ("1", "1")
    assert found["2026-01", "MEDICAL_CONDITION"][1] == "2"


def test_a_phrase_is_found_where_it_was_said(ask: Ask) -> None:
    (row,) = ask("said")
    assert (row["speaker"], row["media_uri"]) == ("spk_1", visit.RECORDING["uri"])
    assert row["text"] is not None and "my blood pressure" in row["text"]
    assert 3.5 <= float(row["start_seconds"] or 0) < float(row["end_seconds"] or 0)


def test_the_latest_mention_of_a_medication_has_its_dose_and_frequency(ask: Ask) -> None:
    (row,) = ask("medications")
    assert (row["user_id"], row["medication"]) == ("p-001", "lisinopril")
    assert (row["dosage"], row["frequency"], row["route"]) == ("10 mg", "daily", "")
    assert row["start_seconds"] == "9.0"


def test_a_problem_list_leaves_out_what_was_denied_and_what_is_a_relative_s(ask: Ask) -> None:
    (row,) = ask("problems")
    assert (row["user_id"], row["condition"], row["recordings"], row["diagnosed"]) == (
        "p-001",
        "chest pain",
        "1",
        "false",
    )
    assert row["first_uploaded_at"] == "2026-01-02 03:04:05.000 UTC"


def test_to_be_reviewed_is_what_is_unsure_unclear_or_belongs_to_nothing(ask: Ask) -> None:
    found = [(row["user_id"], row["text"], row["reason"]) for row in ask("to-be-reviewed")]
    assert found == [("p-001", "lisinopril", "unclear words"), ("p-002", "10 mg", "belongs to no entity")]


def test_what_the_page_says_of_columns_and_queries_is_so() -> None:
    page = (ROOT / "docs" / "analysis.md").read_text()
    first, *_ = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", first, re.MULTILINE)) == set(TABLES)
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", page.replace(first, ""), re.MULTILINE))
    assert rows == set(QUERIES)
    assert re.search(r"`queries/`", page)
