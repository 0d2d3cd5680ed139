import pytest

from bench.simulation.assumptions import QUOTAS
from bench.simulation.clock import Clock, Steps
from bench.simulation.definition import TaskError
from bench.simulation.services import Jobs, Usage

START, GET = "StartMedicalTranscriptionJob /s", "GetMedicalTranscriptionJob /s"


def jobs_of(clock: Clock, most: int) -> tuple[Jobs, Usage]:
    usage = Usage(clock)
    return Jobs(clock, usage, START, GET, QUOTAS, most, "LimitExceededException"), usage


def test_no_more_jobs_run_than_the_quota_and_a_job_that_ends_makes_room() -> None:
    clock = Clock()
    jobs, usage = jobs_of(clock, 1)
    refused = []

    def user() -> Steps:
        jobs.start("a", 10)
        with pytest.raises(TaskError, match="LimitExceededException"):
            jobs.start("b", 10)
        refused.append("b")
        yield 11
        assert jobs.has_ended("a")
        jobs.start("b", 10)
        assert not jobs.has_ended("b")

    clock.begin(user())
    clock.run()
    assert (refused, jobs.attempts, usage.most[START]) == (["b"], 3, 2)


def test_calls_beyond_the_rate_are_refused_and_counted() -> None:
    clock = Clock()
    jobs, usage = jobs_of(clock, 1000)
    for number in range(25):
        jobs.start(str(number), 1)
    with pytest.raises(TaskError):
        jobs.start("one more", 1)
    assert usage.most[START] == 26


def test_a_bucket_counts_what_has_not_been_refilled() -> None:
    clock = Clock()
    usage = Usage(clock)

    def caller() -> Steps:
        for _ in range(10):
            usage.draw("UpdateMapRun bucket")
        yield 4.0
        for _ in range(3):
            usage.draw("UpdateMapRun bucket")
        yield 100.0
        usage.draw("UpdateMapRun bucket")

    clock.begin(caller())
    clock.run()
    assert usage.most["UpdateMapRun bucket"] == 10
