"""The table of entity records: its location, key and columns."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from infra.analysis import COLUMNS, QUERIES, TABLE
from local.engines import athena_sql
from tests.infra.conftest import ROOT, Deployed
from tests.lambdas.report import visit

NAME = "clinical_media_local"


def only(deployed: Deployed, resource_type: str) -> dict[str, Any]:
    (found,) = deployed.of_type(resource_type).values()
    properties: dict[str, Any] = found
    return properties


def test_the_table_is_over_the_records_and_nothing_else(local: Deployed) -> None:
    table = only(local, "AWS::Glue::Table")
    assert table["DatabaseName"] == only(local, "AWS::Glue::Database")["DatabaseInput"]["Name"] == NAME
    storage = table["TableInput"]["StorageDescriptor"]
    assert storage["Location"] == "s3://Storage/Clinical/Bucket/records/"
    assert {column["Name"]: column["Type"] for column in storage["Columns"]} == COLUMNS
    attribute = (
        "id:int,category:string,type:string,text:string,score:double,relationship_type:string,"
        "relationship_score:double,begin_offset:int,end_offset:int,traits:array<struct<name:string,score:double>>"
    )
    shown = ("audience_consent", "entity_id", "score", "alternatives", "attributes")
    assert [COLUMNS[name] for name in shown] == [
        "boolean",
        "int",
        "double",
        "array<string>",
        f"array<struct<{attribute}>>",
    ]
    assert "PartitionKeys" not in table["TableInput"]


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
    assert configuration["BytesScannedCutoffPerQuery"] == 10 * 1024**3


def test_the_saved_queries_are_in_the_workgroup_and_exist_after_it(local: Deployed) -> None:
    assert only(local, "AWS::Athena::WorkGroup")["Name"] == "clinical-media-local"
    resources = [item for item in local.resources.values() if item["Type"] == "AWS::Athena::NamedQuery"]
    assert {item["Properties"]["Name"] for item in resources} == set(QUERIES)
    for item in resources:
        assert (item["Properties"]["WorkGroup"], item["Properties"]["Database"]) == ("clinical-media-local", NAME)
        assert len(item["DependsOn"]) == 1


@pytest.mark.parametrize("query", QUERIES)
def test_a_saved_query_names_columns_and_values_that_there_are(query: str) -> None:
    _, statement = QUERIES[query]
    assert f"FROM {TABLE}" in statement
    # Without strings and the statement's own names, only columns, functions and keywords are left.
    own = set(re.findall(r"\bAS (\w+)", statement)) | set(re.findall(r"(\w+) ->", statement)) | {"mentions", TABLE}
    words = set(re.findall(r"\b[a-z_0-9]*[a-z][a-z_0-9]*\b(?!\s*\()", re.sub(r"'[^']*'", "", statement)))
    assert words - own - {"name"} <= set(COLUMNS)
    texts = set(re.findall(r"'([A-Z_]{3,})'", statement))
    known = (ROOT / "infra" / "environment.py").read_text() + (ROOT / "lambdas/entities/records.py").read_text()
    attributes = {"DOSAGE", "STRENGTH", "ROUTE_OR_MODE", "FORM", "FREQUENCY"}
    assert all(f'"{text}"' in known for text in texts - attributes)


Ask = Callable[[str], list[dict[str, str | None]]]


@pytest.fixture
def ask() -> Ask:
    """Runs a saved query over two patients' records, read as the table's columns."""
    said = visit.words()
    first = visit.records(said)
    denied = visit.record(said, "chest pain", traits=[visit.trait("NEGATION")], user_id="p-002", media_id="m2")
    unassigned = visit.record(
        said, "10 mg", "UNMAPPED_ATTRIBUTE", type="DOSAGE", attribute_of="MEDICATION", user_id="p-002", media_id="m2"
    )
    files = [msgspec.json.Encoder().encode_lines(rows) for rows in (first, [denied, unassigned])]
    tables = {(NAME, TABLE): athena_sql.Table(COLUMNS, files)}

    def ask(query: str) -> list[dict[str, str | None]]:
        answer = athena_sql.run(QUERIES[query][1], NAME, tables)
        names = [name for name, _ in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    return ask


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
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(QUERIES)
    assert re.search(r"`queries/`", page)
