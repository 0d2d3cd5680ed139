"""`python -m local.exec -- COMMAND`: runs a command whose only AWS is the local one, which `make local` has started.

    python -m local.exec -- aws s3 ls

The shell's variables and the user's configuration of AWS don't count: the command has the local AWS's endpoint and
credentials and no others, so that it can't reach an account by mistake. It imports little, so that it starts at once.
"""

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from operations.commands import print_error
from operations.deployed import LOCAL, LOCAL_ENDPOINT, connect
from operations.errors import OperationError

_HOST = urlsplit(LOCAL_ENDPOINT).hostname
_CONNECT_SECONDS = 5


def run(command: Sequence[str], port: int) -> int:
    """Run `command` against the local AWS at `port`, and return its exit code.

    Raises:
        OperationError: no local AWS is there, or there is no such command.
    """
    endpoint = f"http://{_HOST}:{port}"
    try:
        socket.create_connection((_HOST, port), _CONNECT_SECONDS).close()
    except OSError:
        raise OperationError(f"No local AWS answers at {endpoint}: start it in another terminal (make local)") from None
    try:
        return subprocess.run(command, env=environment(endpoint, os.environ)).returncode
    except FileNotFoundError:
        raise OperationError(f"There is no command {command[0]}") from None


def environment(endpoint: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The inherited variables, with those of AWS replaced, and with no proxy for this machine."""
    session = connect(LOCAL, endpoint).session
    credentials = session.get_credentials()
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    direct = {name: ",".join(filter(None, (_HOST, inherited.get(name)))) for name in ("NO_PROXY", "no_proxy")}
    return {
        **kept,
        **direct,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_REGION": session.region_name,
        "AWS_DEFAULT_REGION": session.region_name,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.exec", description="Run a command whose only AWS is the local one."
    )
    default = urlsplit(LOCAL_ENDPOINT).port
    parser.add_argument("--port", type=int, default=default, help=f"port of the running local AWS ({default})")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the command with its arguments, after --")
    arguments = parser.parse_args()
    try:
        return run(arguments.command, arguments.port)
    except (OperationError, KeyboardInterrupt) as error:
        return print_error(error)


if __name__ == "__main__":
    sys.exit(main())
