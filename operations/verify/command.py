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
        typer.Option("--preflight", help="Check the account only, before deploying."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="POINT", help="Leave out a point; may be repeated.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--report", metavar="PATH", help="File of the report; default: out/verify-ENV.md.")
    ] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Include account number, principal and buckets in the report.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", help="How long each execution may take.")
    ] = 3600,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Check an account, and the environment deployed in it, against the points of docs/aws.md.

    \b
    Example: python -m operations verify --preflight --env dev

    Without --preflight two sample recordings of a test patient go through the pipeline, which costs a few cents; then
    the patient is forgotten. The command asks for confirmation first.

    Exit codes: 0 nothing is refuted, 1 a point is refuted, or the verification failed.
    """
    verification.check_points(without or ())
    subject = Account(connect(env, endpoint_url), environment_of(env))
    deployed = None
    if only_preflight:
        verified = verification.verify_account(subject, env, without or ())
    else:
        deployed = find(env, endpoint_url)
        if as_json and not yes:
            raise OperationError("With --json the command can't ask for confirmation; give --yes or --preflight.")
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
        raise OperationError(f"The report can't be written to {path} ({error.strerror}); correct --report.") from None
    if as_json:
        output.print_json({**report.document(verified), "report": str(path)})
    else:
        report.print_table(verified, output.console())
        output.console().print(f"The report is {path}.")
    raise typer.Exit(REFUTED if verified.refuted else ALL_GOOD)
