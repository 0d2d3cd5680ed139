"""The command `backfill`."""

from typing import Annotated

import typer

from operations import options, output
from operations.asking import ask
from operations.backfilling import output as shown
from operations.backfilling import progress, survey
from operations.deployed import find
from operations.environments import environment_of
from operations.errors import OperationError
from operations.options import Endpoint, Env, Json


def backfill_command(
    env: Env,
    prefix: Annotated[str, typer.Option("--prefix", metavar="URI", help="s3://BUCKET/media/ or a prefix below it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be processed; start nothing.")] = False,
    ceiling_usd: Annotated[
        float | None,
        typer.Option("--ceiling-usd", metavar="USD", min=0, help="Start only if the estimate isn't higher; don't ask."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Process the recordings that are already in the media bucket, batch by batch; any number of them.

    Finished recordings are reused, so the same backfill may be started again at any time. `status` shows how far it is,
    and `redrive` repeats the batches that failed.

    \b
    Example: python -m operations backfill --prefix s3://BUCKET/media/ --dry-run --env prod

    Exit codes: 0 started, or shown by --dry-run; 1 there is nothing to process, it costs too much, or it was refused.
    """
    if as_json and not (yes or dry_run or ceiling_usd is not None):
        raise OperationError(
            "With --json the command can't ask for confirmation; give --yes, --ceiling-usd or --dry-run."
        )
    jobs = environment_of(env).transcription.concurrent_jobs
    deployed = find(env, endpoint_url)
    key = survey.key_prefix(deployed, prefix)
    with output.spinner(as_json) as (report, _):
        found = survey.survey(deployed, key, report)
    document = survey.as_json(found, jobs)
    if dry_run and as_json:
        output.print_json({"dry_run": True, **document})
    elif not as_json:
        shown.survey(found, jobs)
    if dry_run:
        return
    if not found.recordings:
        raise OperationError(f"There is no recording below {prefix}; look with: aws s3 ls {prefix}")
    if ceiling_usd is not None and found.usd > ceiling_usd:
        raise OperationError(
            f"The backfill was not started: it costs some {found.usd:,.2f} USD, more than --ceiling-usd "
            f"{ceiling_usd:,.2f}. Give a narrower prefix or a higher ceiling."
        )
    if not yes and ceiling_usd is None:
        ask(f"Start it in {deployed.prefix}?", "--yes, --ceiling-usd or --dry-run")
    arn = progress.start(deployed, key)
    shown.started(arn, options.where(env, endpoint_url), document if as_json else None)
