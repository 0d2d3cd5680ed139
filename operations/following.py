"""Follows executions to their end: a progress bar per stage on a terminal, a line per change elsewhere."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from lambdas.shared.stages import TRANSCRIPTION
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import STAGE_LABELS, Execution, read_execution, started_since
from operations.refusals import AWS_ERRORS

# This machine's clock may differ from AWS's.
_CLOCKS_DIFFER = timedelta(minutes=10)


class Screen:
    """Shows the stages of some executions, within the context of `shown`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: dict[str, tuple[Progress, dict[str, TaskID]]] = {}
        self._last_lines: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=4)

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with self._live:
            yield

    def show(self, executions: Sequence[Execution]) -> None:
        for execution in executions:
            if self._console.is_terminal:
                self._bar(execution)
            else:
                self._line(execution)
        if self._console.is_terminal:
            parts = [part for name, (bar, _) in self._bars.items() for part in (Text(name, style="bold"), bar)]
            self._live.update(Group(*parts))

    def _bar(self, execution: Execution) -> None:
        if execution.name not in self._bars:
            bar = Progress(
                TextColumn("  {task.description:20}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._bars[execution.name] = (
                bar,
                {name: bar.add_task(name, start=False, total=1) for name in STAGE_LABELS},
            )
        bar, tasks = self._bars[execution.name]
        for stage in execution.stages:
            done, total = _done(execution, stage.name)
            bar.start_task(tasks[stage.name])
            bar.update(tasks[stage.name], completed=done, total=total)
            if stage.ended_at or not execution.is_running:
                bar.stop_task(tasks[stage.name])
        if not execution.is_running:
            entered = {stage.name for stage in execution.stages}
            for name in set(STAGE_LABELS) - entered:
                bar.update(tasks[name], visible=False)

    def _line(self, execution: Execution) -> None:
        done, total = _done(execution, execution.stage)
        count = f" {done}/{total}" if execution.stage == TRANSCRIPTION.label else ""
        line = f"{execution.name}  {execution.stage}{count}  {execution.status}"
        if self._last_lines.get(execution.name) != line:
            self._last_lines[execution.name] = line
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _done(execution: Execution, stage: str) -> tuple[int, int]:
    """How much of a stage is done, and the total: recordings for the Map, else 1."""
    if stage == TRANSCRIPTION.label and execution.recordings:
        return execution.recordings.get("succeeded", 0), execution.recordings["total"]
    is_over = stage in [item.name for item in execution.stages if item.ended_at]
    return int(is_over), 1


class Uptake:
    """Finds the executions that have some uploaded recordings in their input.

    `arns` are the executions found so far; `waiting` are the URIs that are in none of them.
    """

    def __init__(self, deployed: Deployed, uris: Iterable[str], before: frozenset[str]) -> None:
        """`before` are the ARNs of the executions that existed before the upload."""
        self.arns: list[str] = []
        self.waiting = set(uris)
        self._deployed = deployed
        self._seen = set(before)
        self._since = datetime.now(UTC) - _CLOCKS_DIFFER

    def update(self) -> None:
        """Read the inputs of the executions that have started since the last call."""
        for item in started_since(self._deployed, self._since):
            if item["executionArn"] in self._seen:
                continue
            self._seen.add(item["executionArn"])
            taken = self.waiting & media_of(self._deployed, item["executionArn"])
            if taken:
                self.waiting -= taken
                self.arns.append(item["executionArn"])


class Interrupted(Exception):
    """The command stops following, because of `reason`: Ctrl-C or an AWS error.

    The executions `arns` go on, and uploads that are in none of them still start one.
    """

    def __init__(self, arns: Sequence[str], reason: BaseException) -> None:
        super().__init__()
        self.arns, self.reason = arns, reason


@contextmanager
def _following(arns: Sequence[str], screen: Screen) -> Iterator[None]:
    try:
        with screen.shown():
            yield
    except (KeyboardInterrupt, *AWS_ERRORS) as reason:
        raise Interrupted(arns, reason) from None


def follow(deployed: Deployed, arns: Sequence[str], screen: Screen) -> list[Execution]:
    """Show the executions until all have ended.

    Raises:
        Interrupted: Ctrl-C, or AWS refused a call.
    """
    with _following(arns, screen):
        while True:
            executions = [read_execution(deployed, arn) for arn in arns]
            screen.show(executions)
            if not any(execution.is_running for execution in executions):
                return executions
            time.sleep(pause(deployed))


def follow_uploads(
    deployed: Deployed, uris: Sequence[str], before: frozenset[str], screen: Screen, patience_seconds: float
) -> list[Execution]:
    """Show the executions that these uploads start, until every upload is in one and all have ended.

    `before` are the ARNs of the executions that existed before the upload: one may hold an earlier version of a
    recording.

    Raises:
        Interrupted: Ctrl-C, or AWS refused a call.
        OperationError: some uploads are in no execution after `patience_seconds`.
    """
    uptake = Uptake(deployed, uris, before)
    arns, waiting = uptake.arns, uptake.waiting
    deadline = time.monotonic() + patience_seconds
    executions: list[Execution] = []
    with _following(arns, screen):
        while True:
            uptake.update()
            executions = [
                read_execution(deployed, execution.arn) if execution.is_running else execution
                for execution in executions
            ]
            known = {execution.arn for execution in executions}
            executions += [read_execution(deployed, arn) for arn in arns if arn not in known]
            screen.show(executions)
            if not waiting and not any(execution.is_running for execution in executions):
                return executions
            if waiting and time.monotonic() > deadline:
                raise OperationError(
                    f"No execution has taken up {len(waiting)} of {len(uris)} recordings within {patience_seconds:.0f} "
                    "s. The recordings are uploaded. Look at the alarms and docs/runbook.md, or start an execution for "
                    "their prefix."
                )
            time.sleep(pause(deployed))


def recent(deployed: Deployed) -> frozenset[str]:
    """ARNs of the executions that could be mistaken for ones that start now."""
    since = datetime.now(UTC) - _CLOCKS_DIFFER
    return frozenset(item["executionArn"] for item in started_since(deployed, since))


def media_of(deployed: Deployed, arn: str) -> set[str]:
    """The URIs that the input of the execution lists."""
    described: dict[str, Any] = deployed.client("stepfunctions").describe_execution(executionArn=arn)
    try:
        media = json.loads(described.get("input", "{}")).get("media", ())
    except (ValueError, AttributeError):
        return set()
    return {uri for uri in media if isinstance(uri, str)} if isinstance(media, list) else set()


def pause(deployed: Deployed) -> float:
    """Seconds between two polls; Step Functions allows an account a few dozen calls a second."""
    return 0.25 if deployed.is_local else 5
