"""Simulates a drop with other designs: the numbers behind docs/performance.md. Not part of `python -m bench`.

Each design is our own definition with one change.

- Unshared: every Map may use all jobs from the start, and refused starts are retried.
- Turns: before its Map an execution takes one of ten turns, an object that it claims like a recording; it waits in a
  retrier for a free turn, and releases it after its Map. Every turn has an equal part of the jobs.
- Signal: the transcript's event answers a task token; a poll finds the one in a thousand that is lost.

    python -m bench.simulation.alternatives RECORDINGS [DESIGN ...]
"""

import argparse
import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from bench.simulation.assumptions import CALL_SECONDS, TRANSCRIPTION_JOBS, describe
from bench.simulation.clock import Steps
from bench.simulation.definition import TaskError
from bench.simulation.drop import DEFINITION, ENVIRONMENT, Drop, Services, measures, pipeline

EVENT_MEDIAN_SECONDS, EVENT_SIGMA, LOST_EVENTS = 0.7, 0.5, 0.001
TURNS, TURN_EVERY_SECONDS = 10, 60


class Design(NamedTuple):
    """`shared` is what ShareJobs does."""

    batch_size: int = ENVIRONMENT.batch_size
    shared: bool = True
    turns: bool = False
    signal: bool = False


def definition_of(design: Design) -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    states = definition["States"]
    transcribe = states["TranscribeMedia"]
    if design.turns:
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
        self.design, self.free = design, TURNS
        self.world.tasks.update(
            {
                "${TakeTurnArn}": self.take_turn,
                "${EndTurnArn}": self.end_turn,
                "${AwaitTranscription}": self.await_transcription,
            }
        )

    def share_jobs(self) -> Steps:
        if self.design.shared:
            yield from super().share_jobs()

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
        return {"max_concurrency": TRANSCRIPTION_JOBS // TURNS}

    def end_turn(self, _: Any) -> Steps:
        yield CALL_SECONDS
        self.free += 1
        return {}

    def await_transcription(self, event: Mapping[str, Any]) -> Steps:
        left = self.transcription.ends[event["job"]["id"]] - self.clock.now
        lost = self.random.random() < LOST_EVENTS
        late = 300.0 if lost else EVENT_MEDIAN_SECONDS * self.random.lognormvariate(0, EVENT_SIGMA)
        yield max(left, 0) + late


def simulate(count: int, design: Design) -> Drop:
    return pipeline(
        count,
        definition_of(design),
        replace(ENVIRONMENT, batch_size=design.batch_size),
        lambda drop, concurrent_jobs: DesignedServices(drop, concurrent_jobs, design),
    )


DESIGNS = {
    "as it is": Design(),
    "unshared": Design(shared=False),
    "unshared, batches of 3,000": Design(shared=False, batch_size=3000),
    "turns": Design(shared=False, turns=True),
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
            f"{name:40} failed {ours.failed}, attempts {ours.attempts:.3f}, makespan {ours.makespan:.3f}, "
            f"entity detection {ours.entity_detection:.3f} with {drop.entity_detection_jobs} jobs, "
            f"transitions per recording {drop.tally.transitions / count:.1f}, "
            + ", ".join(f"{quota} {share:.0%}" for quota, share in drop.most.items() if share > 0.3),
            flush=True,
        )


if __name__ == "__main__":
    main()
