from typing import Any

import pytest

from lambdas.shared import jobs
from lambdas.shared.errors import JobDeadlineExceeded, JobFailed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Clock:
        now = 1_000_000.0

        def time(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(jobs, "time", clock)
    return clock


def test_the_first_wait_spans_most_of_the_expected_time() -> None:
    assert jobs.wait_seconds(100, 0) == 80


def test_waits_never_leave_their_bounds() -> None:
    waits = [jobs.wait_seconds(expected, elapsed) for expected in (0, 30, 10**6) for elapsed in (0, 31, 10**6)]
    assert min(waits) == jobs.SHORTEST_WAIT_SECONDS
    assert max(waits) == jobs.LONGEST_WAIT_SECONDS


def test_past_the_expected_time_a_wait_is_an_eighteenth_of_what_has_run() -> None:
    assert jobs.wait_seconds(60, 1800) == 100


def test_a_job_past_its_deadline_fails_with_its_id_and_how_long_it_ran(clock: Any) -> None:
    job = jobs.started("job-1", 60, 0)
    clock.now += 101
    with pytest.raises(JobDeadlineExceeded, match=r"job-1 has not ended after 101 seconds; the deadline is 100"):
        jobs.still_running(job, 0, 100)


def test_a_redrive_grants_a_fresh_deadline(clock: Any) -> None:
    job = jobs.started("job-1", 60, 0)
    clock.now += 101
    job = jobs.still_running(job, 1, 100)
    clock.now += 100
    assert jobs.still_running(job, 1, 100)["status"] == "IN_PROGRESS"
    clock.now += 1
    with pytest.raises(JobDeadlineExceeded):
        jobs.still_running(job, 1, 100)


def test_a_failed_job_fails_the_poll_itself() -> None:
    with pytest.raises(JobFailed, match=r"job-1 failed: no access\. A redrive starts the next attempt"):
        jobs.failed(jobs.started("job-1", 60, 0), 0, "no access")


def test_a_redriven_poll_that_finds_the_job_from_before_goes_back_to_the_start() -> None:
    assert jobs.failed(jobs.started("job-1", 60, 0), 1, "no access")["status"] == "START_AGAIN"
