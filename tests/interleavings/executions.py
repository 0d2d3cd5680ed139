"""Executions of the real definition with the real functions: started, stopped, redriven.

The definition is interpreted as the benchmarks do it.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError

from bench.simulation import definition
from bench.simulation.clock import Clock, Steps
from infra.definition import read_definition
from tests.interleavings.scheduler import Actor
from tests.simulation.aws import CLINICAL, STATE_MACHINE, Refused
from tests.simulation.buckets import Buckets

DEFINITION = read_definition()
# A few recordings make several children.
DEFINITION["States"]["CollectBatch"]["ItemBatcher"]["MaxItemsPerBatch"] = 1
# As infra/functions.py has them.
FUNCTIONS = {
    "PlanBatch": "lambdas.plan_batch.handler",
    "WaitForTurn": "lambdas.wait_for_turn.handler",
    "StartTranscription": "lambdas.transcribe_medical.start",
    "PollTranscription": "lambdas.transcribe_medical.poll",
    "PrepareDocuments": "lambdas.prepare_documents.handler",
    "StartEntityDetection": "lambdas.comprehend_medical.start",
    "PollEntityDetection": "lambdas.comprehend_medical.poll",
    "CollectEntities": "lambdas.collect_entities.handler",
    "PrepareCohorts": "lambdas.prepare_cohorts.prepare",
    "IndexRecords": "lambdas.index_records.handler",
    "FinishRebuild": "lambdas.prepare_cohorts.finish",
    "SelectSeeds": "lambdas.select_seeds.handler",
    "StartAudienceGeneration": "lambdas.clean_rooms_ml.start",
    "PollAudienceGeneration": "lambdas.clean_rooms_ml.poll",
    "StartAudienceExport": "lambdas.clean_rooms_ml.start_export",
    "PollAudienceExport": "lambdas.clean_rooms_ml.poll_export",
    "SummarizeBatch": "lambdas.summarize_batch.handler",
}
UNFINISHED = ("FAILED", "ABORTED")
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Outage(BotoCoreError):
    """A call that can't be made, also not again: the step fails, and the execution with it."""

    fmt = "an outage of the harness"


class Killed(BotoCoreError):
    """The function is gone in the middle of its work; its step is repeated."""

    fmt = "a killed function of the harness"


class _Abandoned(Exception):
    """The execution was stopped or redriven while its function still ran."""


class Answer(NamedTuple):
    """What a function returned, as JSON, or the name of what it raised."""

    returned: str = ""
    failure: str = ""


class World(Protocol):
    buckets: Buckets

    def act(self, name: str, work: Callable[[], None]) -> Actor: ...

    def wrote(self, actor: str, place: str) -> None: ...

    def note(self, text: str) -> None: ...

    def wait_for_rebuild(self, is_over: Callable[[], bool]) -> None: ...


class Execution:
    def __init__(self, world: World, name: str, request: Mapping[str, Any]) -> None:
        self.name, self.request = name, request
        self.arn = f"{STATE_MACHINE.replace('stateMachine', 'execution')}:{name}"
        self.error, self.redrives = "", 0
        self._world, self._attempt = world, 0
        self._record = definition.Record()
        self._actors: list[Actor] = []
        self._go()

    def redrive(self) -> None:
        self.redrives += 1
        self._go()

    def stop(self) -> None:
        """As StopExecution does it: the function that runs goes on, and nobody waits for what it returns."""
        self._attempt += 1
        self._become("ABORTED")

    def _go(self) -> None:
        self._attempt += 1
        self._become("RUNNING")
        attempt, redrives = self._attempt, self.redrives
        # A function that is redriven before it begins still has the count with which it was called.
        self._actor = self._world.act(self.name, lambda: self._drive(attempt, redrives))
        self._actors.append(self._actor)

    def is_zombie(self, actor: Actor) -> bool:
        return actor is not self._actor or self.status == "ABORTED"

    @property
    def left_behind(self) -> bool:
        """Whether a function is at work that it doesn't wait for any more."""
        return any(self.is_zombie(actor) and not actor.done for actor in self._actors)

    def _become(self, status: str) -> None:
        self.status = status
        self._world.wrote(self.name, f"stepfunctions/{self.name}")

    def _drive(self, attempt: int, redrives: int) -> None:
        clock = Clock()
        tasks: dict[str, definition.Task] = {
            f"${{{step}Arn}}": partial(self._task, step, attempt) for step in FUNCTIONS
        }
        world = definition.World(clock, random.Random(0), tasks, Items(self._world.buckets))
        tasks["${WaitForTurnArn}"] = partial(self._wait_for_turn, attempt, world)
        execution = {"Name": self.name, "Id": self.arn, "RedriveCount": redrives}

        def whole() -> Steps:
            try:
                context, tally = {"Execution": execution}, definition.Tally()
                yield from definition.execute(DEFINITION, self.request, context, world, tally, self._record)
            except definition.TaskError as error:
                self.error = error.cause
                self._world.note(f"-- {self.name} FAILED in {self._actor.step} with {error.cause}")
                self._become("FAILED")
            else:
                self._world.note(f"-- {self.name} SUCCEEDED")
                self._become("SUCCEEDED")

        clock.begin(whole())
        try:
            clock.run()
        except _Abandoned:
            self._world.note(f"-- a function of {self.name} has ended that nobody waits for")

    def _task(self, step: str, attempt: int, payload: Any) -> Steps:
        answer = self._ask(step, payload, attempt)
        if answer.failure:
            raise definition.TaskError(answer.failure)
        return json.loads(answer.returned)
        yield 0.0

    def _wait_for_turn(self, attempt: int, world: definition.World, payload: Any) -> Steps:
        """There are turns for all executions of a schedule, so that the function has answered its own token."""
        result = yield from self._task("WaitForTurn", attempt, payload)
        world.answer(payload["task_token"])
        return result

    def _ask(self, step: str, payload: Any, attempt: int) -> Answer:
        module, _, function = FUNCTIONS[step].rpartition(".")
        self._actor.step, self._actor.calls = step, 0
        try:
            returned = getattr(import_module(module), function)(json.loads(json.dumps(payload)), None)
            answer = Answer(json.dumps(returned))
        except Outage:
            answer = Answer(failure="AccessDeniedException")  # which no retrier repeats
        except (AttributeError, NameError, NotImplementedError):
            raise  # the harness's own, or a mutation's
        except Exception as error:
            answer = Answer(failure=type(error).__name__)
        if step == "PrepareCohorts" and answer.returned and json.loads(answer.returned)["status"] == "WAIT":
            self._world.wait_for_rebuild(lambda: attempt != self._attempt)
        if attempt != self._attempt:
            raise _Abandoned
        if answer.failure:
            self._world.note(f"   {self.name} {step} failed with {answer.failure}")
        return answer


class Items(dict[str, Any]):
    """A Map's items by the key that it reads, or the prefix that it lists."""

    def __init__(self, buckets: Buckets) -> None:
        super().__init__()
        self._buckets = buckets

    def __missing__(self, key: str) -> Any:
        if key.endswith("/"):
            names = self._buckets.keys(CLINICAL, key)
            return [{"Key": name} for name in names if self._buckets.current(CLINICAL, name)]
        there = self._buckets.current(CLINICAL, key)
        return json.loads(there.body) if there else []


class StepFunctions:
    def __init__(self, executions: dict[str, Execution], start: Callable[[str, Mapping[str, Any]], object]) -> None:
        self._executions, self._start = executions, start

    def describe_execution(self, executionArn: str, **_: Any) -> dict[str, Any]:
        execution = self._executions.get(executionArn.rpartition(":")[2])
        if execution is None:
            raise Refused("ExecutionDoesNotExist")
        return {"status": execution.status, "input": json.dumps(execution.request)}

    def start_execution(self, name: str, input: str, **_: Any) -> dict[str, Any]:
        if name in self._executions:
            raise Refused("ExecutionAlreadyExists")
        self._start(name, json.loads(input))
        return {}

    def send_task_success(self, taskToken: str, output: str) -> dict[str, Any]:
        return {}

    def list_executions(self, statusFilter: str = "", **_: Any) -> dict[str, Any]:
        """There is no clock: one that has left a function behind has just ended, or was just redriven."""
        found = [item for item in self._executions.values() if statusFilter in ("", item.status)]
        return {"executions": [_listed(item) for item in found]}


def _listed(item: Execution) -> dict[str, Any]:
    moment = datetime.now(UTC) if item.left_behind else _LONG_AGO
    dates = ({} if item.status == "RUNNING" else {"stopDate": moment}) | (
        {"redriveDate": moment} if item.redrives else {}
    )
    return {"executionArn": item.arn, "name": item.name, "status": item.status, **dates}
