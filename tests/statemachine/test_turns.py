"""The turns to transcribe: an execution waits until ShareJobs admits it, for as long as it takes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.statemachine.conftest import Run

FUNCTIONS = "clinical-media-local-"
SHARING_RULE, RECORDINGS_RULE = "clinical-media-local-job-sharing", "clinical-media-local-recordings"
TURNS = 4  # eight jobs, and two for each Map at first


@pytest.fixture
def quiet(run: Run) -> Iterator[Run]:
    """Drops start nothing by themselves, and ShareJobs runs only when a test calls it."""
    events = run.pipeline.aws.client("events")
    for rule in (SHARING_RULE, RECORDINGS_RULE):
        events.disable_rule(Name=rule)
    settle(run)
    yield run
    run.engines.seconds_per_job = 0.0
    for rule in (SHARING_RULE, RECORDINGS_RULE):
        events.enable_rule(Name=rule)


def settle(run: Run) -> None:
    """Until nothing runs and no turn is held."""
    run.until(lambda: not [item for item in run.executions() if item["status"] == "RUNNING"])
    share(run)
    assert holders(run) == {}


def share(run: Run) -> None:
    answer = run.pipeline.aws.client("lambda").invoke(FunctionName=f"{FUNCTIONS}share_jobs", Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def ledger(run: Run, key: str) -> dict[str, Any]:
    tables = run.pipeline.aws.client("dynamodb")
    (table,) = (name for name in tables.list_tables()["TableNames"] if "LedgerTable" in name)
    return dict(tables.get_item(TableName=table, Key={"pk": {"S": key}}).get("Item", {}))


def holders(run: Run) -> dict[str, int]:
    found: dict[str, int] = json.loads(ledger(run, "turns#holders").get("holders", {"S": "{}"})["S"])
    return found


def begin(run: Run, name: str) -> str:
    """An execution with two recordings, planned and beyond."""
    uris = [run.drop(f"media/p-{name}/{n}.wav", run.engines.recording(f"He has a fever {name} {n}.")) for n in range(2)]
    arn = run.begin(media=uris)
    run.until(lambda: "WaitForTurn" in run.states(arn))
    return arn


def waits(run: Run, arn: str) -> bool:
    """Whether the execution's token is noted and not answered."""
    return run.states(arn)[-1] == "WaitForTurn" and "token" in ledger(run, f"turn#{name_of(arn)}")


def name_of(arn: str) -> str:
    return arn.rpartition(":")[2]


@contextmanager
def full(run: Run, name: str) -> Iterator[list[str]]:
    """As many executions at work as have a turn; they end with the block."""
    run.engines.seconds_per_job = 60.0
    with pytest.MonkeyPatch.context() as patch:
        over, transcribe = threading.Event(), run.engines.transcribe

        def when_over(samples: Any) -> Any:
            over.wait(100)
            run.engines.seconds_per_job = 0.0
            return transcribe(samples)

        patch.setattr("local.services.transcribe.models.engine", when_over)
        arns = [begin(run, f"{name}-{number}") for number in range(TURNS)]
        for arn in arns:
            run.until(lambda arn=arn: run.states(arn)[-1] == "TranscribeMedia")  # type: ignore[misc]
        try:
            yield arns
        finally:
            over.set()
            for arn in arns:
                run.summary(run.ended(arn))


def test_an_execution_alone_begins_at_once_without_share_jobs(quiet: Run) -> None:
    arn = begin(quiet, "alone")
    assert quiet.summary(quiet.ended(arn))["recordings"]["transcribed"] == 2
    types = [event["type"] for event in quiet.events(arn)]
    assert (types.count("TaskSubmitted"), types.count("TaskSucceeded")) == (1, 1)


def test_an_execution_waits_until_share_jobs_admits_it_in_its_order(quiet: Run) -> None:
    with full(quiet, "order") as first:
        assert holders(quiet) == {name_of(arn): 2 for arn in first}
        second, third = begin(quiet, "second"), begin(quiet, "third")
        quiet.until(lambda: waits(quiet, second) and waits(quiet, third))
        events = len(quiet.events(second))
        share(quiet)
        assert waits(quiet, second) and waits(quiet, third), "there is no room"
        assert len(quiet.events(second)) == events, "waiting writes no event"
    share(quiet)
    for arn in (second, third):
        assert quiet.summary(quiet.ended(arn))["recordings"]["transcribed"] == 2
    share(quiet)
    assert holders(quiet) == {}


def test_an_execution_that_is_stopped_while_it_waits_hinders_nobody_and_waits_again_when_redriven(quiet: Run) -> None:
    with full(quiet, "stopped"):
        stopped, next_one = begin(quiet, "stop"), begin(quiet, "next")
        quiet.until(lambda: waits(quiet, stopped) and waits(quiet, next_one))
        before = ledger(quiet, f"turn#{name_of(stopped)}")["token"]
        quiet.stepfunctions.stop_execution(executionArn=stopped)
        assert quiet.ended(stopped)["status"] == "ABORTED"
        quiet.until(lambda: quiet.events(stopped)[-1]["type"] == "ExecutionAborted")
        quiet.stepfunctions.redrive_execution(executionArn=stopped)
        quiet.until(lambda: ledger(quiet, f"turn#{name_of(stopped)}")["token"] != before)
        for error, token in (("TaskTimedOut", before["S"]), ("InvalidToken", "nobody's")):
            with pytest.raises(getattr(quiet.stepfunctions.exceptions, error)):
                quiet.stepfunctions.send_task_success(taskToken=token, output="{}")
    share(quiet)
    for arn in (stopped, next_one):
        assert quiet.summary(quiet.ended(arn))["recordings"]["transcribed"] == 2


def test_a_lost_token_is_asked_for_again(quiet: Run) -> None:
    machine = {"stateMachineArn": quiet.pipeline.state_machine_arn}
    deployed = quiet.stepfunctions.describe_state_machine(**machine)["definition"]
    impatient = json.loads(deployed)
    impatient["States"]["WaitForTurn"]["TimeoutSeconds"] = 1
    with full(quiet, "lost"):
        quiet.stepfunctions.update_state_machine(**machine, definition=json.dumps(impatient))
        try:
            arn = begin(quiet, "token")
        finally:
            quiet.stepfunctions.update_state_machine(**machine, definition=deployed)
        quiet.until(lambda: quiet.states(arn).count("WaitForTurn") == 3)
    quiet.until(lambda: waits(quiet, arn))
    for _ in range(5):  # the answer may come just when the token expires
        if quiet.stepfunctions.describe_execution(executionArn=arn)["status"] == "RUNNING":
            share(quiet)
    assert quiet.summary(quiet.ended(arn))["recordings"]["transcribed"] == 2
    assert "TaskTimedOut" in [event["type"] for event in quiet.events(arn)]


def test_a_crash_between_admission_and_answer_is_mended(quiet: Run) -> None:
    faults = quiet.pipeline.aws.faults
    with full(quiet, "crash"):
        arn = begin(quiet, "crashed")
        quiet.until(lambda: waits(quiet, arn))
    faults.inject("stepfunctions", "SendTaskSuccess", "kill", function="share_jobs", times=1)
    try:
        answer = quiet.pipeline.aws.client("lambda").invoke(FunctionName=f"{FUNCTIONS}share_jobs", Payload=b"{}")
    finally:
        faults.clear()
    assert "FunctionError" in answer
    assert name_of(arn) in holders(quiet) and waits(quiet, arn)
    share(quiet)
    assert quiet.summary(quiet.ended(arn))["recordings"]["transcribed"] == 2


def test_a_map_that_is_redriven_counts_as_having_its_turn(quiet: Run) -> None:
    with full(quiet, "redrive") as arns:
        quiet.stepfunctions.stop_execution(executionArn=arns[0])
        quiet.ended(arns[0])
        share(quiet)
        assert name_of(arns[0]) not in holders(quiet)
        quiet.stepfunctions.redrive_execution(executionArn=arns[0])
        quiet.until(lambda: "MapRunRedriven" in [event["type"] for event in quiet.events(arns[0])])
        share(quiet)
        assert name_of(arns[0]) in holders(quiet)
