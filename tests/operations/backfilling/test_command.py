"""The command backfill, and what status, redrive and again do with a backfill."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from lambdas.planning.costs import expected_cost
from operations.__main__ import app
from tests.docs.pages import json_keys
from tests.operations.conftest import Command
from tests.statemachine.conftest import Run

RULE = "clinical-media-local-recordings"


@pytest.fixture
def archive(run: Run) -> Iterator[str]:
    """The URI of a prefix with two recordings, a folder and a letter that no event has told of."""
    events = run.pipeline.aws.client("events")
    events.disable_rule(Name=RULE)
    prefix = f"media/old-{uuid.uuid4().hex[:8]}"
    for person in ("a", "b"):
        run.drop(f"{prefix}-{person}/visit.wav", run.engines.recording(f"{person} has asthma in the archive."))
    run.drop(f"{prefix}-a/", b"")
    run.drop(f"{prefix}-a/letter.pdf", b"%PDF")
    yield f"s3://{run.pipeline.media_bucket}/{prefix}"
    events.enable_rule(Name=RULE)


def backfills(run: Run) -> list[str]:
    listed = run.stepfunctions.list_executions(stateMachineArn=run.pipeline.backfill_arn)["executions"]
    return [item["executionArn"] for item in listed]


def test_a_dry_run_counts_by_format_and_starts_nothing(run: Run, operate: Command, archive: str) -> None:
    before = backfills(run)
    shown = operate("backfill", "--prefix", archive, "--dry-run")
    assert shown.code == 0, shown
    assert f"{archive}: 2 recordings (2 wav)" in shown.output
    assert "1 other files, empty or of another format, will be rejected" in shown.output
    assert "transcription jobs at a time" in shown.output
    answer = operate("backfill", "--prefix", archive, "--dry-run", "--json")
    assert list(answer.json) == ["dry_run", *json_keys("`backfill --dry-run`")[1:]]
    size = len(run.engines.recording("x"))
    seconds = 2 * size / 64_000
    assert (answer.json["recordings"], answer.json["formats"], answer.json["unusable"]) == (2, {"wav": 2}, 1)
    assert answer.json["audio_hours"] == round(seconds / 3600, 1)
    assert answer.json["usd"] == round(2 * expected_cost("wav", size).estimate.total, 2)
    assert backfills(run) == before


def test_what_is_in_the_bucket_is_processed_and_status_says_how_far(run: Run, operate: Command, archive: str) -> None:
    started = operate("backfill", "--prefix", archive, "--ceiling-usd", "1", "--json")
    assert started.code == 0, started
    assert list(started.json) == json_keys("`backfill`")
    arn = started.json["execution_arn"]
    name = arn.rpartition(":")[2]
    assert run.ended(arn)["status"] == "SUCCEEDED"
    shown = operate("status", name, "--json")
    assert list(shown.json) == json_keys("`status BACKFILL`")
    assert {key: shown.json[key] for key in ("status", "prefix", "batches", "done", "failed", "recordings")} == {
        "status": "SUCCEEDED", "prefix": archive, "batches": 1, "done": 1, "failed": 0, "recordings": 4,
    }  # fmt: skip
    assert "SUCCEEDED" in operate("status", arn).output
    refused = operate("redrive", name)
    assert (refused.code, "can't be redriven" in refused.error) == (1, True)
    again = operate("again", name, "--json")
    assert again.code == 0, again
    assert run.ended(again.json["execution_arn"])["status"] == "SUCCEEDED"
    assert again.json["execution_arn"] in backfills(run)


def test_a_running_backfill_is_listed_by_status_and_forget_waits_for_it(
    run: Run, operate: Command, archive: str
) -> None:
    run.engines.seconds_per_job = 3.0
    started = operate("backfill", "--prefix", archive, "--yes", "--json")
    arn = started.json["execution_arn"]
    run.until(lambda: "1 batches, 0 done, 1 running, 0 waiting, 0 failed" in operate("status").output)
    person = archive.rpartition("/")[2] + "-a"
    refused = operate("forget", person, "--yes")
    assert refused.code == 1
    assert f"The backfill {arn.rpartition(':')[2]} lists recordings of {person} and is running" in refused.error
    assert run.ended(arn)["status"] == "SUCCEEDED"


def test_failed_batches_are_counted_until_a_redrive_repairs_them(
    run: Run, operate: Command, archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from local.services.transcribe import failures

    def fails(*_: Any) -> Any:
        raise failures.JobFailure("Access denied: no read permission.")

    with monkeypatch.context() as patch:
        patch.setattr("local.services.transcribe.jobs.decode_checked", fails)
        arn = operate("backfill", "--prefix", archive, "--yes", "--json").json["execution_arn"]
        name = arn.rpartition(":")[2]
        assert run.ended(arn)["status"] == "FAILED"
    shown = operate("status", name)
    assert "failed        1" in shown.output
    assert f"redrive {name}. It repeats the failed batches only." in shown.output
    document = operate("status", name, "--json").json
    assert (document["done"], document["failed"], document["redrivable"]) == (0, 1, True)
    assert operate("redrive", name).code == 0
    assert run.ended(arn)["status"] == "SUCCEEDED"
    assert operate("status", name, "--json").json["failed"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ceiling-usd", "0.01"], "more than --ceiling-usd 0.01"),
        (["--json"], "can't ask for confirmation"),
    ],
)
def test_what_may_cost_too_much_or_cannot_be_confirmed_is_not_started(
    run: Run, operate: Command, archive: str, options: list[str], said: str
) -> None:
    before = backfills(run)
    refused = operate("backfill", "--prefix", archive, *options)
    assert (refused.code, said in refused.error) == (1, True), refused
    assert backfills(run) == before


def test_a_prefix_elsewhere_or_without_recordings_is_refused(run: Run, operate: Command) -> None:
    bucket = run.pipeline.media_bucket
    for prefix, said in (
        ("media/", "is no S3 URI"),
        ("s3://other/media/", "is not in this environment's recordings"),
        (f"s3://{bucket}/", "is not in this environment's recordings"),
        (f"s3://{bucket}/media/nobody-", "There is no recording below"),
    ):
        refused = operate("backfill", "--prefix", prefix, "--yes")
        assert (refused.code, said in refused.error) == (1, True), refused


def test_an_unknown_environment_is_refused_before_aws_is_asked() -> None:
    answer = CliRunner().invoke(app, ["backfill", "--prefix", "s3://b/media/", "--env", "nowhere"])
    assert answer.exit_code == 1
    assert json.dumps("nowhere")[1:-1] in answer.stderr
