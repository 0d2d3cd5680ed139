"""The transcription jobs that the executions of one environment share."""

from collections.abc import Iterator

import pytest

from tests.statemachine.conftest import Run

CONCURRENT_JOBS = 8  # of the environment `local`


@pytest.fixture
def busy(run: Run) -> Iterator[Run]:
    """With jobs that take their time, and drops that start nothing by themselves."""
    run.engines.seconds_per_job = 0.5
    events = run.pipeline.aws.client("events")
    events.disable_rule(Name="clinical-media-local-recordings")
    yield run
    events.enable_rule(Name="clinical-media-local-recordings")


def limits(run: Run, arn: str) -> list[tuple[int, int]]:
    """MaxConcurrency and running children of the execution's Map, if it is at work."""
    listed = run.stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]
    found = [run.stepfunctions.describe_map_run(mapRunArn=item["mapRunArn"]) for item in listed]
    return [(one["maxConcurrency"], one["executionCounts"]["running"]) for one in found if one["status"] == "RUNNING"]


def test_an_execution_alone_is_given_all_jobs_and_two_share_them(busy: Run) -> None:
    uris = [
        busy.drop(f"media/p-sharing/{number}.wav", busy.engines.recording("He has a fever.")) for number in range(40)
    ]
    first = busy.begin(media=uris[:20])
    busy.until(lambda: limits(busy, first) == [(CONCURRENT_JOBS, CONCURRENT_JOBS)])
    second = busy.begin(media=uris[20:])
    busy.until(lambda: [most for arn in (first, second) for most, _ in limits(busy, arn)] == [4, 4])
    busy.engines.seconds_per_job = 0.0
    for arn in (first, second):
        busy.summary(busy.ended(arn))


def test_a_batch_also_ends_when_the_jobs_are_never_shared_out(run: Run) -> None:
    faults = run.pipeline.aws.faults
    faults.inject("stepfunctions", "ListExecutions", "access_denied", function="share_jobs", times=10_000)
    try:
        uris = [run.drop(f"media/p-alone/{n}.wav", run.engines.recording("He has a fever.")) for n in range(5)]
        run.summary(run.start(media=uris, reprocess=True))
    finally:
        faults.clear()
