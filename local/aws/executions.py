"""Executions of the local Step Functions: started, stopped and redriven as on AWS.

moto's interpreter runs a definition well, but its executions exist without an environment for a moment, cannot be
stopped before their first state, show SUCCEEDED before their output and cannot be redriven. `install` makes moto create
these executions instead. Each evaluation of one is in `local.aws.execution_runs`; `local.aws.map_runs` derives child
executions from them.
"""

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import moto.stepfunctions.parser.models as parser_models
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.backend.execution import Execution as MotoExecution

from local.aws import execution_roles
from local.aws.checkpoints import Checkpoint
from local.aws.execution_logs import Destination, ExecutionLog, destination_of
from local.aws.execution_runs import Run
from local.aws.service_metrics import count_execution
from local.aws.traces import trace_execution

REDRIVABLE_FOR = datetime.timedelta(days=14)


class ExecutionNotRedrivable(AWSError):
    TYPE = "ExecutionNotRedrivable"


_moto_set_error = Environment.set_error


def now() -> datetime.datetime:
    """The time in moto's form for executions."""
    return datetime.datetime.now(datetime.UTC)


class Execution(MotoExecution):
    """An execution of a state machine: its status, its outcome and, while it runs, its environment.

    `exec_status` is None as long as a child execution has not started; `error`, `cause` and `output` are complete when
    the status says that it ended.
    """

    def __init__(self, *args: Any, **details: Any) -> None:
        super().__init__(*args, **details)
        # moto publishes an execution before it starts it; callers must see it running.
        self.exec_status = ExecutionStatus.RUNNING
        self._ending = threading.Lock()
        self.checkpoint = Checkpoint()
        self.log = ExecutionLog(self.exec_arn, lambda: self.redrive_count)
        self.redrive_count = 0
        self.redrive_date: datetime.datetime | None = None
        self._redriving = threading.Lock()
        self._redrive_dates: dict[str, datetime.datetime] = {}

    @property
    def env(self) -> Environment:
        """The environment of the latest run: program state, event history, Map Runs."""
        return self.exec_worker.env  # type: ignore[union-attr,return-value]

    def prepare(self) -> None:
        """Make a run that can already be described and stopped; `exec_worker.start()` then evaluates it.

        After an earlier run it is a redrive.
        """
        if self.exec_worker:
            self.redrive_count += 1
            self.redrive_date = now()
            self.error = self.cause = self.stop_date = None
        self.log.destination = self._log_destination()
        self.exec_worker = self._get_start_execution_worker()
        self.exec_status = ExecutionStatus.RUNNING

    def start(self) -> None:
        """Run in a thread of its own; with a role that can't be used, only to fail."""
        self.prepare()
        if reason := self.refusal():
            # AWS doesn't document the error; this one means that the role lacks a permission.
            self.env.set_error({"error": "States.Permissions", "cause": reason})
        self.exec_worker.start()  # type: ignore[union-attr]

    @property
    def source_arn(self) -> str:
        """The ARN that Step Functions sends to the role's trust policy and to KMS."""
        arn: str = self.state_machine.arn
        return arn

    def refusal(self) -> str | None:
        """Why the execution may not run, None if it may (`local.aws.execution_roles`)."""
        machine: Any = self.state_machine
        return execution_roles.refusal(self.role_arn, machine, self.source_arn)

    def redrive(self, client_token: str | None = None) -> datetime.datetime:
        """Continue from the states that did not succeed, with the definition and input it started with.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
        Returns when it was redriven; `client_token` makes that happen once. Raises ExecutionNotRedrivable.
        """
        with self._redriving:
            if client_token in self._redrive_dates:
                return self._redrive_dates[client_token]
            status, reason = self.redrive_status()
            if status != "REDRIVABLE":
                raise ExecutionNotRedrivable(reason or "A child workflow execution is redriven with its parent")
            self.start()
            if client_token:
                self._redrive_dates[client_token] = self.redrive_date  # type: ignore[assignment]
            return self.redrive_date  # type: ignore[return-value]

    def redrive_status(self) -> tuple[str, str | None]:
        """DescribeExecution's redriveStatus and redriveStatusReason."""
        if self.exec_status in (ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED):
            return "NOT_REDRIVABLE", f"Execution is {self.status} and cannot be redriven"
        if self.stop_date and now() - self.stop_date > REDRIVABLE_FOR:
            return "NOT_REDRIVABLE", "Execution's redrivable period exceeded"
        return "REDRIVABLE", None

    def stop(self, stop_date: datetime.datetime, error: str | None, cause: str | None) -> None:
        """Abort if running. The status changes at once; a Task in flight ends when its call returns."""
        self.env.set_stop(stop_date=stop_date, cause=cause, error=error)
        self.finish()

    def finish(self) -> None:
        """Take the outcome from the environment's program state, once."""
        state = self.env.program_state()
        with self._ending:
            if self.exec_status != ExecutionStatus.RUNNING:
                return
            if isinstance(state, ProgramEnded):
                self.output, status = self.env.states.get_input(), ExecutionStatus.SUCCEEDED
            elif isinstance(state, ProgramStopped):
                self.error, self.cause, status = state.error, state.cause, ExecutionStatus.ABORTED
            elif isinstance(state, ProgramTimedOut):
                status = ExecutionStatus.TIMED_OUT
            elif isinstance(state, ProgramError):
                failure = state.error or {}
                self.error, self.cause = failure.get("error"), failure.get("cause")
                status = ExecutionStatus.FAILED
            else:
                return
            self.stop_date = now()
            begun: datetime.datetime = self.redrive_date or self.start_date
            trace_execution(self, begun, self.stop_date, failed=status != ExecutionStatus.SUCCEEDED)
            # Set last, because readers then expect the rest.
            self.exec_status = status
        self.count(status)

    def count(self, status: ExecutionStatus) -> None:
        """Count the ended execution in the state machine's metrics."""
        count_execution(self.source_arn, status.value)

    def children(self) -> Iterator["Execution"]:
        """The started child executions of its Distributed Maps."""
        runs: list[Any] = self.env.map_run_record_pool_manager.get_all()
        for run in runs:
            yield from (child for child in run.children if child.exec_status)

    def _log_destination(self) -> Destination | None:
        return destination_of(self.state_machine, self.role_arn)  # type: ignore[arg-type]

    def _get_start_execution_worker(self) -> Run:
        return Run(self)

    def _get_start_execution_worker_comm(self) -> "Finishing":
        return Finishing(self)


class Finishing(BaseExecutionWorkerCommunication):
    """Lets an execution take its outcome when its evaluation ends; moto would set the status before the output."""

    execution: Execution

    def _reflect_execution_status(self) -> None:
        self.execution.finish()


def set_error(self: Environment, error: Any) -> None:
    """Environment.set_error: an error after a stop or a timeout doesn't change the execution's outcome."""
    if not isinstance(self._program_state, ProgramStopped | ProgramTimedOut):
        _moto_set_error(self, error)


def install() -> None:
    """Make moto run state machines with these executions."""
    parser_models.Execution = Execution  # type: ignore[attr-defined]
    Environment.set_error = set_error  # type: ignore[method-assign]
