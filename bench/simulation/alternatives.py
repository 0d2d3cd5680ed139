"""Simulates a drop with other designs: the numbers behind docs/performance.md. Not part of `python -m bench`.

Each design is our own definition with one change.

- Without turns: every execution begins its Map at once, and ShareJobs divides the jobs among the oldest; executions
  time out after seven days. It was our own design until 2026-11-27.
- Unshared: every Map may use all jobs from the start, and refused starts are retried.
- Claimed turns: before its Map an execution takes one of ten turns, an object that it claims like a recording; it waits
  in a retrier for a free turn, and releases it after its Map. Every turn has an equal part of the jobs.
- Signal: the transcript's event answers a task token; a poll finds the one in a thousand that is lost.

    python -m bench.simulation.alternatives RECORDINGS [DESIGN ...]
"""

import argparse
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bench.simulation.assumptions import CALL_SECONDS, TRANSCRIPTION_JOBS, describe
from bench.simulation.clock import Steps
from bench.simulation.definition import TaskError
from bench.simulation.drop import (
    DEFINITION,
    ENVIRONMENT,
    SHARE_EVERY_SECONDS,
    Drop,
    Services,
    measures,
    pipeline,
)
from lambdas import share_jobs
from lambdas.planning.job_shares import FIRST_SHARE, SHARING_EXECUTIONS, places, shares

EVENT_MEDIAN_SECONDS, EVENT_SIGMA, LOST_EVENTS = 0.7, 0.5, 0.001
CLAIMED_TURNS, TURN_EVERY_SECONDS = 10, 60


class Design(NamedTuple):
    """`shared` is whether ShareJobs divides the jobs, `turns` whether executions wait for it to admit them."""

    batch_size: int = ENVIRONMENT.batch_size
    shared: bool = True
    turns: bool = True
    claimed: bool = False
    signal: bool = False


def definition_of(design: Design) -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    states = definition["States"]
    transcribe = states["TranscribeMedia"]
    if not design.turns:
        del states["WaitForTurn"]
        states["AnyNew?"]["Choices"][0]["Next"] = "TranscribeMedia"
        definition["TimeoutSeconds"] = 7 * 86_400
    if design.claimed:
        patience = {"IntervalSeconds": TURN_EVERY_SECONDS, "BackoffRate": 1, "MaxAttempts": 100_000}
        states["TakeTurn"] = {
            "Type": "Task",
            "Resource": "${TakeTurnArn}",
            "ResultPath": "$.turn",
            "Retry": [{"ErrorEquals": ["NoTurn"], **patience}],
            "Next": "TranscribeMedia",
        }
        states["AnyNew?"]["Choices"][0]["Next"] = "TakeTurn"
        transcribe["MaxConcurrencyPath"] = "$.turn.max_concurrency"
        transcribe["Next"] = "EndTurn"
        states["EndTurn"] = {
            "Type": "Task",
            "Resource": "${EndTurnArn}",
            "ResultPath": None,
            "Next": "PrepareDocuments",
        }
    if design.signal:
        transcribe["ItemProcessor"]["States"]["WaitForTranscription"] = {
            "Type": "Task",
            "Resource": "${AwaitTranscription}",
            "Parameters": {"job.$": "$.job"},
            "ResultPath": None,
            "Next": "PollTranscription",
        }
    return definition


class DesignedServices(Services):
    """The services with a design's additions."""

    def __init__(self, drop: Drop, concurrent_jobs: int, design: Design) -> None:
        super().__init__(drop, concurrent_jobs)
        self.design, self.free = design, CLAIMED_TURNS
        self.world.tasks.update(
            {
                "${TakeTurnArn}": self.take_turn,
                "${EndTurnArn}": self.end_turn,
                "${AwaitTranscription}": self.await_transcription,
            }
        )

    def sharing(self) -> Steps:
        if not self.design.shared:
            return
        if self.design.turns:
            yield from super().sharing()
            return
        while not self.drop.is_over:
            begun = self.clock.now
            looked_at = self.world.map_runs[: share_jobs.EXECUTIONS_LOOKED_AT]
            by_name = {str(id(run)): run for run in looked_at}
            map_runs = [share_jobs.MapRun(name, run.most, run.running, run.unfinished) for name, run in by_name.items()]
            for _ in map_runs:
                self.usage.draw("DescribeMapRun bucket")
            others = len(self.world.map_runs) - len(looked_at)
            yield from self.divide(changes(map_runs, others, self.concurrent_jobs), by_name, begun)
            yield max(0.0, SHARE_EVERY_SECONDS - (self.clock.now - begun))

    def plan(self, event: Mapping[str, Any]) -> Steps:
        planned = yield from super().plan(event)
        if not self.design.shared:
            planned["batch"]["max_concurrency"] = self.concurrent_jobs
        return planned

    def take_turn(self, _: Any) -> Steps:
        yield CALL_SECONDS
        if not self.free:
            raise TaskError("NoTurn")
        self.free -= 1
        return {"max_concurrency": TRANSCRIPTION_JOBS // CLAIMED_TURNS}

    def end_turn(self, _: Any) -> Steps:
        yield CALL_SECONDS
        self.free += 1
        return {}

    def await_transcription(self, event: Mapping[str, Any]) -> Steps:
        left = self.transcription.ends[event["job"]["id"]] - self.clock.now
        lost = self.random.random() < LOST_EVENTS
        late = 300.0 if lost else EVENT_MEDIAN_SECONDS * self.random.lognormvariate(0, EVENT_SIGMA)
        yield max(left, 0) + late


def changes(map_runs: Sequence[share_jobs.MapRun], others: int, jobs: int) -> Iterator[share_jobs.Change]:
    """`changes` of ShareJobs before there were turns: those behind the sharing ones keep what they have."""
    sharing, behind = map_runs[:SHARING_EXECUTIONS], map_runs[SHARING_EXECUTIONS:]
    available = places(jobs) - others * FIRST_SHARE - sum(run.places for run in behind)
    wanted = shares([run.unfinished for run in sharing], available)
    yield from share_jobs.moves(sharing, wanted, available)


def simulate(count: int, design: Design) -> Drop:
    return pipeline(
        count,
        definition_of(design),
        replace(ENVIRONMENT, batch_size=design.batch_size),
        lambda drop, concurrent_jobs: DesignedServices(drop, concurrent_jobs, design),
    )


DESIGNS = {
    "as it is": Design(),
    "without turns": Design(turns=False),
    "unshared": Design(shared=False, turns=False),
    "unshared, batches of 3,000": Design(shared=False, turns=False, batch_size=3000),
    "claimed turns": Design(shared=False, turns=False, claimed=True),
    "with the signal": Design(signal=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate a drop with other designs.")
    parser.add_argument("recordings", type=int)
    parser.add_argument("designs", nargs="*", metavar="DESIGN", help="; ".join(DESIGNS))
    arguments = parser.parse_args()
    print(describe())
    count = arguments.recordings
    for name, design in DESIGNS.items():
        if arguments.designs and name not in arguments.designs:
            continue
        drop = simulate(count, design)
        ours = measures(drop)
        print(
            f"{name:40} failed {ours.failed}, timed out {drop.timed_out_executions}, attempts {ours.attempts:.3f}, "
            f"makespan {ours.makespan:.3f}, entity detection {ours.entity_detection:.3f} with "
            f"{drop.entity_detection_jobs} jobs, transitions per recording {drop.tally.transitions / count:.1f}, "
            + ", ".join(f"{quota} {share:.0%}" for quota, share in drop.most.items() if share > 0.3),
            flush=True,
        )


if __name__ == "__main__":
    main()
