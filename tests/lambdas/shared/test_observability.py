"""What the functions write into their logs: metrics without ids, and lines that name their execution."""

import json
import time
from typing import Any

import pytest

from lambdas import comprehend_medical, ingest
from lambdas.shared import jobs
from lambdas.shared.errors import CostCeilingExceeded
from lambdas.shared.observability import execution_of, logger, observed, watching


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one metric line that was written."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if "_aws" in line]
    found: dict[str, Any] = line
    return found


def test_metrics_count_for_the_environment_and_for_the_stage_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    @observed("plan", timed=True)
    def handler(event: dict[str, Any], context: object) -> str:
        return "done"

    assert handler({}, None) == "done"
    line = emitted(capsys)
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert metrics["Dimensions"] == [["environment"], ["environment", "stage"]]
    assert (line["environment"], line["stage"]) == ("clinical-media-test", "plan")
    assert {metric["Name"] for metric in metrics["Metrics"]} == {"BatchesFinished", "DurationSeconds"}
    assert "service" not in line


def test_a_function_that_fails_writes_its_metrics_and_forgets_them(capsys: pytest.CaptureFixture[str]) -> None:
    @observed("plan", timed=True)
    def handler(event: dict[str, Any], context: object) -> None:
        if event:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        handler({"execution_name": "e"}, None)
    assert emitted(capsys)["BatchesFinished"] == [0]
    handler({}, None)
    assert emitted(capsys)["BatchesFinished"] == [0]


@pytest.mark.parametrize(
    "event",
    [
        {"execution_name": "drop-1", "request": {}},
        {"batch_id": "drop-1", "job": {}},
        {"batch": {"batch_id": "drop-1"}},
        {"recording": {"batch_id": "drop-1"}, "job": {}},
        {"state": {"batch": {"batch_id": "drop-1"}}},
    ],
)
def test_the_execution_of_every_steps_input_is_found(event: dict[str, Any]) -> None:
    assert execution_of(event) == "drop-1"


def test_lines_carry_the_execution_and_none_of_an_earlier_call() -> None:
    seen = []

    @observed("plan")
    def handler(event: dict[str, Any], context: object) -> None:
        seen.append(logger.get_correlation_id())

    handler({"batch_id": "drop-1"}, None)
    handler({"Records": []}, None)
    assert seen == ["drop-1", None]


def poll(status: str, age: float, answer: str) -> None:
    job = {**jobs.started("job", 10, 0), "status": status, "watched_since": int(time.time() - age)}

    @observed("transcription")
    @watching
    def asked(event: dict[str, Any], context: object) -> Any:
        if answer == "fails":
            raise RuntimeError
        return {**event["job"], "status": answer}

    asked({"batch_id": "drop-1", "job": job}, None)


def test_a_job_that_runs_is_counted_with_its_age(capsys: pytest.CaptureFixture[str]) -> None:
    poll("IN_PROGRESS", 7200, "IN_PROGRESS")
    line = emitted(capsys)
    assert line["JobAgeSeconds"] == [pytest.approx(7200, abs=60)]
    assert "DurationSeconds" not in line


@pytest.mark.parametrize("end", ["COMPLETED", "REJECTED"])
def test_a_job_that_ended_is_counted_with_its_duration(capsys: pytest.CaptureFixture[str], end: str) -> None:
    poll("IN_PROGRESS", 90, end)
    assert emitted(capsys)["DurationSeconds"] == [pytest.approx(90, abs=60)]


def test_the_age_of_a_job_is_counted_although_its_poll_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError):
        poll("IN_PROGRESS", 90, "fails")
    assert emitted(capsys)["JobAgeSeconds"] == [pytest.approx(90, abs=60)]


def test_what_was_there_before_counts_as_no_job(capsys: pytest.CaptureFixture[str]) -> None:
    poll("COMPLETED", 90, "COMPLETED")
    assert {"JobAgeSeconds", "DurationSeconds"}.isdisjoint(emitted(capsys))


def event_message(number: int, **more: str) -> dict[str, Any]:
    created = {"key": f"media/p-001/a{number}.wav", "etag": "e", "version-id": "v1"}
    body = {"id": f"event-{number}", "detail": {"bucket": {"name": "media-bucket"}, "object": created}, **more}
    return {"messageId": f"message-{number}", "body": json.dumps(body)}


def test_ingest_says_which_messages_and_events_became_which_execution(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names: list[str] = []
    told: list[tuple[Any, str | None]] = []
    monkeypatch.setattr(ingest.stepfunctions, "start_execution", lambda **call: names.append(call["name"]))
    monkeypatch.setattr(ingest, "EVENTS_PER_LINE", 2)
    monkeypatch.setattr(
        logger,
        "info",
        lambda text, extra: told.append((extra.get("events"), logger.get_correlation_id())),
    )
    ingest.handler({"Records": [event_message(number) for number in range(3)]}, None)
    lines = [(events, execution) for events, execution in told if events]
    assert [len(events) for events, _ in lines] == [2, 1]
    assert {execution for _, execution in lines} == set(names)
    events = [event for found, _ in lines for event in found]
    assert [(event["message_id"], event["event_id"]) for event in events] == [
        (f"message-{number}", f"event-{number}") for number in range(3)
    ]
    assert "p-001" not in str(told)


def test_ingest_counts_what_came_what_goes_back_and_how_long_it_waited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest.stepfunctions, "start_execution", lambda **call: None)
    records = [
        event_message(1, time="2026-01-01T00:00:00Z"),
        event_message(2, time="yesterday"),
        {"messageId": "m", "body": "no event"},
    ]
    ingest.handler({"Records": records}, None)
    line = emitted(capsys)
    assert (line["EventsReceived"], line["EventsReturned"]) == ([3], [1])
    (waited,) = line["WaitingSeconds"]
    assert waited > 1_000_000


def test_entity_detection_above_the_ceiling_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    new = {"base": "d", "estimated_usd": 100.01, "count": 1, "characters": 1_000_100}
    documents = {"new": new, "estimated_usd": 100.01, "billable_seconds": 0}
    event = {"batch_id": "drop-1", "documents": documents, "parameters": {}, "redrive_count": 0}
    with pytest.raises(CostCeilingExceeded):
        comprehend_medical.start(event, None)
    line = emitted(capsys)
    assert (line["CostCeilingExceeded"], line["stage"]) == ([1], "entity_detection")
    assert "EntityDetectionUsd" not in line
