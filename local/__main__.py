"""`python -m local COMMAND`: runs the demonstration, opens its report, or leaves the local AWS running."""

import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Annotated
from urllib.request import getproxies_environment

import typer
from rich.console import Console

from local import demo
from local.console.serving import serving
from local.newest_report import open_newest
from local.pipeline import ENVIRONMENT, Pipeline, start_pipeline
from local.ports import listen
from operations.commands import Commands
from operations.deployed import find

INSTRUCTIONS = """\
The local AWS is up. In another terminal:

  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  export AWS_ENDPOINT_URL={endpoint}{proxy}
  aws s3 cp visit.wav s3://{bucket}/media/p-001/visit.wav --metadata audience-consent=true
  aws stepfunctions list-executions --state-machine-arn {machine}
  aws s3 ls s3://{clinical}/ --recursive

console         {console}
endpoint        {endpoint}
media bucket    {bucket}
state machine   {machine}

Ctrl-C stops it; nothing is stored."""


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The pipeline on an AWS on this machine: no account, no network, nothing stored.\n\n"
    "Commands to run recordings, follow, redrive and forget: python -m operations --help\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 stopped by Ctrl-C.",
)


@app.command("demo", short_help="Run recordings through the pipeline and show the results.")
def demo_command(
    media: Annotated[
        Path | None,
        typer.Option("--media", metavar="PATH", help="A recording, or a folder of <user_id>/<file>; else the samples."),
    ] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The patients of --media consent to audiences.")] = False,
) -> None:
    """Run recordings through the pipeline and show the results, which stay in out/.

    \b
    Example: python -m local demo --media visit.wav --consent

    Exit codes: 0 every recording has its outcome, 1 a result is missing or a step failed.
    """
    demo.run(media, consent, Console(soft_wrap=True))


@app.command("open", short_help="Open the demonstration's report.")
def open_command() -> None:
    """Open the demonstration's newest report in a browser.

    \b
    Example: python -m local open

    Exit codes: 0 opened, 1 there is no report.
    """
    Console(soft_wrap=True).print(open_newest(demo.OUT), highlight=False, markup=False)


@app.command("up", short_help="Leave the local AWS running, with a page to drop recordings on.")
def up_command(
    port: Annotated[int, typer.Option("--port", help="Port of the endpoint; 0: any free one.")] = 4566,
    console_port: Annotated[int, typer.Option("--console-port", help="Port of the page; 0: any free one.")] = 4567,
) -> None:
    """Leave the local AWS running until Ctrl-C, with a page to drop recordings on; nothing is stored.

    \b
    Example: python -m local up --port 0

    Exit codes: 0 stopped by Ctrl-C, 1 a port is taken or the stack can't be deployed.
    """
    # First, so that a port that is taken is reported at once.
    with listen(console_port, "the console") as listener:
        serve(start_pipeline(port=port), listener, Console(soft_wrap=True))


def serve(pipeline: Pipeline, listener: socket.socket, console: Console) -> None:
    try:
        with serving(find(ENVIRONMENT, pipeline.aws.endpoint), listener) as url:
            text = INSTRUCTIONS.format(
                console=url,
                proxy="\n  export no_proxy=127.0.0.1,$NO_PROXY" if getproxies_environment().keys() - {"no"} else "",
                endpoint=pipeline.aws.endpoint,
                bucket=pipeline.media_bucket,
                clinical=pipeline.clinical_bucket,
                machine=pipeline.state_machine_arn,
            )
            console.print(text, highlight=False, markup=False)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass  # the normal end
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes and files behind
        console.print("Stopping …")
        pipeline.aws.stop()


if __name__ == "__main__":
    # A shell starts background commands with SIGINT ignored. SIGTERM must end the child processes too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app(prog_name="python -m local")
