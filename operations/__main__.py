"""`python -m operations COMMAND --env ENV`: runs the pipeline from the command line, on AWS or the local AWS."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lambdas.shared.uris import uri_of
from operations import next_steps, options, output
from operations.audience_model.command import audience_model_command
from operations.backfilling import output as backfilling_output
from operations.backfilling import progress as backfills
from operations.backfilling.command import backfill_command
from operations.cohorts import forget_indexes
from operations.commands import ALL_GOOD, FAILED, INTERRUPTED, Commands
from operations.compaction import start_compaction
from operations.deployed import Deployed, find
from operations.executions import ENDED_BADLY, Execution, again, arn_of, newest, read_execution, redrive
from operations.failed_creation import unblock
from operations.following import Interrupted, Screen, follow, follow_uploads, recent
from operations.forgetting.commands import audit_command, forget_command
from operations.options import Endpoint, Env, Json
from operations.recordings import recordings, suitable, upload
from operations.verify.command import verify_command

# The parser itself exits with 2 if the arguments are wrong.
REJECTED = 3

Wait = Annotated[bool, typer.Option("--wait", help="Follow the execution until it has ended.")]
ExecutionName = Annotated[str, typer.Argument(metavar="EXECUTION", help="Name or ARN, as `status` lists them.")]

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Run recordings through a deployed environment, manage its executions, forget a patient.\n\n"
    "\b\nExample: python -m operations run visit.wav --user-id p-001 --wait --env local\n\n"
    "Exit codes: 0 done, 1 failed or refused, 2 wrong arguments, 3 a recording was rejected, 130 Ctrl-C.\n\n"
    "Each command's exit codes, the documents of --json, and how to forget a patient: docs/commands.md",
)


@app.command("run", short_help="Upload recordings and follow the executions they start.")
def run_command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Recordings, or folders of recordings.")],
    env: Env,
    user_id: Annotated[
        str | None,
        typer.Option("--user-id", help="The patient's pseudonym; without it, PATH holds one folder per user id."),
    ] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The patients consent to audiences.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the executions until they have ended.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", help="How long to wait for executions to start.")
    ] = 1800,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Upload recordings, which starts executions, and follow them with --wait.

    \b
    Example: python -m operations run visit.wav --user-id p-001 --consent --wait --env local

    Exit codes: 0 all good, 1 failed, 3 a recording was refused or rejected, 130 Ctrl-C: the executions go on.
    """
    found, refused = suitable(recordings(paths, user_id))
    where = options.where(env, endpoint_url)
    deployed = find(env, endpoint_url)
    before = recent(deployed) if wait else frozenset()
    next_steps.refused(refused)
    uris: list[str] = []
    try:
        with output.bar("Uploading", len(found), as_json) as advance:
            for recording in upload(deployed, found, consent=consent):
                uris.append(uri_of(deployed.media, recording.key))
                advance(1)
    except KeyboardInterrupt:
        next_steps.stopped_uploading(len(uris), len(found), where)
        raise typer.Exit(INTERRUPTED) from None
    if not wait:
        next_steps.uploaded(uris, refused, where, as_json)
        raise typer.Exit(REJECTED if refused else ALL_GOOD)
    with _interruptible(where):
        executions = follow_uploads(deployed, uris, before, Screen(output.progress_console(as_json)), patience)
    rejected = output.rejections(deployed, executions, set(uris))
    output.batch(executions, rejected, refused, as_json)
    raise typer.Exit(_code(executions, rejected=bool(rejected or refused)))


@app.command("status", short_help="List executions, or show one.")
def status_command(
    env: Env,
    execution: Annotated[
        str | None, typer.Argument(metavar="[EXECUTION]", help="Name or ARN; without it, the newest are listed.")
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=1000, help="How many executions to list.")] = 10,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """List the newest executions and the running backfills, or show one: its stages, what failed, how to repair it.

    \b
    Example: python -m operations status drop-0a1b2c --env prod

    Exit codes: 0 shown, 1 there is no such execution.
    """
    deployed = find(env, endpoint_url)
    if execution is None:
        output.executions(newest(deployed, number), as_json)
        if not as_json:
            backfilling_output.running(backfills.running(deployed))
    elif backfill := backfills.find(deployed, execution):
        backfilling_output.backfill(backfills.read(deployed, backfill), as_json)
    else:
        output.execution(read_execution(deployed, arn_of(deployed, execution)), as_json)


@app.command("redrive", short_help="Resume a failed execution where it failed.")
def redrive_command(
    execution: ExecutionName,
    env: Env,
    wait: Wait = False,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Resume a failed execution where it failed, once its cause is repaired. Nothing is paid twice.

    \b
    Example: python -m operations redrive drop-0a1b2c --wait --env prod

    Exit codes: 0 all good, 1 failed or can't be redriven, 3 a recording was rejected, 130 Ctrl-C: it goes on.
    """
    deployed = find(env, endpoint_url)
    arn = backfills.find(deployed, execution) or arn_of(deployed, execution)
    redrive(deployed, arn)
    _started(deployed, options.where(env, endpoint_url), arn, "Redriven", wait=wait, as_json=as_json)


@app.command("again", short_help="Start a new execution with the same input.")
def again_command(
    execution: ExecutionName,
    env: Env,
    wait: Wait = False,
    endpoint_url: Endpoint = None,
    as_json: Json = False,
) -> None:
    """Start a new execution with the same input. Finished work is reused, unless the input has "reprocess": true.

    After a failure, prefer redrive: a new execution doesn't wait for recordings that others have (docs/reruns.md).

    \b
    Example: python -m operations again drop-0a1b2c --wait --env prod

    Exit codes: 0 all good, 1 failed, 3 a recording was rejected, 130 Ctrl-C: it goes on.
    """
    deployed = find(env, endpoint_url)
    arn = again(deployed, backfills.find(deployed, execution) or arn_of(deployed, execution))
    _started(deployed, options.where(env, endpoint_url), arn, "Started", wait=wait, as_json=as_json)


@app.command("rebuild-cohorts", short_help="Have all records read again for the cohorts.")
def rebuild_cohorts_command(env: Env, endpoint_url: Endpoint = None) -> None:
    """Let the next batch read all records again, and make the cohorts' indexes from them.

    Do this after records were changed by hand, restored or deleted. Changed rules need no command.

    \b
    Example: python -m operations rebuild-cohorts --env prod

    Exit codes: 0 the next batch reads all records, 1 AWS refused.
    """
    deployed = find(env, endpoint_url)
    forget_indexes(deployed)
    output.console().print(f"The next batch of {deployed.prefix} reads all records again, in its state RebuildCohorts.")


@app.command("compact", short_help="Bring the analysis tables up to date.")
def compact_command(
    env: Env,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Read all records, not only those that changed.")] = False,
    endpoint_url: Endpoint = None,
) -> None:
    """Start a compaction, as the schedule does: it puts new records into the analysis tables.

    With --rebuild it reads all records. Do this after records were changed by hand, restored or deleted, and once in an
    environment that has records from before it had these tables.

    
    Example: python -m operations compact --rebuild --env prod

    Exit codes: 0 started, 1 AWS refused.
    """
    arn = start_compaction(find(env, endpoint_url), rebuild=rebuild)
    output.console().print(
        f"Started: {arn}\nLook at it: aws stepfunctions describe-execution --execution-arn {arn}", soft_wrap=True
    )


@app.command("unblock", short_help="Allow a new deployment after the first one failed.")
def unblock_command(env: Env, endpoint_url: Endpoint = None) -> None:
    """Lift the termination protection of a stack whose creation failed; leave any other stack. make deploy calls it.

    \b
    Example: python -m operations unblock --env prod

    Exit codes: 0 nothing protects a failed creation, 1 AWS refused.
    """
    if done := unblock(env, endpoint_url):
        output.console().print(done)


app.command("forget", short_help="Remove patients' data, and prove that nothing is left.")(forget_command)
app.command("audit", short_help="Read every byte that is stored, for traces of patients.")(audit_command)
app.command("backfill", short_help="Process what is already in the media bucket.")(backfill_command)
app.command("audience-model", short_help="Make the configured audience model from a Glue table.")(
    audience_model_command
)
app.command("verify", short_help="Check an account and an environment against docs/aws.md.")(verify_command)


def _started(deployed: Deployed, where: str, arn: str, done: str, *, wait: bool, as_json: bool) -> None:
    if not wait:
        next_steps.started(arn, done, where, as_json)
        return
    with _interruptible(where):
        executions = follow(deployed, [arn], Screen(output.progress_console(as_json)))
    rejected = output.rejections(deployed, executions, None)
    output.batch(executions, rejected, (), as_json)
    raise typer.Exit(_code(executions, rejected=bool(rejected)))


@contextmanager
def _interruptible(where: str) -> Iterator[None]:
    try:
        yield
    except Interrupted as interrupted:
        code = next_steps.interrupted(interrupted, where)
        raise typer.Exit(code) from None


def _code(executions: list[Execution], *, rejected: bool) -> int:
    if any(execution.status in ENDED_BADLY for execution in executions):
        return FAILED
    return REJECTED if rejected else ALL_GOOD


if __name__ == "__main__":
    # A shell starts background commands with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name="python -m operations")
