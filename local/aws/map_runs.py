"""Map Runs of Distributed Maps, and their child executions."""

import collections
import copy
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.stepfunctions.parser.api import ExecutionStatus, MapRunStatus
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map import state_map
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (
    MapRunRecord,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from local.aws.execution_logs import Destination
from local.aws.execution_runs import Run
from local.aws.executions import Execution, now
from local.aws.iam import role_allows
from local.aws.open_points import played

UNSUCCESSFUL = (ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.ABORTED)


class ChildExecution(Execution):
    """The execution of one item, or of a batch of `item_count`. It runs on the thread that starts it."""

    def __init__(self, parent: Execution, map_run: "MapRun", program: Program, item: Any, item_count: int = 1) -> None:
        name = str(uuid.uuid4())
        machine = copy.copy(parent.state_machine)
        machine.arn = map_run.map_state_machine_arn
        machine.name = machine.arn.rsplit(":", 1)[1]
        super().__init__(
            name=name,
            sm_type=parent.sm_type,
            role_arn=parent.role_arn,
            exec_arn=machine.arn.replace(":stateMachine:", ":execution:") + f":{name}",
            account_id=parent.account_id,
            region_name=parent.region_name,
            state_machine=machine,
            start_date=now(),
            cloud_watch_logging_session=None,
            activity_store=parent._activity_store,
            input_data=to_json_str(item, separators=(",", ":")),
        )
        self.exec_status = None
        self._parent = parent
        self.map_run = map_run
        self.program = program
        self.item_count = item_count

    @property
    def source_arn(self) -> str:
        labelled: str = self.state_machine.arn
        return labelled if played().map_children == "labelled" else labelled.partition("/")[0]

    def refusal(self) -> str | None:
        """Why the child may not run; it is started and redriven with the state machine's role, which needs the right.

        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
        """
        action, resource = "states:StartExecution", self.state_machine.arn.partition("/")[0]
        if self.exec_worker:
            action, resource = "states:RedriveExecution", self.exec_arn
        if not role_allows(self.role_arn, action, resource):
            return f"{self.role_arn} must be allowed {action} on {resource}"
        return super().refusal()

    def redrive_status(self) -> tuple[str, str | None]:
        status, reason = super().redrive_status()
        return ("REDRIVABLE_BY_MAP_RUN" if status == "REDRIVABLE" else status), reason

    def prepare(self) -> None:
        if not self.exec_worker:
            self.start_date = now()
        super().prepare()

    def count(self, status: ExecutionStatus) -> None:
        """A child is no execution of the state machine."""

    def _log_destination(self) -> Destination | None:
        return self._parent.log.destination

    def _get_start_execution_worker(self) -> "ChildRun":
        return ChildRun(self)


class ChildRun(Run):
    """A run of a child execution, on the caller's thread."""

    execution: ChildExecution

    def _get_evaluation_entrypoint(self) -> Program:
        return self.execution.program

    def start(self) -> None:
        self._execution_logic()


class MapRun(MapRunRecord):
    """A run of a Distributed Map over `children`, in item order; a child that has not started has no status."""

    def __init__(self, *args: Any, **details: Any) -> None:
        super().__init__(*args, **details)
        self.children: list[ChildExecution] = []
        # The Map state's.
        self.state_name = ""
        self.redrive_count = 0
        self._redrive_date: Any = None
        # Called when MaxConcurrency was changed.
        self.resized: Callable[[], None] = lambda: None

    def update(self, *limits: Any, **named_limits: Any) -> None:
        """UpdateMapRun: children above a lowered MaxConcurrency go on."""
        super().update(*limits, **named_limits)
        self.resized()

    def redrive(self) -> None:
        """Go on with the children that did not succeed or have not started."""
        self.redrive_count += 1
        self._redrive_date = now()
        self.status, self.stop_date = MapRunStatus.RUNNING, None
        for child in self.children:
            if child.exec_status in UNSUCCESSFUL:
                child.exec_status = ExecutionStatus.PENDING_REDRIVE

    def exceeds_tolerated_failures(self) -> bool:
        """Whether more items failed than the Map tolerates; both limits are 0 by default."""
        failures = sum(child.item_count for child in self.children if child.exec_status in UNSUCCESSFUL)
        count, percentage = self.tolerated_failure_count, self.tolerated_failure_percentage
        if not count and not percentage:
            return failures > 0
        return bool((count and failures > count) or (percentage and failures * 100 > percentage * self._items()))

    def _items(self) -> int:
        return sum(child.item_count for child in self.children)

    def describe(self) -> dict[str, Any]:  # type: ignore[override]
        """The members of DescribeMapRun."""
        items: collections.Counter[Any] = collections.Counter()
        executions: collections.Counter[Any] = collections.Counter()
        for child in self.children:
            items[child.exec_status] += child.item_count
            executions[child.exec_status] += 1
        description = {
            **super().describe(),
            "itemCounts": _counts(items),
            "executionCounts": _counts(executions),
            "redriveCount": self.redrive_count,
        }
        if self._redrive_date:
            description["redriveDate"] = iso_8601_datetime_with_milliseconds(self._redrive_date)
        return description


def _counts(statuses: collections.Counter[Any]) -> dict[str, int]:
    return {
        "pending": statuses[None],
        "running": statuses[ExecutionStatus.RUNNING],
        "succeeded": statuses[ExecutionStatus.SUCCEEDED],
        "failed": statuses[ExecutionStatus.FAILED],
        "timedOut": statuses[ExecutionStatus.TIMED_OUT],
        "aborted": statuses[ExecutionStatus.ABORTED],
        "pendingRedrive": statuses[ExecutionStatus.PENDING_REDRIVE],
        "total": statuses.total(),
        "resultsWritten": 0,
        "failuresNotRedrivable": 0,
    }


def install() -> None:
    """Make moto's Map state create these Map Runs."""
    state_map.MapRunRecord = MapRun  # type: ignore[attr-defined]
