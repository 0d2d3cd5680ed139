"""`python -m local demo [--media PATH] [--consent]`, `python -m local open`, and `python -m local up`."""

import argparse
import signal
import socket
import sys
import threading
from pathlib import Path

from rich.console import Console

from local import demo
from local.console.serving import serving
from local.deployment import DeploymentError
from local.newest_report import ReportError, open_newest
from local.pipeline import ENVIRONMENT, Pipeline, start_pipeline
from local.ports import listen
from operations.deployed import find

INSTRUCTIONS = """\
The local AWS is up. In another terminal:

  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  export AWS_ENDPOINT_URL={endpoint}
  aws s3 cp visit.wav s3://{bucket}/media/p-001/visit.wav --metadata audience-consent=true
  aws stepfunctions list-executions --state-machine-arn {machine}
  aws s3 ls s3://{clinical}/ --recursive

console         {console}
endpoint        {endpoint}
media bucket    {bucket}
state machine   {machine}

Ctrl-C stops it; nothing is kept."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The pipeline on an AWS on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("demo", help="run recordings through the pipeline and show what comes out")
    show.add_argument("--media", type=Path, help="a recording, or a folder of <user_id>/<file>; default: the samples")
    show.add_argument("--consent", action="store_true", help="the patients of --media consent to audiences")
    commands.add_parser("open", help="open the newest report that the demonstration left, in a browser")
    up = commands.add_parser("up", help="leave the local AWS running, with a page to drop recordings on")
    up.add_argument(
        "--port", type=int, default=4566, help="port of the endpoint (default: %(default)s; 0: any free one)"
    )
    up.add_argument(
        "--console-port", type=int, default=4567, help="port of the page (default: %(default)s; 0: any free one)"
    )
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    # A shell starts its background commands with Ctrl-C ignored; and whoever ends us wants the processes ended too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments.command == "demo":
            demo.run(arguments.media, arguments.consent, console)
        elif arguments.command == "open":
            console.print(open_newest(demo.OUT), highlight=False, markup=False)
        else:
            # Before what takes a while: that it is taken is told at once.
            with listen(arguments.console_port, "the console") as listener:
                serve(start_pipeline(port=arguments.port), listener, console)
    except (demo.DemoError, DeploymentError, ReportError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def serve(pipeline: Pipeline, listener: socket.socket, console: Console) -> None:
    try:
        with serving(find(ENVIRONMENT, pipeline.aws.endpoint), listener) as url:
            text = INSTRUCTIONS.format(
                console=url,
                endpoint=pipeline.aws.endpoint,
                bucket=pipeline.media_bucket,
                clinical=pipeline.clinical_bucket,
                machine=pipeline.state_machine_arn,
            )
            console.print(text, highlight=False, markup=False)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass  # how it is meant to end
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes and files behind
        console.print("Stopping …")
        pipeline.aws.stop()


if __name__ == "__main__":
    sys.exit(main())
