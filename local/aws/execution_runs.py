"""Evaluations of an execution's definition: the first one, and one for each redrive."""

import threading
from typing import TYPE_CHECKING, Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS

if TYPE_CHECKING:
    from local.aws.executions import Execution


class Run(ExecutionWorker):
    """One evaluation of an execution's definition; its environment exists, and counts as running, from the start."""

    def __init__(self, execution: "Execution") -> None:
        super().__init__(
            evaluation_details=EvaluationDetails(
                aws_execution_details=execution._get_start_aws_execution_details(),
                execution_details=execution.get_start_execution_details(),
                state_machine_details=execution.get_start_state_machine_details(),
            ),
            exec_comm=execution._get_start_execution_worker_comm(),
            cloud_watch_logging_session=execution.log,  # type: ignore[arg-type]
            activity_store=execution._activity_store,
        )
        self.execution = execution
        self._previous: Run | None = execution.exec_worker  # type: ignore[assignment]
        self.over = threading.Event()
        env = super()._get_evaluation_environment()
        env.checkpoint = execution.checkpoint  # type: ignore[attr-defined]
        env.execution = execution  # type: ignore[attr-defined]
        execution_context: dict[str, Any] = env.states.context_object.context_object_data["Execution"]  # type: ignore[assignment]
        execution_context["StartTime"] = iso_8601_datetime_with_milliseconds(execution.start_date)
        execution_context["RedriveCount"] = execution.redrive_count
        if self._previous:
            execution_context["RedriveTime"] = iso_8601_datetime_with_milliseconds(execution.redrive_date)
            before: Environment = self._previous.env  # type: ignore[assignment]
            env.event_manager = before.event_manager
            env.map_run_record_pool_manager = before.map_run_record_pool_manager
            # An answer to a token of an earlier run must be refused as one that has expired.
            env.callback_pool_manager = before.callback_pool_manager
            env.event_history_context = EventHistoryContext(before.event_history_context.last_published_event_id)  # type: ignore[misc]
        # moto counts an environment without a next state as not running, and can't stop it.
        program: Any = self._get_evaluation_entrypoint()
        env.next_state_name = program.start_at.start_at_name
        self.env = env

    def _get_evaluation_environment(self) -> Environment:
        return self.env  # type: ignore[return-value]

    def _execution_logic(self) -> None:
        try:
            if self._previous:
                self._continue(self._previous)
            else:
                super()._execution_logic()  # type: ignore[no-untyped-call]
        except Exception as error:
            # After a defect of the interpreter the execution must end, too.
            self.env.set_error({"error": "States.Runtime", "cause": f"The interpreter failed: {type(error).__name__}"})  # type: ignore[union-attr]
        finally:
            self.execution.finish()
            # moto stores every thread that it has started.
            TMP_THREADS.clear()
            self.over.set()

    def _continue(self, previous: "Run") -> None:
        # An attempt that was stopped or timed out may still be inside its last Task.
        previous.over.wait()
        self._previous = None
        self.execution.checkpoint.resume()
        details: Any = {"executionRedrivenEventDetails": {"redriveCount": self.execution.redrive_count}}
        env: Environment = self.env  # type: ignore[assignment]
        env.event_manager.add_event(env.event_history_context, HistoryEventType.ExecutionRedriven, details)
        self._get_evaluation_entrypoint().eval(env)
