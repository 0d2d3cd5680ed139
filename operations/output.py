"""The commands' output: tables for people, or one JSON document for scripts."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.status import Status
from rich.table import Table

from operations.advice import advice
from operations.deployed import Deployed
from operations.executions import Execution
from operations.forgetting.found import Report
from operations.recordings import Refused
from operations.rejections import rejected_recordings


def console() -> Console:
    # Made for each use, because the standard output may have been replaced.
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def progress_console(as_json: bool) -> Console:
    """With --json progress isn't shown: the standard output has nothing but the document."""
    return Console(stderr=True, quiet=True) if as_json else console()


def print_json(document: Any) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=datetime.isoformat)
    sys.stdout.write("\n")


@contextmanager
def bar(what: str, total: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = progress_console(as_json)
    if not shown.is_terminal:
        yield lambda number: None
        return
    with Progress(*columns, console=shown) as progress:
        task = progress.add_task(what, total=total)
        yield lambda number: progress.advance(task, number)


@contextmanager
def spinner(as_json: bool) -> Iterator[tuple[Report, Callable[[str], None]]]:
    """Two callables: the first counts objects, on a terminal only; the second shows a sentence."""
    done: dict[str, int] = {}
    shown = progress_console(as_json)
    if not shown.is_terminal:
        yield lambda what, number: None, shown.print
        return
    with Status("…", console=shown) as status:

        def report(what: str, number: int) -> None:
            done[what] = done.get(what, 0) + number
            status.update(f"{what}: {done[what]:,}")

        yield report, status.update


def rejections(deployed: Deployed, executions: Sequence[Execution], uris: set[str] | None) -> list[dict[str, Any]]:
    """The recordings that these executions have rejected; with `uris`, only those among them."""
    rejected = (item for execution in executions for item in rejected_recordings(deployed, execution))
    return [item for item in rejected if uris is None or item["uri"] in uris]


def refused_as_json(found: Sequence[Refused]) -> list[dict[str, str]]:
    return [{"path": str(item.path), "reason": item.reason} for item in found]


def batch(
    executions_: Sequence[Execution],
    rejected: Sequence[Mapping[str, Any]],
    refused: Sequence[Refused],
    as_json: bool,
) -> None:
    """Show the results of executions that have ended."""
    if as_json:
        print_json(
            {
                "executions": [_as_json(item) for item in executions_],
                "rejected": list(rejected),
                "refused": refused_as_json(refused),
            }
        )
        return
    shown = console()
    for item in executions_:
        counted = ", ".join(f"{number} {name}" for name, number in item.counts.items())
        shown.print(f"{item.name}  {item.status}{': ' + counted if counted else ''}")
        if item.report_uri:
            shown.print(f"  {item.report_uri}")
        _print_failures(item)
    if rejected:
        table = table_of("Rejected", "Reason")
        for entry in rejected:
            table.add_row(entry["uri"], entry["reason"])
        shown.print(table)


def executions(found: Sequence[Execution], as_json: bool) -> None:
    if as_json:
        print_json([_as_json(item) for item in found])
        return
    shown = console()
    if not found:
        shown.print("There are no executions.")
        return
    table = table_of("Execution", "State", "Stage", "Started", "Recordings")
    for item in found:
        table.add_row(item.name, item.status, item.stage, moment(item.started_at), _counted(item))
    shown.print(table)


def execution(found: Execution, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(found))
        return
    shown = console()
    shown.print(f"{found.name}  {found.status}{f', redriven {found.redrives} times' if found.redrives else ''}")
    shown.print(f"  {found.arn}")
    table = table_of("Stage", "Began", "Took")
    for stage in found.stages:
        end = stage.ended_at or found.stopped_at
        took = f"{(end - stage.began_at).total_seconds():,.1f} s" if end else "…"
        table.add_row(stage.name, moment(stage.began_at), took)
    shown.print(table)
    if found.recordings:
        shown.print("Recordings: " + ", ".join(f"{number} {name}" for name, number in found.recordings.items()))
    if found.counts:
        shown.print("Outcome: " + ", ".join(f"{number} {name}" for name, number in found.counts.items()))
    for uri in (found.summary_uri, found.report_uri):
        if uri:
            shown.print(f"  {uri}")
    _print_failures(found)


def _print_failures(found: Execution) -> None:
    shown = console()
    for failure in found.failures:
        shown.print(f"  {failure}")
    if remedy := advice(found):
        shown.print(f"  What to press: {remedy}")


def _counted(found: Execution) -> str:
    if found.counts:
        return ", ".join(f"{number} {name}" for name, number in found.counts.items() if number)
    total = found.recordings.get("total")
    return f"{found.recordings.get('succeeded', 0)} of {total} transcribed" if total else ""


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for position, name in enumerate(columns):
        table.add_column(
            name.removeprefix("#"),
            justify="right" if name.startswith("#") else "left",
            overflow="fold",
            # People copy the first column into the next command.
            no_wrap=position == 0,
        )
    return table


def moment(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _as_json(found: Execution) -> dict[str, Any]:
    document = found._asdict()
    document["stage"] = found.stage
    document["stages"] = [stage._asdict() for stage in found.stages]
    document["failures"] = [failure._asdict() for failure in found.failures]
    document["advice"] = advice(found)
    return document
