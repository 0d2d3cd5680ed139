"""What is already in the bucket, by the real backfill over the real pipeline."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.definition import BACKFILL, read_definition
from lambdas.planning.job_shares import SHARING_EXECUTIONS
from local.services.transcribe import failures
from tests.statemachine.conftest import Run
from tests.statemachine.test_reruns import work


class Archive:
    """Recordings that were in the bucket before anybody listened to its events, below a prefix of their own."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.prefix = f"media/archive-{uuid.uuid4().hex[:8]}-"
        self.machine = run.pipeline.backfill_arn

    def holds(self, person: str, text: str | None) -> str:
        """A recording of the text; without one, a folder as the S3 console makes it."""
        user = f"{self.prefix}{person}/"
        return self.run.drop(user, b"") if text is None else self.run.drop(
            f"{user}a.wav", self.run.engines.recording(text)
        )  # fmt: skip

    def start(self, prefix: str | None = None) -> str:
        name = f"backfill-{uuid.uuid4().hex[:8]}"
        request = {"bucket": self.run.pipeline.media_bucket, "prefix": prefix or self.prefix}
        started = self.run.stepfunctions.start_execution(
            stateMachineArn=self.machine, name=name, input=json.dumps(request)
        )
        arn: str = started["executionArn"]
        return arn

    def batches(self, backfill: str) -> list[dict[str, Any]]:
        """The pipeline's executions of a backfill, the oldest first."""
        name = backfill.rpartition(":")[2]
        found = [item for item in self.run.executions() if item["name"].startswith(f"{name}-")]
        return sorted(found, key=lambda item: item["startDate"])

    def nested(self, backfill: str) -> list[dict[str, Any]]:
        listed = self.run.stepfunctions.list_executions(stateMachineArn=self.machine)["executions"]
        name = backfill.rpartition(":")[2]
        return [item for item in listed if item["name"].startswith(f"{name}-again-")]

    def redriven(self, backfill: str) -> dict[str, Any]:
        self.run.stepfunctions.redrive_execution(executionArn=backfill)
        return self.run.ended(backfill)


@pytest.fixture
def archive(run: Run) -> Iterator[Archive]:
    events = run.pipeline.aws.client("events")
    events.disable_rule(Name="clinical-media-local-recordings")
    yield Archive(run)
    events.enable_rule(Name="clinical-media-local-recordings")
    run.pipeline.aws.faults.clear()


@pytest.fixture
def two_per_batch(run: Run) -> Iterator[None]:
    """The definition with batches of two, which a test can fill."""
    yield from changed(
        run, lambda definition: definition["States"]["Batches"]["ItemBatcher"].update(MaxItemsPerBatch=2)
    )


def changed(run: Run, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    machine = {"stateMachineArn": run.pipeline.backfill_arn}
    definition = run.stepfunctions.describe_state_machine(**machine)["definition"]
    other = json.loads(definition)
    change(other)
    run.stepfunctions.update_state_machine(**machine, definition=json.dumps(other))
    yield
    run.stepfunctions.update_state_machine(**machine, definition=definition)


def processors() -> Iterator[dict[str, Any]]:
    """The states of each Map's children."""
    for state in read_definition(BACKFILL)["States"].values():
        if state["Type"] == "Map":
            yield state["ItemProcessor"]["States"]


def test_no_two_states_have_one_name() -> None:
    names = [*read_definition(BACKFILL)["States"], *(name for states in processors() for name in states)]
    assert len(set(names)) == len(names), "AWS refuses them, in the Maps too"


def test_whatever_fails_a_child_succeeds_and_names_itself() -> None:
    for states in processors():
        tasks = [state for state in states.values() if state["Type"] == "Task"]
        assert tasks
        for task in tasks:
            (catch,) = task["Catch"]
            assert (catch["ErrorEquals"], states[catch["Next"]]["Parameters"]) == (
                ["States.ALL"], {"failed.$": "$$.Execution.Id"},
            )  # fmt: skip


def test_a_backfill_opens_no_more_batches_than_share_the_jobs() -> None:
    states = read_definition(BACKFILL)["States"].values()
    assert {state["MaxConcurrency"] for state in states if state["Type"] == "Map"} == {SHARING_EXECUTIONS}


def received(run: Run, batches: list[dict[str, Any]]) -> list[dict[str, int]]:
    counts = [run.summary(batch)["recordings"] for batch in batches]
    return [{name: count[name] for name in ("received", "transcribed", "reused")} for count in counts]


def test_what_is_in_the_bucket_is_processed_once_without_folders_and_a_second_backfill_costs_nothing(
    run: Run, archive: Archive
) -> None:
    done = work(run)
    archive.holds("ann", None)
    archive.holds("ann", "She has a fever in the archive.")
    archive.holds("bob", "He has asthma in the archive.")
    first = archive.start()
    assert run.ended(first)["status"] == "SUCCEEDED", run.causes(run.ended(first))
    assert received(run, archive.batches(first)) == [{"received": 2, "transcribed": 2, "reused": 0}]
    assert (work(run) - done)["transcription jobs"] == 2
    archive.holds("eve", "She has diabetes in the archive.")
    second = archive.start()
    assert run.ended(second)["status"] == "SUCCEEDED"
    assert received(run, archive.batches(second)) == [{"received": 3, "transcribed": 1, "reused": 2}]
    assert (work(run) - done)["transcription jobs"] == 3


def test_an_empty_prefix_and_one_of_folders_succeed(run: Run, archive: Archive) -> None:
    empty = archive.start("media/nobody-")
    assert run.ended(empty)["status"] == "SUCCEEDED"
    assert archive.batches(empty) == []
    archive.holds("ann", None)
    folders = archive.start()
    assert run.ended(folders)["status"] == "SUCCEEDED"
    assert received(run, archive.batches(folders)) == [{"received": 0, "transcribed": 0, "reused": 0}]


@pytest.mark.usefixtures("two_per_batch")
def test_a_failed_batch_stops_no_other_is_tried_twice_and_a_redrive_repeats_it_alone(
    run: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = work(run)
    broken = run.engines.recording("She has a fever in the broken batch.")
    decode = failures.decode_checked

    def decode_unless_broken(data: bytes, *arguments: Any) -> Any:
        if data == broken:
            raise failures.JobFailure("Access denied: no read permission.")
        return decode(data, *arguments)

    monkeypatch.setattr("local.services.transcribe.jobs.decode_checked", decode_unless_broken)
    # In the order of the list, which is that of the keys: the first two are a batch.
    run.drop(f"{archive.prefix}a/a.wav", broken)
    for person in ("b", "c", "d"):
        archive.holds(person, f"{person} has asthma in the archive.")
    backfill = archive.start()
    failed = run.ended(backfill)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    assert "BatchesFailed" in failed["cause"]
    assert sorted(item["status"] for item in archive.batches(backfill)) == ["FAILED", "FAILED", "SUCCEEDED"]
    assert archive.redriven(backfill)["status"] == "FAILED"  # nobody has repaired anything
    monkeypatch.undo()
    again = archive.redriven(backfill)
    assert again["status"] == "SUCCEEDED", run.causes(again)
    batches = archive.batches(backfill)
    assert sorted(item["status"] for item in batches) == ["FAILED", "FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED"]
    (last,) = received(run, batches[-1:])
    assert (last["received"], last["transcribed"] + last["reused"]) == (2, 2)
    # One each, and three more attempts at the broken one.
    assert (work(run) - done)["transcription jobs"] == 4 + 3
    assert len(archive.nested(backfill)) == 3


def test_a_backfill_that_was_stopped_stops_its_batches_and_a_redrive_continues_them(run: Run, archive: Archive) -> None:
    done = work(run)
    run.engines.seconds_per_job = 1.0
    archive.holds("ann", "She has a fever in the stopped archive.")
    archive.holds("bob", "He has asthma in the stopped archive.")
    backfill = archive.start()
    run.until(lambda: (work(run) - done)["transcription jobs"] == 2)
    run.stepfunctions.stop_execution(executionArn=backfill)
    run.until(lambda: [item["status"] for item in archive.batches(backfill)] == ["ABORTED"])
    assert archive.redriven(backfill)["status"] == "SUCCEEDED"
    stopped, resumed = archive.batches(backfill)
    assert (stopped["status"], stopped["name"][-2:], resumed["name"][-2:]) == ("ABORTED", "-0", "-1")
    assert sum(count["received"] for count in received(run, [resumed])) == 2
    assert (work(run) - done)["transcription jobs"] == 2
