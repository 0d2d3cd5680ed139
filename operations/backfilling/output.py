"""Prints surveys of backfills, and how far they are."""

from collections.abc import Sequence
from typing import Any

from operations.backfilling.progress import Backfill
from operations.backfilling.survey import Survey
from operations.output import console, moment, print_json, table_of


def survey(found: Survey, concurrent_jobs: int) -> None:
    shown = console()
    formats = ", ".join(f"{number:,} {name}" for name, number in found.formats.items())
    shown.print(f"{found.prefix}: {found.recordings:,} recordings{f' ({formats})' if formats else ''}")
    if found.unusable:
        shown.print(f"  {found.unusable:,} other files, empty or of another format, will be rejected")
    time = _duration(found.hours(concurrent_jobs))
    shown.print(
        f"  by their sizes {found.audio_hours:,.1f} hours of audio and {found.usd:,.2f} USD; finished ones cost 0"
    )
    shown.print(f"  with {concurrent_jobs} transcription jobs at a time, their transcription takes {time}")


def running(found: Sequence[Backfill]) -> None:
    """A line for each running backfill, under the table of executions."""
    shown = console()
    for backfill in found:
        shown.print(f"Backfill {backfill.name} of {backfill.prefix}: {_counts(backfill)}")


def backfill(found: Backfill, as_json: bool) -> None:
    if as_json:
        print_json(found._asdict() | {"advice": _advice(found)})
        return
    shown = console()
    shown.print(f"{found.name}  {found.status}{f', redriven {found.redrives} times' if found.redrives else ''}")
    shown.print(f"  {found.arn}")
    shown.print(f"  {found.prefix}, {found.recordings:,} objects, since {moment(found.started_at)}")
    table = table_of("Batches", "#Number")
    for name in ("done", "running", "waiting", "failed"):
        table.add_row(name, f"{getattr(found, name):,}")
    shown.print(table)
    if found.cause:
        shown.print(f"  {found.cause}")
    if remedy := _advice(found):
        shown.print(f"  What to press: {remedy}")


def _counts(found: Backfill) -> str:
    parts = {"done": found.done, "running": found.running, "waiting": found.waiting, "failed": found.failed}
    return f"{found.batches:,} batches, " + ", ".join(f"{number:,} {name}" for name, number in parts.items())


def _advice(found: Backfill) -> str | None:
    if found.cause is None:
        return None
    if not found.redrivable:
        return f"again {found.name}: it reuses what is finished. A redrive is no longer possible."
    return (
        f"Repair what the failed executions named {found.name}-… say (`status` of one shows it), then: redrive "
        f"{found.name}. It repeats the failed batches only."
    )


def _duration(hours: float) -> str:
    return (
        f"{hours * 60:,.0f} minutes"
        if hours < 2
        else f"{hours:,.0f} hours"
        if hours < 72
        else f"{hours / 24:,.0f} days"
    )


def started(arn: str, where: str, document: dict[str, Any] | None) -> None:
    """With --json, the survey's `document` with the ARN."""
    if document is not None:
        print_json({"execution_arn": arn, **document})
        return
    name = arn.rpartition(":")[2]
    console().print(f"Started: {arn}\nLook at it: python -m operations status {name} {where}")
