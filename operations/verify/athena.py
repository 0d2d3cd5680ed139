"""Whether Athena reads the records and the tables' files, and writes its results as the workgroup is configured.

Source: API references of Athena (StartQueryExecution, GetQueryExecution, GetQueryResults).
"""

from typing import Any

from lambdas.shared.layout import records_key
from lambdas.shared.uris import parse_uri
from operations.verify.checks import Check, Seen, holds, not_seen, refuted
from operations.verify.observed import Observed
from operations.verify.rehearsal import TEST_PATIENT


def _athena(observed: Observed) -> Seen:
    return _counted(observed, "entity_records")


def _tables(observed: Observed) -> Seen:
    if observed.compaction is None:
        return observed.never("the compaction")
    if observed.compaction != "SUCCEEDED":
        return refuted(f"the compaction was {observed.compaction}")
    return _counted(observed, "findings")


def _counted(observed: Observed, table: str) -> Seen:
    """Count the sample's records in the table with a query, and compare the KMS key of the result."""
    if observed.planned is None or not observed.succeeded:
        return not_seen("There are no records of the sample.")
    athena, database = observed.client("athena"), observed.deployed.outputs["DatabaseName"]
    body = observed.client("s3").get_object(
        Bucket=observed.deployed.clinical, Key=records_key(observed.planned["object_id"])
    )["Body"]
    lines = sum(1 for line in body.read().splitlines() if line.strip())
    started = athena.start_query_execution(
        QueryString=f"SELECT count(*) FROM {table} WHERE user_id = '{TEST_PATIENT}'",
        QueryExecutionContext={"Database": database},
        WorkGroup=observed.prefix,
    )
    query_id = started["QueryExecutionId"]
    execution = observed.wait_for(lambda: _ended(athena, query_id))
    if execution is None:
        return not_seen(f"query {query_id} is still running")
    if execution["Status"]["State"] != "SUCCEEDED":
        return refuted(
            f"query {query_id}: {execution['Status'].get('StateChangeReason', execution['Status']['State'])}"
        )
    rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    counted = int(rows[1]["Data"][0]["VarCharValue"])
    location = execution["ResultConfiguration"]["OutputLocation"]
    head = observed.head(parse_uri(location)[1]) or {}
    evidence = f"query {query_id} counted {counted} of {lines} records; {location} is under {head.get('SSEKMSKeyId')}"
    is_so = counted == lines and head.get("SSEKMSKeyId") == observed.clinical_key
    return holds(evidence) if is_so else refuted(evidence)


def _ended(athena: Any, query_id: str) -> dict[str, Any] | None:
    execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    return None if execution["Status"]["State"] in ("QUEUED", "RUNNING") else execution


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "athena",
        "Athena reads the records, and writes its results under the clinical key.",
        "Compare the workgroup with the template; your own role needs the permissions of docs/analysis.md.",
        _athena,
    ),
    Check(
        "tables",
        "A compaction writes the analysis tables, and Athena reads their files.",
        "Look at the state machine of compactions, clinical-media-ENV-analysis; send us this report if Athena failed.",
        _tables,
    ),
)
