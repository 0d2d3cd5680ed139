"""The page's data about executions."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.console import view
from operations.executions import STAGE_LABELS, Execution, Stage
from tests.local.console.conftest import COUNTS
from tests.local.console.conftest import Stage as Scene

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = list(STAGE_LABELS)


def execution(status: str = "RUNNING", ended: int = 1, entered: int = 2, **fields: Any) -> Execution:
    """An execution that has entered the first stages and ended some of them."""
    stages = [
        Stage(
            name, BEGAN + timedelta(seconds=number), BEGAN + timedelta(seconds=number + 1) if number < ended else None
        )
        for number, name in enumerate(NAMES[:entered])
    ]
    whole = Execution("arn", "drop-1", status, False, BEGAN, None, 0, stages, {}, {}, None, None, [])
    return whole._replace(**fields)


@pytest.mark.parametrize(
    ("found", "states"),
    [
        (execution(), ["done", "running", *["next"] * 7]),
        (execution("FAILED"), ["done", "failed", *["skipped"] * 7]),
        (execution("SUCCEEDED", 2), ["done", "done", *["skipped"] * 7]),
        (execution("RUNNING", 0, 0), ["next"] * 9),
    ],
)
def test_every_stage_is_done_at_work_failed_ahead_or_left_out(found: Execution, states: list[str]) -> None:
    shown = view.stages(found)
    assert [stage["name"] for stage in shown] == NAMES
    assert [stage["state"] for stage in shown] == states


def test_a_stage_has_its_times() -> None:
    first, second, third = view.stages(execution())[:3]
    assert (first["began_at"], first["ended_at"]) == ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00")
    assert second["ended_at"] is None
    assert (third["began_at"], third["ended_at"]) == (None, None)


def test_a_rejected_recording_which_the_map_takes_for_a_success_is_counted_as_rejected(stage: Scene) -> None:
    stage.clinical("batches/drop-1/rejections/m1.json", "{}")
    stage.clinical("batches/drop-10/rejections/m1.json", "{}")
    found = execution(recordings={"total": 6, "succeeded": 2, "running": 1, "pending": 2, "failed": 1})
    assert view.recordings(stage.deployed, found) == {
        "total": 6, "waiting": 2, "running": 1, "transcribed": 1, "rejected": 1, "failed": 1,
    }  # fmt: skip


def test_of_one_that_has_succeeded_the_summary_counts(stage: Scene) -> None:
    found = execution(recordings={"total": 6}, counts={"received": 7, "transcribed": 5, "reused": 0, "rejected": 2})
    assert view.recordings(stage.deployed, found) == {"received": 7, "transcribed": 5, "rejected": 2}


def test_before_the_map_there_is_nothing_to_count(stage: Scene) -> None:
    assert view.recordings(stage.deployed, execution()) == {}


def test_a_failed_execution_is_told_with_cause_and_button(stage: Scene) -> None:
    stage.ended("drop-1", {"media": [f"s3://media/media/p-1/{number}.wav" for number in range(5)]})
    told = view.details(stage.deployed, "drop-1")
    assert (told["status"], told["is_running"], told["can_redrive"], told["report"]) == ("FAILED", False, True, None)
    assert told["failures"] == [
        {"state": "PrepareDocuments", "error": "ClientError", "cause": "s3:GetObject is missing."}
    ]
    assert told["advice"] == "Repair what the cause names, then: Redrive."
    assert told["media"] == {"files": ["p-1/0.wav", "p-1/1.wav", "p-1/2.wav"], "number": 5}


def test_a_finished_one_is_told_with_report_outcomes_and_reasons(stage: Scene) -> None:
    rejected = [{"uri": "s3://media/media/p-1/bad.wav", "reason": "It is silent."}] * 25
    stage.clinical("batches/drop-1/summary.json", json.dumps({"rejected": rejected}))
    stage.ended("drop-1", {"succeeds": True, "prefix": "s3://media/media/p-1/"})
    told = view.details(stage.deployed, "drop-1")
    assert told["report"] == "executions/drop-1/batches/drop-1/report.html"
    assert told["recordings"] == COUNTS
    assert told["rejected"] == [{"file": "p-1/bad.wav", "reason": "It is silent."}] * 20
    assert told["more_rejected"] == 5
    assert told["media"] == {"prefix": "s3://media/media/p-1/"}
    assert (told["failures"], told["advice"]) == ([], None)


def test_an_input_that_is_none_is_shown_too(stage: Scene) -> None:
    for number, request in enumerate(([], {"media": 5}, {"media": [5]}, {"prefix": 5}, "text")):
        stage.ended(f"drop-{number}", request)
        assert view.details(stage.deployed, f"drop-{number}")["media"] == {}, request


def test_the_newest_are_listed_and_whether_there_are_more(stage: Scene) -> None:
    assert view.overview(stage.deployed)["executions"] == []
    for number in range(view.MOST_EXECUTIONS + 1):
        stage.ended(f"drop-{number}", {"media": []})
    told = view.overview(stage.deployed)
    assert (len(told["executions"]), told["more"]) == (view.MOST_EXECUTIONS, True)
    newest = told["executions"][0]
    assert newest["name"] == f"drop-{view.MOST_EXECUTIONS}"
    assert newest["stopped_at"] == view.details(stage.deployed, newest["name"])["stopped_at"]
