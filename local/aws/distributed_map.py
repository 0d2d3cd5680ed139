"""The Distributed Map as on AWS: its children are executions, and a failed child fails the Map.

moto runs the items of a Distributed Map inside the parent, evaluates no failure threshold (a failed item becomes null
in the output of a Map that succeeds) and starts a thread or three per item. Here, as described in
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html, every item is a child execution with
its own ARN, context and history (with an ItemBatcher, every batch of items), MaxConcurrency bounds how many run, and
ToleratedFailureCount and -Percentage decide whether the Map Run fails.

Differences from AWS. At most `MAX_RUNNING_CHILDREN` children run at a time, even if MaxConcurrency allows more. A
tolerated failure is null in the output. A ToleratedFailureCount of 0 next to a percentage counts as not given. The
documents name no error for a child's input above 256 KiB; here it is States.DataLimitExceeded.
"""

import collections
import copy
import csv
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, MapRunStatus
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
    DistributedIterationComponentEvalInput,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.states import ItemData, MapData

from local.aws import checkpoints
from local.aws.executions import Execution, now
from local.aws.item_batcher import MAX_INPUT_BYTES, InputTooLarge, ItemBatcher, json_bytes
from local.aws.map_runs import UNSUCCESSFUL, ChildExecution, MapRun

MAX_RUNNING_CHILDREN = 100


class _RunningChildren:
    """The children of a Map that run now, each on a thread of its own, as many as MaxConcurrency allows at the moment.

    It is among the frames of the Map state's environment, so that every end of the parent reaches it: a stop, a
    timeout, the failure of a sibling branch.
    """

    def __init__(self, run: MapRun) -> None:
        self._run = run
        self._pending = collections.deque(
            child for child in run.children if child.exec_status != ExecutionStatus.SUCCEEDED
        )
        self._running: set[ChildExecution] = set()
        self._changed = threading.Condition()
        self.exceeded = False
        self.refusal: str | None = None

    def run_all(self) -> None:
        """Return when the last child has ended, or after a halt, the last running child."""
        self._run.resized = self.fill
        self.fill()
        with self._changed:
            self._changed.wait_for(lambda: not self._pending and not self._running)

    def fill(self) -> None:
        """Start the children that may start."""
        with self._changed:
            most = min(self._run.max_concurrency or MAX_RUNNING_CHILDREN, MAX_RUNNING_CHILDREN)
            while self._pending and len(self._running) < most:
                if refusal := self._pending[0].refusal():
                    self.refusal = refusal
                    self.halt()
                    return
                child = self._pending.popleft()
                child.prepare()
                self._running.add(child)
                threading.Thread(target=self._start, args=(child,), daemon=True, name="map-run-child").start()

    def _start(self, child: ChildExecution) -> None:
        child.exec_worker.start()  # type: ignore[union-attr]
        if child.exec_status in UNSUCCESSFUL and self._run.exceeds_tolerated_failures():
            self.exceeded = True
            self.halt()
        with self._changed:
            self._running.discard(child)
            self._changed.notify_all()
        self.fill()

    def halt(self, *_: Any, **__: Any) -> None:
        """Abort the running children, and start no more."""
        with self._changed:
            self._pending.clear()
            running = list(self._running)
        for child in running:
            child.stop(now(), None, None)

    set_stop = set_timed_out = set_error = set_ended = halt


def eval_map_run(self: DistributedIterationComponent, env: Environment) -> None:
    """DistributedIterationComponent._eval_body: run a child execution per item, push their outputs in item order."""
    eval_input: DistributedIterationComponentEvalInput = env.stack.pop()
    run, continues = _map_run(env, eval_input)

    def record(event_type: HistoryEventType, **details: Any) -> None:
        env.event_manager.add_event(env.event_history_context, event_type, details or None)  # type: ignore[arg-type]

    if continues:
        run.redrive()
        details = {"mapRunArn": run.map_run_arn, "redriveCount": run.redrive_count}
        record(HistoryEventType.MapRunRedriven, mapRunRedrivenEventDetails=details)
    else:
        record(HistoryEventType.MapRunStarted, mapRunStartedEventDetails={"mapRunArn": run.map_run_arn})
    try:
        if not continues:
            run.children = _children(self, env, eval_input, run, _items(env, eval_input))
        _run_children(env, run)
    except Exception as failure:
        pair = failure.extract_error_cause_pair() if isinstance(failure, FailureEventException) else None
        failed_with = dict(zip(("error", "cause"), pair or (), strict=False))
        record(HistoryEventType.MapRunFailed, mapRunFailedEventDetails={k: v for k, v in failed_with.items() if v})
        run.set_stop(MapRunStatus.FAILED)
        raise
    env.stack.append([copy.deepcopy(child.output) for child in run.children])
    if env.is_running():
        record(HistoryEventType.MapRunSucceeded)
        run.set_stop(MapRunStatus.SUCCEEDED)
    else:
        record(HistoryEventType.MapStateAborted)
        run.set_stop(MapRunStatus.ABORTED)
        # The Map state ends by recording its success, of which there is none.
        env.event_manager = EventManager()


def _map_run(env: Environment, eval_input: DistributedIterationComponentEvalInput) -> tuple[MapRun, bool]:
    """The Map Run of the state, and whether it is the one that a redrive continues."""
    checkpoint = checkpoints.of(env)
    made: MapRun = eval_input.map_run_record  # type: ignore[assignment]
    reentered, earlier = checkpoint.continues_inside(), checkpoint.map_run
    if reentered and isinstance(earlier, MapRun) and earlier.children:
        # moto's Map state did not know.
        del env.map_run_record_pool_manager._pool[made.map_run_arn]
        return earlier, True
    made.state_name = eval_input.state_name
    checkpoint.map_run = made
    return made, False


def _items(env: Environment, eval_input: DistributedIterationComponentEvalInput) -> list[Any]:
    if eval_input.item_reader is None:
        return eval_input.input_items
    try:
        eval_input.item_reader.eval(env=env)
    except (ClientError, BotoCoreError, csv.Error, ValueError) as error:
        raise _map_failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error
    items: list[Any] = env.stack.pop()
    return items


def _children(
    component: DistributedIterationComponent,
    env: Environment,
    eval_input: DistributedIterationComponentEvalInput,
    run: MapRun,
    items: list[Any],
) -> list[ChildExecution]:
    program = component._get_iteration_program()
    # moto's worker is wanted for its evaluation of ItemSelector and Parameters only: it gets no jobs.
    worker = component._create_worker(env=env, eval_input=eval_input, job_pool=None)  # type: ignore[arg-type]
    parent: Execution = env.execution  # type: ignore[attr-defined]
    selected = []
    for index, item in enumerate(items):
        frame = env.open_inner_frame()
        frame.states.context_object.context_object_data["Map"] = MapData(Item=ItemData(Index=index, Value=item))
        frame.states.reset(item)
        worker._eval_input(env_frame=frame)
        selected.append(frame.states.get_input())
        env.delete_frame(frame)
    try:
        inputs = _inputs(component.item_batcher, env, selected)  # type: ignore[attr-defined]
    except InputTooLarge as error:
        raise _map_failure(env, StatesErrorNameType.StatesStatesDataLimitExceeded, str(error)) from error
    except ValueError as error:
        raise _map_failure(env, StatesErrorNameType.StatesRuntime, str(error)) from error
    return [ChildExecution(parent, run, program, child_input, count) for child_input, count in inputs]


def _inputs(batcher: ItemBatcher | None, env: Environment, items: list[Any]) -> list[tuple[Any, int]]:
    if batcher:
        return batcher.inputs(env, items)
    for index, item in enumerate(items):
        if (size := json_bytes(item)) > MAX_INPUT_BYTES:
            raise InputTooLarge(f"The input of item {index} has {size} bytes, more than {MAX_INPUT_BYTES}")
    return [(item, 1) for item in items]


def _run_children(env: Environment, run: MapRun) -> None:
    running = _RunningChildren(run)
    with env._state_mutex:
        env._frames.append(running)  # type: ignore[arg-type]
    running.run_all()
    env.delete_frame(running)  # type: ignore[arg-type]
    if not env.is_running():
        return  # the children ended because the parent did, and exceed nothing
    if running.refusal:
        raise _map_failure(env, StatesErrorNameType.StatesPermissions, running.refusal)
    if running.exceeded:
        raise _map_failure(
            env,
            StatesErrorNameType.StatesExceedToleratedFailureThreshold,
            "The specified tolerated failure threshold was exceeded",
        )
    if any(child.stop_date is None for child in run.children):
        raise RuntimeError(f"not all children of {run.map_run_arn} have run")


def _map_failure(env: Environment, error: StatesErrorNameType, cause: str) -> FailureEventException:
    details: Any = {"mapRunFailedEventDetails": {"error": error.to_name(), "cause": cause}}
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=error),
            event_type=HistoryEventType.MapRunFailed,
            event_details=details,
        )
    )


def install() -> None:
    """Make moto's interpreter run Distributed Maps this way; needs `local.aws.checkpoints`."""
    DistributedIterationComponent._eval_body = eval_map_run  # type: ignore[method-assign]
