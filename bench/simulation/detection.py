"""Benchmarks 4 and 5: the cost and the delay of noticing a job's end, one job at a time, without quotas.

python -m bench.simulation.detection
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple
from unittest.mock import patch

from bench.peers.state_machines import fixed_wait_loop
from bench.simulation.assumptions import CALL_SECONDS, describe, generations, recordings
from bench.simulation.clock import Clock, Steps
from bench.simulation.definition import Tally, Task, World, check_scope, execute, states_named
from bench.table import Row, as_table
from infra.definition import read_definition
from lambdas.shared import jobs

DEFINITION = read_definition()
TRANSCRIPTION = DEFINITION["States"]["TranscribeMedia"]["ItemProcessor"]
GENERATION = states_named(
    DEFINITION["States"]["GenerateAudiences"]["ItemProcessor"],
    ("StartAudienceGeneration", "WaitForAudienceGeneration", "PollAudienceGeneration", "AudienceGenerationFinished?"),
)
# The value of lambdas/clean_rooms_ml.py; a test compares the two.
EXPECTED_GENERATION_SECONDS = 3600
SAMPLE = 10_000


class Job(NamedTuple):
    """A job's duration, and the duration that the pipeline expects."""

    seconds: float
    expected_seconds: float


class Detection(NamedTuple):
    """Means per job, the lag's share of the jobs' time, and the longest history."""

    transitions: float
    lag_seconds: float
    lag_share: float
    events: float
    most_events: int


def detect(scope: Mapping[str, Any], start: str, poll: str, sample: Sequence[Job], deadline_seconds: int) -> Detection:
    """Run `scope` for each job; its Tasks `start` and `poll` answer as the functions of those names do."""
    check_scope(scope)
    clock = Clock()
    tallies = [Tally() for _ in sample]
    lags = [0.0] * len(sample)

    def tasks(number: int, job: Job) -> dict[str, Task]:
        end = 0.0

        def begin(_: Any) -> Steps:
            nonlocal end
            yield CALL_SECONDS
            end = clock.now + job.seconds
            return jobs.started(str(number), round(job.expected_seconds), 0)

        def ask(event: Mapping[str, Any]) -> Steps:
            yield CALL_SECONDS
            if clock.now < end:
                return jobs.still_running(event["job"], 0, deadline_seconds)
            lags[number] = clock.now - end
            return jobs.completed(event["job"])

        return {start: begin, poll: ask}

    given = {"recording": {}, "parameters": {}, "seed": {}, "batch": {"batch_id": "", "reprocess_id": ""}}
    context = {"Execution": {"Name": "", "Id": "", "RedriveCount": 0}}
    chance = random.Random(1)
    with patch.object(jobs, "time", clock):
        for number, job in enumerate(sample):
            world = World(clock, chance, tasks(number, job), {})
            steps = execute(scope, given, context, world, tallies[number])
            # Jobs begin at random times.
            clock.begin(steps, after=chance.uniform(0, 3600))
        clock.run()
    return Detection(
        fmean(tally.transitions for tally in tallies),
        fmean(lags),
        sum(lags) / sum(job.seconds for job in sample),
        fmean(tally.events for tally in tallies),
        max(tally.events for tally in tallies),
    )


def transcription_jobs(count: int, seed: int = 3) -> list[Job]:
    return [
        Job(item.job_seconds, jobs.expected_transcription_seconds(item.audio_seconds))
        for item in recordings(count, seed)
    ]


def rows() -> Iterator[Row]:
    start, poll = "${StartTranscriptionArn}", "${PollTranscriptionArn}"
    sample = transcription_jobs(SAMPLE)
    ours = detect(TRANSCRIPTION, start, poll, sample, 8 * 3600)
    peer = detect(fixed_wait_loop(start, poll, 30), start, poll, sample, 8 * 3600)
    transitions, lag = ours.transitions / peer.transitions, ours.lag_seconds / peer.lag_seconds
    what = "Transcribe Medical, against a fixed loop of 30 s"
    yield Row(
        "4",
        f"{what}: state transitions per job",
        f"{ours.transitions:.1f}",
        f"{peer.transitions:.1f}",
        f"{transitions:.2f}",
        f"{1 / peer.transitions:.2f}",
        "<= 0.65",
        transitions <= 0.65,
    )
    yield Row(
        "4",
        f"{what}: mean detection lag",
        f"{ours.lag_seconds:.1f} s",
        f"{peer.lag_seconds:.1f} s",
        f"{lag:.2f}",
        "0",
        "<= 0.80",
        lag <= 0.8,
    )
    start, poll = "${StartAudienceGenerationArn}", "${PollAudienceGenerationArn}"
    sample = [Job(seconds, EXPECTED_GENERATION_SECONDS) for seconds in generations(SAMPLE, 3)]
    ours = detect(GENERATION, start, poll, sample, 24 * 3600)
    peer = detect(fixed_wait_loop(start, poll, 60), start, poll, sample, 24 * 3600)
    transitions = ours.transitions / peer.transitions
    what = "Clean Rooms ML, against a fixed loop of 60 s"
    yield Row(
        "5",
        f"{what}: state transitions per job",
        f"{ours.transitions:.1f}",
        f"{peer.transitions:.1f}",
        f"{transitions:.2f}",
        f"{1 / peer.transitions:.3f}",
        "<= 0.25",
        transitions <= 0.25,
    )
    yield Row(
        "5",
        f"{what}: mean detection lag, of the job's time",
        f"{ours.lag_share:.1%}",
        f"{peer.lag_share:.1%}",
        f"{ours.lag_share / peer.lag_share:.2f}",
        "0",
        "<= 5 %",
        ours.lag_share <= 0.05,
    )
    yield Row(
        "5",
        f"{what}: history events per job (longest of {SAMPLE:,})",
        f"{ours.events:.0f} ({ours.most_events})",
        f"{peer.events:.0f} ({peer.most_events})",
        f"{ours.events / peer.events:.2f}",
        "18",
        "<= 150",
        ours.events <= 150,
    )


def main() -> None:
    print(describe())
    print(as_table(rows()))


if __name__ == "__main__":
    main()
