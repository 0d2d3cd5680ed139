"""The commands `forget` and `audit`."""

from typing import Annotated

import typer

from operations import output
from operations.asking import ask
from operations.commands import ALL_GOOD, FAILED
from operations.deployed import find
from operations.errors import OperationError
from operations.forgetting import forget as forgetting
from operations.forgetting import output as forgetting_output
from operations.forgetting.audit import audit
from operations.forgetting.unknown import refuse_unknown
from operations.options import Endpoint, Env, Json

UserIds = Annotated[
    list[str], typer.Argument(metavar="USER_ID...", help="The patients' user ids, as in media/<user_id>/.")
]


def forget_command(
    user_ids: UserIds,
    env: Env,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    audiences: Annotated[
        bool, typer.Option("--audiences", help="Also delete audiences generated from a seed that held the patient.")
    ] = False,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Remove patients' data from all buckets, keep them out of later seeds, and prove that nothing is left.

    The command refuses while an execution holds one of their recordings, and if nothing names a user id. After a
    stopped execution it waits until the functions have ended, at most 20 minutes. It may be interrupted and repeated.
    Several patients cost hardly more than one: the proof searches everything once.

    \b
    Example: python -m operations forget p-001 --dry-run --env local

    Exit codes: 0 nothing is left, 1 something is left, or it was refused.
    """
    if as_json and not (yes or dry_run):
        raise OperationError("With --json the command can't ask for confirmation; give --yes or --dry-run.")
    deployed = find(env, endpoint_url)
    with output.spinner(as_json) as (report, say):
        plan = forgetting.plan_removal(deployed, user_ids, report, say, dry_run=dry_run)
        refuse_unknown(deployed, plan, report)
    if dry_run:
        forgetting_output.print_dry_run(deployed, plan, as_json, delete_audiences=audiences)
        return
    if not yes:
        forgetting_output.print_plan(plan)
        ask(f"Forget {', '.join(user_ids)} in {deployed.prefix}? This can't be undone.", "--yes or --dry-run")
    with output.spinner(as_json) as (report, _):
        outcome = forgetting.forget(deployed, plan, report, delete_audiences=audiences)
    forgetting_output.print_outcome(deployed, plan, outcome, as_json, delete_audiences=audiences)
    raise typer.Exit(FAILED if outcome.left else ALL_GOOD)


def audit_command(user_ids: UserIds, env: Env, endpoint_url: Endpoint = None, as_json: Json = False) -> None:
    """Look for patients in every byte that is stored, except in the sound of recordings; nothing is changed.

    The proof of forget reads all keys, and all files that may name several patients. An audit also reads the files
    about other patients' recordings, which takes longer: at a million recordings an hour or two (docs/commands.md).

    \b
    Example: python -m operations audit p-001 --env prod

    Exit codes: 0 nothing names them, 1 something does, or AWS refused.
    """
    deployed = find(env, endpoint_url)
    with output.spinner(as_json) as (report, _):
        found = audit(deployed, user_ids, report)
    forgetting_output.print_audit(found, as_json)
    raise typer.Exit(FAILED if found.described else ALL_GOOD)
