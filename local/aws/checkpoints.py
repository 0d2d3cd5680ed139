"""The position of every flow of an execution, from which a redrive continues.

A flow is one run of a definition: an execution, an iteration of an inline Map, a branch of a Parallel, a child
execution of a Distributed Map. Its checkpoint follows it from state to state. To redrive an execution is to evaluate
the same definition again, each unfinished flow starting at its checkpoint and each finished one returning its output.
"""

import copy
import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (
    MapRunRecord,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.state_continue_with import ContinueWithEnd
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

_moto_as_inner_frame_of = Environment.as_inner_frame_of.__func__  # type: ignore[attr-defined]
_moto_eval_state = CommonStateField._eval_body
_moto_set_next = CommonStateField._set_next
_moto_eval_iterations = InlineIterationComponent._eval_body
_moto_eval_job = IterationWorker._eval_job
_moto_eval_branches = BranchesDecl._eval_body
_moto_eval_branch = BranchWorker._thread_routine


class Checkpoint:
    """The state that a flow entered last and, while that is a Map or Parallel, the flows inside it.

    `state` is None before the first state; `output` is the flow's when `finished`.
    """

    def __init__(self) -> None:
        self.state: str | None = None
        self.input: Any = None
        self.variables: dict[str, Any] = {}
        self.flows: dict[int, Checkpoint] = {}
        self.map_run: MapRunRecord | None = None
        self.finished = False
        self.output: Any = None
        self.resuming = False
        self._reentered = False

    def enter(self, state: str, state_input: Any, variables: dict[str, Any]) -> None:
        """The flow enters `state`; if it resumes there, the flows inside stay."""
        self._reentered = self.resuming and state == self.state
        self.resuming = False
        if not self._reentered:
            self.state, self.input, self.variables = state, state_input, variables
            self.flows, self.map_run = {}, None

    def resume(self) -> None:
        """Make the next evaluation of the flow, and of the flows inside, start here."""
        self.resuming = not self.finished and self.state is not None
        for flow in self.flows.values():
            flow.resume()

    def continues_inside(self) -> bool:
        """Whether the Map or Parallel about to run was re-entered by a redrive; its own Retry starts afresh."""
        reentered, self._reentered = self._reentered, False
        if not reentered:
            self.flows, self.map_run = {}, None
        return reentered

    def flow(self, index: int) -> "Checkpoint":
        """The checkpoint of the iteration or branch `index` of the current state."""
        return self.flows.setdefault(index, Checkpoint())

    def finish(self, output: Any) -> None:
        self.finished, self.output = True, output


def of(env: Environment) -> Checkpoint:
    """The checkpoint of the flow that `env` belongs to."""
    return env.checkpoint  # type: ignore[attr-defined,no-any-return]


def eval_program(self: Program, env: Environment) -> None:
    """Program.eval from the flow's checkpoint on, in the caller's thread unless the definition has a timeout."""
    checkpoint, start = of(env), self.start_at.start_at_name
    if checkpoint.finished:
        env.states.reset(checkpoint.output)
        env.set_ended()
        return
    if checkpoint.resuming:
        start = checkpoint.state or start
        env.states.reset(checkpoint.input)
        env.variable_store._inner_scope.update(copy.deepcopy(checkpoint.variables))
    if env.is_running():
        env.next_state_name = start
    if self.timeout_seconds is None:
        self._eval_body(env)
        return
    evaluation = threading.Thread(target=self._eval_body, args=(env,), daemon=True)
    evaluation.start()
    evaluation.join(self.timeout_seconds.timeout_seconds)
    if evaluation.is_alive():
        env.set_timed_out()
        env.execution.finish()  # type: ignore[attr-defined]
        # A redrive must not start before this attempt is over.
        evaluation.join()


def as_inner_frame_of(
    cls: type[Environment],
    env: Environment,
    variable_store: VariableStore,
    event_history_frame_cache: EventHistoryContext | None = None,
) -> Environment:
    """Environment.as_inner_frame_of: by default, a frame belongs to the flow of its environment."""
    frame: Environment = _moto_as_inner_frame_of(cls, env, variable_store, event_history_frame_cache)
    frame.execution = env.execution  # type: ignore[attr-defined]
    frame.checkpoint = of(env)  # type: ignore[attr-defined]
    return frame


def eval_state(self: CommonStateField, env: Environment) -> None:
    """CommonStateField._eval_body, which every state passes."""
    of(env).enter(self.name, env.states.get_input(), copy.deepcopy(env.variable_store._inner_scope))
    _moto_eval_state(self, env)


def set_next(self: CommonStateField, env: Environment) -> None:
    """CommonStateField._set_next, which only the last state of a finished flow reaches.

    moto marks a flow as ended, too, if it was cut off because a sibling iteration failed.
    """
    if env.stack and env.stack[-1] is CatchOutcome.Caught:
        # The catcher has set the next state. If that is this state again, moto would take it for none.
        env.stack.pop()
        return
    ends_here = env.next_state_name == self.name and isinstance(self.continue_with, ContinueWithEnd)
    _moto_set_next(self, env)
    if ends_here:
        of(env).finish(env.states.get_input())


def eval_iterations(self: InlineIterationComponent, env: Environment) -> None:
    """InlineIterationComponent._eval_body."""
    of(env).continues_inside()
    _moto_eval_iterations(self, env)


def eval_job(self: IterationWorker, env: Environment, job: Job) -> None:
    """IterationWorker._eval_job: one iteration, which is a flow."""
    checkpoint = of(self._env).flow(job.job_index)
    env.checkpoint = checkpoint  # type: ignore[attr-defined]
    if checkpoint.finished:
        job.job_output = copy.deepcopy(checkpoint.output)
    else:
        _moto_eval_job(self, env, job)


def eval_branches(self: BranchesDecl, env: Environment) -> None:
    """BranchesDecl._eval_body."""
    of(env).continues_inside()
    for index, program in enumerate(self.programs):
        program.branch_index = index  # type: ignore[attr-defined]
    _moto_eval_branches(self, env)


def eval_branch(self: BranchWorker) -> None:
    """BranchWorker._thread_routine: one branch, which is a flow."""
    self.env.checkpoint = of(self.env).flow(self._program.branch_index)  # type: ignore[attr-defined]
    _moto_eval_branch(self)


def install() -> None:
    """Make moto's interpreter keep checkpoints; needs the environments of `local.aws.executions`."""
    Program.eval = eval_program  # type: ignore[method-assign]
    Environment.as_inner_frame_of = classmethod(as_inner_frame_of)  # type: ignore[method-assign,assignment]
    CommonStateField._eval_body = eval_state  # type: ignore[method-assign]
    CommonStateField._set_next = set_next  # type: ignore[method-assign]
    InlineIterationComponent._eval_body = eval_iterations  # type: ignore[method-assign]
    IterationWorker._eval_job = eval_job  # type: ignore[method-assign]
    BranchesDecl._eval_body = eval_branches  # type: ignore[method-assign]
    BranchWorker._thread_routine = eval_branch  # type: ignore[method-assign]
