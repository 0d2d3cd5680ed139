"""What a run of the whole pipeline leaves behind for those who watch and ask: metrics, log lines, typed records."""

import datetime
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.analysis_tables import RECORDS, TABLES
from infra.metrics import NAMESPACE, STAGES
from infra.saved_queries import QUERIES
from local.engines import entities
from local.pipeline import Pipeline
from local.services.comprehendmedical import jobs as entity_jobs
from tests.local.aws.metric_points import recent_points
from tests.statemachine.conftest import Engines, Run

TEXT = (
    "The patient has hypertension and no fever. She takes metoprolol 50 mg twice daily by mouth. "
    "Her mother had asthma. Continue 20 mg every night. Call her on Monday."
)


@pytest.fixture(scope="module")
def ended(pipeline: Pipeline, instant: Engines) -> dict[str, Any]:
    """The execution of a recording that was dropped, its entities found by the real engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entity_jobs, "engine", entities.detect)
        run = Run(pipeline, instant)
        execution = run.execution_of(run.drop("media/p-analysis/visit.wav", run.engines.recording(TEXT)))
        assert execution["status"] == "SUCCEEDED", run.causes(execution)
        return execution


def log_lines(run: Run) -> Iterator[dict[str, Any]]:
    """The JSON lines of all functions' logs, with the function's name as `group`."""
    logs = run.pipeline.aws.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        name = group["logGroupName"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            for event in page["events"]:
                if event["message"].startswith("{"):
                    yield json.loads(event["message"]) | {"group": name.rpartition("-")[2]}


def test_metrics_have_no_dimension_but_environment_and_stage_and_the_batch_is_counted(
    run: Run, ended: dict[str, Any]
) -> None:
    lines = [line for line in log_lines(run) if "_aws" in line]
    for line in lines:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        assert (metrics["Namespace"], metrics["Dimensions"]) == (NAMESPACE, [["environment"], ["environment", "stage"]])
        assert line["environment"] == "clinical-media-local"
        assert line["stage"] in STAGES
    assert {line["stage"] for line in lines} >= set(STAGES) - {"audience_generation", "audience_export"}
    finished = [sum(line["BatchesFinished"]) for line in lines if line["stage"] == "summary"]
    assert finished and set(finished) == {1}
    assert not any(sum(line["BatchesFinished"]) for line in lines if line["stage"] != "summary")
    assert [line for line in lines if line["stage"] == "transcription" and "DurationSeconds" in line]
    assert [
        line for line in lines if line["stage"] == "entity_detection" and line.get("EntityDetectionUsd", [0])[0] > 0
    ]
    text = json.dumps(lines)
    assert ended["name"] not in text and "p-analysis" not in text


@pytest.mark.parametrize(
    ("name", "stage", "at_least"),
    [("BatchesFinished", None, 1), ("BatchesFinished", "summary", 1), ("DurationSeconds", "transcription", 0)],
)
def test_cloudwatch_has_the_metrics_that_alarms_and_dashboard_read(
    run: Run, ended: dict[str, Any], name: str, stage: str | None, at_least: float
) -> None:
    dimensions = {"environment": "clinical-media-local"} | ({"stage": stage} if stage else {})
    (point,) = recent_points(run.pipeline.aws, NAMESPACE, name, **dimensions)
    assert point["Sum"] >= at_least


def test_the_executions_and_every_function_that_ran_are_traced(run: Run, ended: dict[str, Any]) -> None:
    xray, now = run.pipeline.aws.client("xray"), datetime.datetime.now(datetime.UTC)
    minutes = {"StartTime": now - datetime.timedelta(minutes=30), "EndTime": now}
    found = [
        (service["Type"], service["Name"])
        for trace in xray.get_trace_summaries(**minutes)["TraceSummaries"]
        for service in trace["ServiceIds"]
    ]
    machine = run.pipeline.state_machine_arn.rpartition(":")[2]
    assert found.count(("AWS::StepFunctions::StateMachine", machine)) >= 1 + len(run.children(ended))
    functions = {name for kind, name in found if kind == "AWS::Lambda::Function"}
    assert {f"clinical-media-local-{step}" for step in ("ingest", "plan_batch", "summarize_batch")} <= functions


def test_topic_and_key_let_every_alarm_notify(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.aws.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarms
    for alarm in alarms:
        name, (topic,) = alarm["AlarmName"], alarm["AlarmActions"]
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="the drill is over")
        history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
        assert [item["HistorySummary"] for item in history] == [f"Successfully executed action {topic}"]


def test_every_step_of_a_batch_can_be_found_by_the_executions_name(run: Run, ended: dict[str, Any]) -> None:
    told = {line["group"] for line in log_lines(run) if line.get("correlation_id") == ended["name"]}
    # PollTranscription and PollEntityDetection have nothing to say of a job that goes well.
    assert told >= {
        "ingest",
        "plan_batch",
        "start_transcription",
        "prepare_documents",
        "start_entity_detection",
        "collect_entities",
        "select_seeds",
        "summarize_batch",
    }


def test_the_state_machine_s_log_has_every_event_of_the_batch_and_of_its_recordings_without_their_data(
    run: Run, ended: dict[str, Any]
) -> None:
    arns = {ended["executionArn"], *(child["executionArn"] for child in run.children(ended))}
    assert len(arns) > 1
    pages = (
        run.pipeline.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/vendedlogs/states/{run.pipeline.state_machine_arn.rpartition(':')[2]}")
    )
    events = [json.loads(e["message"]) for page in pages for e in page["events"] if e["message"].startswith("{")]
    for arn in arns:
        logged = [(event["id"], event["type"]) for event in events if event["execution_arn"] == arn]
        assert logged == [(str(event["id"]), event["type"]) for event in run.events(arn)]
    assert "p-analysis" not in json.dumps(events)


def fits(kind: str, value: Any) -> bool:
    """Whether a JSON value is of a Hive type, so that the reader of JSON lines can make a column of it."""
    if value is None:
        return True
    if kind.startswith("array<"):
        return isinstance(value, list) and all(fits(kind[6:-1], item) for item in value)
    if kind.startswith("struct<"):
        fields = dict(fields_of(kind[7:-1]))
        return isinstance(value, dict) and set(value) == set(fields) and all(fits(fields[k], value[k]) for k in value)
    if kind == "int":
        return type(value) is int and -(2**31) <= value < 2**31
    return type(value) in {"string": (str,), "boolean": (bool,), "double": (float, int)}[kind]


def fields_of(text: str) -> Iterator[tuple[str, str]]:
    """Names and types of a struct's fields; commas within a field's type do not part fields."""
    depth, begin = 0, 0
    for position, letter in enumerate(text + ","):
        depth += (letter == "<") - (letter == ">")
        if letter == "," and depth == 0:
            name, _, kind = text[begin:position].partition(":")
            yield name, kind
            begin = position + 1


def test_the_columns_of_the_table_are_the_keys_of_the_records_with_their_types(
    run: Run, ended: dict[str, Any], pipeline: Pipeline
) -> None:
    glue = pipeline.aws.client("glue")
    table = glue.get_table(DatabaseName="clinical_media_local", Name=RECORDS)["Table"]["StorageDescriptor"]
    columns = {column["Name"]: column["Type"] for column in table["Columns"]}
    assert columns == TABLES[RECORDS].columns
    assert table["Location"] == f"s3://{pipeline.clinical_bucket}/records/"
    records = run.records("p-analysis")
    assert {category for record in records if (category := record["category"])} >= {"MEDICATION", "MEDICAL_CONDITION"}
    for record in records:
        assert set(record) == set(columns)
        wrong = {key: record[key] for key, kind in columns.items() if not fits(kind, record[key])}
        assert wrong == {}
    # A type that no record bears out would be tested by nothing.
    borne_out = {key for record in records for key, value in record.items() if value not in (None, [])}
    assert set(columns) - borne_out <= {"attribute_of", "speaker", "channel", "alternatives"}


def test_the_saved_queries_run_over_what_the_batch_found(run: Run, ended: dict[str, Any], pipeline: Pipeline) -> None:
    assert run.compact()["status"] == "SUCCEEDED"
    athena = pipeline.aws.client("athena")
    saved = [
        athena.get_named_query(NamedQueryId=query)["NamedQuery"]
        for query in athena.list_named_queries(WorkGroup="clinical-media-local")["NamedQueryIds"]
    ]
    assert {query["Name"] for query in saved} == set(QUERIES)
    rows = {}

    def status(query: str) -> dict[str, Any]:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return found

    def has_ended(query: str) -> bool:
        return status(query)["State"] not in ("QUEUED", "RUNNING")

    for query in saved:
        started = athena.start_query_execution(
            QueryString=query["QueryString"],
            WorkGroup=query["WorkGroup"],
            QueryExecutionContext={"Database": query["Database"]},
        )["QueryExecutionId"]
        run.until(functools.partial(has_ended, started))
        assert status(started)["State"] == "SUCCEEDED", status(started)
        result = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        rows[query["Name"]] = [[cell.get("VarCharValue") for cell in row["Data"]] for row in result]
        stored = run.s3.head_object(Bucket=pipeline.clinical_bucket, Key=f"queries/{started}.csv")
        assert stored["ServerSideEncryption"] == "aws:kms"
    ours = {name: [row[1] for row in found if row[0] == "p-analysis"] for name, found in rows.items()}
    assert ours["medications"] == ["metoprolol"] and ours["problems"] == ["hypertension"]
    assert ours["to-be-reviewed"]
    assert "MEDICATION" in [row[1] for row in rows["findings-by-month"]]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 1.5),
        ("int", 2**31),
        ("string", 1),
        ("boolean", 1),
        ("double", "1"),
        ("array<struct<name:string,score:double>>", [{"name": "NEGATION"}]),
        ("array<struct<id:int,traits:array<struct<name:string,score:double>>>>", [{"id": 1, "traits": [{"name": 1}]}]),
    ],
)
def test_a_value_of_another_type_is_seen(kind: str, value: Any) -> None:
    assert not fits(kind, value)
