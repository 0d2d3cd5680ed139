"""What other designs would make of a drop: the numbers behind docs/performance.md. Not part of `python -m bench`.

Each is our own definition with something put into it.

- Turns: before its Map an execution takes one of a few turns, an object that it claims as it claims recordings, so that
  what an execution that has ended held is free; it waits in a retrier until there is one, and gives it back behind
  its Map. Every turn has an equal part of the jobs.
- First: the turn is taken before PlanBatch, and each turn begins some seconds after the one before it.
- Shares: once a minute what no turn uses is shared out among those that do (UpdateMapRun).
- Spread: the first jobs of a Map begin ten a second, all turns together.
- Signal: the transcript's own event answers a task token; a poll rescues the thousandth that is lost.

    python -m bench.simulation.alternatives RECORDINGS [DESIGN ...]
"""

import argparse
import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.simulation.assumptions import CALL_SECONDS, TRANSCRIPTION_JOBS, describe
from bench.simulation.clock import Steps
from bench.simulation.definition import TaskError
from bench.simulation.drop import DEFINITION, ENVIRONMENT, Drop, Services, measures, pipeline

STARTS_PER_SECOND = 10.0
SHARE_EVERY_SECONDS = 60.0
EVENT_MEDIAN_SECONDS, EVENT_SIGMA, LOST_EVENTS = 0.7, 0.5, 0.001
TURN_EVERY_SECONDS = 60
SECONDS_BETWEEN_TURNS = 4


class Design(NamedTuple):
    """`jobs` is what all turns have together; `turns` 0 is without them."""

    batch_size: int = ENVIRONMENT["batch_size"]
    turns: int = 0
    jobs: int = TRANSCRIPTION_JOBS
    first: bool = False
    shared: bool = False
    spread: bool = False
    signal: bool = False


def definition_of(design: Design) -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    states = definition["States"]
    transcribe = states["TranscribeMedia"]
    child = transcribe["ItemProcessor"]
    if design.turns:
        patience = {"IntervalSeconds": TURN_EVERY_SECONDS, "BackoffRate": 1, "MaxAttempts": 100_000}
        states["TakeTurn"] = {
            "Type": "Task",
            "Resource": "${TakeTurnArn}",
            "ResultPath": "$.turn",
            "Retry": [{"ErrorEquals": ["NoTurn"], **patience}],
            "Next": "TranscribeMedia",
        }
        if design.first:
            states["TakeTurn"]["Next"] = "WaitForTurn"
            states["WaitForTurn"] = {"Type": "Wait", "SecondsPath": "$.turn.begin_after", "Next": "PlanBatch"}
            definition["StartAt"] = "TakeTurn"
            states["PlanBatch"]["Parameters"]["turn.$"] = "$.turn"
            states["PlanBatch"]["Parameters"]["request.$"] = "$"
        else:
            states["AnyNew?"]["Choices"][0]["Next"] = "TakeTurn"
        transcribe["MaxConcurrencyPath"] = "$.turn.max_concurrency"
        transcribe["Next"] = "EndTurn"
        states["EndTurn"] = {
            "Type": "Task",
            "Resource": "${EndTurnArn}",
            "ResultPath": None,
            "Next": "PrepareDocuments",
        }
    if design.spread:
        child["States"]["Spread"] = {
            "Type": "Wait",
            "SecondsPath": "$.recording.begin_after",
            "Next": child["StartAt"],
        }
        child["StartAt"] = "Spread"
    if design.signal:
        child["States"]["WaitForTranscription"] = {
            "Type": "Task",
            "Resource": "${AwaitTranscription}",
            "Parameters": {"job.$": "$.job"},
            "ResultPath": None,
            "Next": "PollTranscription",
        }
    return definition


class DesignedServices(Services):
    """The services with what a design adds to them."""

    def __init__(self, drop: Drop, concurrent_jobs: int, design: Design) -> None:
        super().__init__(drop, concurrent_jobs)
        self.design, self.free, self.taken = design, design.turns, 0
        self.world.tasks.update(
            {
                "${TakeTurnArn}": self.take_turn,
                "${EndTurnArn}": self.end_turn,
                "${AwaitTranscription}": self.await_transcription,
            }
        )
        if design.shared:
            self.clock.begin(self.share())

    def plan(self, event: Mapping[str, Any]) -> Steps:
        planned = yield from super().plan(event)
        if self.design.spread:
            # All turns may begin at once, and share the pace.
            pace = STARTS_PER_SECOND / max(self.design.turns, 1)
            most = self.design.jobs // max(self.design.turns, 1)
            for rank, item in enumerate(self.items[event["execution_name"]]):
                item["begin_after"] = rank / pace if rank < most else 0
        return {**planned, "turn": event.get("turn")}

    def take_turn(self, _: Any) -> Steps:
        yield CALL_SECONDS
        if not self.free:
            raise TaskError("NoTurn")
        self.free -= 1
        self.taken += 1
        late = SECONDS_BETWEEN_TURNS * self.taken if self.taken <= self.design.turns else 0
        return {"begin_after": late, "max_concurrency": self.design.jobs // self.design.turns}

    def end_turn(self, _: Any) -> Steps:
        yield CALL_SECONDS
        self.free += 1
        return {}

    def await_transcription(self, event: Mapping[str, Any]) -> Steps:
        left = self.transcription.ends[event["job"]["id"]] - self.clock.now
        lost = self.random.random() < LOST_EVENTS
        late = 300.0 if lost else EVENT_MEDIAN_SECONDS * self.random.lognormvariate(0, EVENT_SIGMA)
        yield max(left, 0) + late

    def share(self) -> Steps:
        while not self.drop.is_over:
            yield SHARE_EVERY_SECONDS
            left = self.design.jobs
            # Who needs least first, so that what it leaves goes to the others.
            runs = sorted(self.world.map_runs, key=lambda run: run.unfinished)
            for number, map_run in enumerate(runs):
                map_run.most = max(1, min(map_run.unfinished, left // (len(runs) - number)))
                left -= map_run.most
            for map_run in runs:
                map_run.fill()


def simulate(count: int, design: Design) -> Drop:
    environment = {
        **ENVIRONMENT,
        "batch_size": design.batch_size,
        "transcription": {"concurrent_jobs": ENVIRONMENT["transcription"]["concurrent_jobs"]},
    }
    return pipeline(
        count,
        definition_of(design),
        environment,
        lambda drop, concurrent_jobs: DesignedServices(drop, concurrent_jobs, design),
    )


DESIGNS = {
    "as it is": Design(),
    "batches of 3,000": Design(batch_size=3000),
    "5 turns": Design(turns=5),
    "10 turns": Design(turns=10),
    "10 turns, spread": Design(turns=10, spread=True),
    "10 turns, first, spread, signal": Design(turns=10, first=True, spread=True, signal=True),
    "10 turns, shares, spread": Design(turns=10, shared=True, spread=True),
    "10 turns, shares, spread, 262 jobs": Design(turns=10, shared=True, spread=True, jobs=262),
    "10 turns, spread, signal": Design(turns=10, spread=True, signal=True),
    "10 turns, shares, spread, signal": Design(turns=10, shared=True, spread=True, signal=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What other designs would make of a drop.")
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
