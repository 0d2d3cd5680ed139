"""The command `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from operations import output
from operations.asking import ask
from operations.deployed import connect, find
from operations.environments import environment_of
from operations.errors import OperationError
from operations.options import Endpoint, Env, Json
from operations.verify import report, verification
from operations.verify.account import Account

ALL_GOOD, REFUTED = 0, 1


def verify_command(
    env: Env,
    only_preflight: Annotated[
        bool,
        typer.Option("--preflight", help="Look at the account only, before deploying."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="POINT", help="Leave a point out; may be given again.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--report", metavar="PATH", help="Where the report goes; else out/verify-ENV.md.")
    ] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Leave account number, principal and buckets in the report.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", help="How long each execution may take.")
    ] = 3600,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Check an account, and the environment deployed in it, against all that docs/aws.md relies on.

    \b
    Example: python -m operations verify --preflight --env dev

    Without --preflight two sample recordings of a test patient go all the way, which costs a few cents; the patient is
    forgotten in the end. It says so before, and asks.

    Exit codes: 0 nothing is refuted, 1 something is, or it can't be done.
    """
    verification.check_points(without or ())
    subject = Account(connect(env, endpoint_url), environment_of(env))
    deployed = None
    if only_preflight:
        verified = verification.verify_account(subject, env, without or ())
    else:
        deployed = find(env, endpoint_url)
        if as_json and not yes:
            raise OperationError("With --json nothing can be asked; give --yes or --preflight.")
        if not yes:
            output.console().print(verification.announcement(deployed.prefix))
            ask("Go on?", "--yes or --preflight")
        progress = output.progress_console(as_json)
        verified = verification.verify(
            subject, deployed, env, without or (), patience, lambda step: progress.print(f"{step} …")
        )
    path = path or Path("out") / f"verify-{env}.md"
    try:
        report.write(verified, deployed, path, with_names=with_names)
    except OSError as error:
        raise OperationError(f"The report can't be written to {path} ({error.strerror}); give --report.") from None
    if as_json:
        output.print_json({**report.document(verified), "report": str(path)})
    else:
        report.print_table(verified, output.console())
        output.console().print(f"The report is {path}.")
    raise typer.Exit(REFUTED if verified.refuted else ALL_GOOD)
