"""Step Functions: executions of the real definition in the history's time, with redrives, stops and Map Runs."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, Protocol

from bench.simulation import definition
from bench.simulation.clock import Clock, Gate, Process, Steps
from tests.interleavings.executions import DEFINITION, FUNCTIONS, UNFINISHED, Items
from tests.simulation.aws import STATE_MACHINE, Refused
from tests.simulation.buckets import Buckets
from tests.storms.functions import Lambda

ABORTED, FAILED, RUNNING, SUCCEEDED = "ABORTED", "FAILED", "RUNNING", "SUCCEEDED"


class World(Protocol):
    clock: Clock
    buckets: Buckets
    functions: Lambda

    def note(self, text: str) -> None: ...

    def share_jobs_soon(self) -> None: ...

    @property
    def watch(self) -> "Watch": ...


class Watch(Protocol):
    def state(self, text: str) -> None: ...

    def versions(self) -> dict[str, str]: ...

    def planned(self, execution: "Execution", before: Mapping[str, str]) -> None: ...


class Execution:
    def __init__(self, world: World, machine: "StateMachine", name: str, request: Mapping[str, Any]) -> None:
        self.name, self.request = name, request
        self.arn = f"{STATE_MACHINE.replace('stateMachine', 'execution')}:{name}"
        # `cause` is the error of the Task that has failed, maybe of a Map's child; `failed` has its state last.
        self.error, self.cause, self.redrives = "", "", 0
        self.failed: tuple[str, ...] = ()
        self.started_at = self.stopped_at = self.redriven_at = world.clock.now
        self.map_runs = MapRuns(world)
        self._world, self._machine = world, machine
        self._record = definition.Record()
        self._process: Process | None = None
        self._go()

    def redrive(self) -> None:
        self.redrives += 1
        self.redriven_at = self._world.clock.now
        self._go()

    def stop(self) -> None:
        """As StopExecution does: a function that runs goes on, and nobody waits for what it returns."""
        if self._process:
            self._process.stop()
        self._become(ABORTED)

    @property
    def is_red(self) -> bool:
        return self.status in UNFINISHED

    @property
    def step(self) -> str:
        """The state that it is in, or was in when it failed."""
        return self._record.state

    def described(self) -> dict[str, Any]:
        dates = {} if self.status == RUNNING else {"stopDate": moment(self.stopped_at)}
        redriven = {"redriveDate": moment(self.redriven_at), "redriveCount": self.redrives} if self.redrives else {}
        return {
            "executionArn": self.arn,
            "stateMachineArn": STATE_MACHINE,
            "name": self.name,
            "status": self.status,
            "startDate": moment(self.started_at),
            **dates,
            **redriven,
        }

    def _go(self) -> None:
        self._become(RUNNING)
        self._process = self._world.clock.begin(self._drive())

    def _become(self, status: str) -> None:
        self.status = status
        if status != RUNNING:
            self.stopped_at = self._world.clock.now
        self._world.share_jobs_soon()

    def _drive(self) -> Steps:
        machine = self._machine
        tasks: dict[str, definition.Task] = {f"${{{step}Arn}}": partial(self._task, step) for step in FUNCTIONS}
        world = definition.World(
            self._world.clock,
            machine.random,
            tasks,
            Items(self._world.buckets),
            map_runs=self.map_runs,
            callbacks=machine.callbacks,
            longest_history=machine.longest_history,
            tokens=machine.tokens,
        )
        context = {"Execution": {"Name": self.name, "Id": self.arn, "RedriveCount": self.redrives}}
        try:
            yield from definition.execute(DEFINITION, self.request, context, world, definition.Tally(), self._record)
        except definition.TaskError as error:
            self.error, self.cause, self.failed = error.name, error.cause, error.states
            self._world.note(f"-- {self.name} FAILED in {'/'.join(error.states)} with {error.cause}")
            self._become(FAILED)
            self._world.functions.seen("Failure")
        else:
            self._world.note(f"-- {self.name} SUCCEEDED")
            self._become(SUCCEEDED)

    def _task(self, step: str, payload: Any) -> Steps:
        item = payload.get("recording", {}).get("media_id") or payload.get("seed", {}).get("cohort") or ""
        before = self._world.watch.versions() if step == "PlanBatch" else {}
        answer = yield from self._world.functions.call(step, f"{self.name} {item}".rstrip(), payload)
        if step == "PlanBatch":
            self._world.watch.planned(self, before)
        if step == "WaitForTurn" or (step == "PollTranscription" and answer["status"] != "IN_PROGRESS"):
            self._world.share_jobs_soon()
        return answer


class MapRuns(list[definition.MapRun]):
    """The Maps of an execution that run; `have_begun` if there ever was one."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.have_begun = False
        self._world = world

    def append(self, run: definition.MapRun) -> None:
        super().append(run)
        self.have_begun = True
        self._world.share_jobs_soon()

    def remove(self, run: definition.MapRun) -> None:
        super().remove(run)
        self._world.share_jobs_soon()


class StateMachine:
    """The service, as far as the functions and the operator call it."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self.random = random.Random(seed)
        self.executions: dict[str, Execution] = {}
        self.callbacks: dict[str, Gate] = {}
        self.longest_history = [0]
        self.tokens = count()

    def start(self, name: str, request: Mapping[str, Any]) -> Execution:
        self._world.note(f"-- {name} starts")
        self._world.watch.state(f"{name} {json.dumps(request)}")
        self.executions[name] = Execution(self._world, self, name, request)
        return self.executions[name]

    def describe_execution(self, executionArn: str, **_: Any) -> dict[str, Any]:
        execution = self._named(executionArn)
        return {**execution.described(), "input": json.dumps(execution.request)}

    def start_execution(self, name: str, input: str, **_: Any) -> dict[str, Any]:
        if name in self.executions:
            # The same input again is no error as long as it runs.
            # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
            there = self.executions[name]
            if there.status != RUNNING or json.loads(input) != there.request:
                raise Refused("ExecutionAlreadyExists")
            return {"executionArn": there.arn, "startDate": moment(there.started_at)}
        started = self.start(name, json.loads(input))
        return {"executionArn": started.arn, "startDate": moment(started.started_at)}

    def list_executions(self, statusFilter: str = "", **_: Any) -> dict[str, Any]:
        """The newest first."""
        found = [item.described() for item in self.executions.values() if statusFilter in ("", item.status)]
        return {"executions": found[::-1]}

    def send_task_success(self, taskToken: str, output: str) -> dict[str, Any]:
        gate = self.callbacks.pop(taskToken, None)
        if gate is None:
            raise Refused("TaskTimedOut")
        self._world.clock.open(gate)
        return {}

    def list_map_runs(self, executionArn: str, **_: Any) -> dict[str, Any]:
        execution = self._named(executionArn)
        return {"mapRuns": [{"mapRunArn": _map_run_arn(execution.name)}] if execution.map_runs.have_begun else []}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:
        run = self._map_run(mapRunArn)
        if run is None:
            return {"status": "SUCCEEDED", "maxConcurrency": 0, "itemCounts": {}, "executionCounts": {}}
        return {
            "status": "RUNNING",
            "maxConcurrency": run.most,
            "itemCounts": {"pending": run.unfinished - run.running, "running": run.running},
            "executionCounts": {"running": run.running},
        }

    def update_map_run(self, mapRunArn: str, maxConcurrency: int) -> dict[str, Any]:
        run = self._map_run(mapRunArn)
        if run is None:
            raise Refused("ResourceNotFound")
        run.most = maxConcurrency
        run.fill()
        return {}

    def _named(self, arn: str) -> Execution:
        execution = self.executions.get(arn.rpartition(":")[2])
        if execution is None:
            raise Refused("ExecutionDoesNotExist")
        return execution

    def _map_run(self, arn: str) -> definition.MapRun | None:
        """The Map that transcribes, while it runs."""
        runs = self.executions[arn.rpartition(":")[2]].map_runs
        return runs[0] if runs else None


def _map_run_arn(execution: str) -> str:
    return f"{STATE_MACHINE.replace('stateMachine', 'mapRun')}/TranscribeMedia:{execution}"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
