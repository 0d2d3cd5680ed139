"""The output of `forget`: the plan, the dry run and the outcome."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.table import Table

from operations.deployed import Deployed
from operations.forgetting.forget import NO_OBJECTS, Outcome, Plan, counts
from operations.forgetting.remarks import remarks
from operations.forgetting.searching import Found
from operations.forgetting.survey import Object
from operations.output import console, print_json, table_of

_MOST_SHOWN = 20
_UNCOUNTED = "Access logs, and what no id of theirs leads to, aren't counted: the search after the removal finds them."


def print_plan(found: Plan) -> None:
    """Show what will be removed, before the question whether to remove it."""
    shown = console()
    shown.print(_kinds("To be removed", counts(found, found.whole)))
    shown.print(_kinds("To be taken out of", _number(found.parts)))


def print_dry_run(deployed: Deployed, found: Plan, as_json: bool, *, delete_audiences: bool) -> None:
    notes = [_UNCOUNTED, *remarks(deployed, found, (), delete_audiences=delete_audiences)]
    removed, parts = counts(found, found.whole), _number(found.parts)
    if as_json:
        document = {"dry_run": True, "removed": removed, "rewritten": parts, "notes": notes}
        document["audiences"] = [audience.arn for audience in found.audiences if audience.held_them]
        print_json(document)
        return
    print_plan(found)
    _print_notes(notes)
    console().print("forget: nothing was changed (--dry-run)")


def print_outcome(deployed: Deployed, plan: Plan, outcome: Outcome, as_json: bool, *, delete_audiences: bool) -> None:
    notes = remarks(deployed, plan, outcome.before, delete_audiences=delete_audiences)
    removed = sum(number for kind, number in outcome.removed.items() if kind not in NO_OBJECTS)
    rewritten = sum(outcome.rewritten.values())
    if as_json:
        print_json(
            {
                "removed": outcome.removed,
                "rewritten": outcome.rewritten,
                "looked_at": outcome.looked_at,
                "left": outcome.left,
                "notes": notes,
            }
        )
        return
    shown = console()
    table = table_of("Kind", "#Removed", "#Rewritten")
    for kind in sorted({*outcome.removed, *outcome.rewritten}):
        table.add_row(kind, str(outcome.removed.get(kind, 0)), str(outcome.rewritten.get(kind, 0)))
    shown.print(table)
    _print_notes(notes)
    for where in outcome.left[:_MOST_SHOWN]:
        shown.print(f"Left: {where}. This application doesn't write such an object: look at it and remove it.")
    shown.print(
        f"forget: {removed} objects removed, {rewritten} rewritten, {outcome.looked_at} looked at, "
        f"{len(outcome.left)} left"
    )


def print_audit(found: Found, as_json: bool) -> None:
    if as_json:
        print_json({"looked_at": found.looked_at, "found": found.described})
        return
    shown = console()
    for where in found.described[:_MOST_SHOWN]:
        shown.print(f"Found: {where}")
    shown.print(f"audit: {found.looked_at} looked at, {len(found.described)} name them")


def _number(objects: Sequence[Object]) -> dict[str, int]:
    return dict(Counter(found.category.kind for found in objects))


def _kinds(what: str, number: Mapping[str, int]) -> Table:
    table = table_of(what, "#Objects")
    for kind, count in sorted(number.items()):
        table.add_row(kind, str(count))
    return table


def _print_notes(notes: Sequence[str]) -> None:
    shown = console()
    for note in notes:
        shown.print(f"- {note}")
