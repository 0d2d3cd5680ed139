"""`python -m tests.docs.interpreter PROGRAM SOCKET`: runs `aws` or `python` command lines without their imports.

Each connection to SOCKET sends the standard streams of a process and, as one JSON object, its arguments, folder and
environment; a fork that has everything imported already carries it out and answers with the exit code. It is one
program or the other, since the AWS CLI brings a botocore of its own, which then is everybody's.
"""

import json
import os
import runpy
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest_socket

# Nobody here waits for somebody's job as long as for one on AWS.
LONGEST_SLEEP_SECONDS = 0.1

# Those that most of the commands ask.
SERVICES = ("cloudformation", "logs", "s3", "stepfunctions")

# What stands for `aws` and `python` in a shell. Isolated and without `site`, it starts in a few hundredths of a second.
CLIENT = """
import json, os, socket, sys
call = {"arguments": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    socket.send_fds(connection, [b"0"], [0, 1, 2])
    connection.sendall(json.dumps(call).encode())
    connection.shutdown(socket.SHUT_WR)
    code = connection.recv(1)
if code != b"\\0":
    sys.stderr.write(f"{sys.argv[2:]}: exit code {code[0] if code else 'unknown'}\\n")
sys.exit(code[0] if code else 1)
"""


def aws(arguments: list[str]) -> Any:
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    # It imports its commands when it is made.
    driver = create_clidriver()
    return driver.main(arguments) if arguments else None


def python(arguments: list[str]) -> Any:
    import duckdb  # noqa: F401

    import operations.__main__  # noqa: F401

    if not arguments:
        return None
    kind = arguments.pop(0)
    if kind == "-c":
        sys.argv = ["-c", *arguments[1:]]
        return exec(arguments[0], {"__name__": "__main__"})
    sys.argv = arguments if kind == "-m" else [kind, *arguments]
    if kind == "-m":
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(kind).parent))
        runpy.run_path(kind, run_name="__main__")
    return None


# Without arguments they only load what they will need.
PROGRAMS: dict[str, Callable[[list[str]], Any]] = {"aws": aws, "python": python}


def warm_up(program: str) -> None:
    """Load what the forks would load again and again."""
    PROGRAMS[program]([])
    import botocore.session

    loader = botocore.session.create_loader(os.environ.get("AWS_DATA_PATH"))
    loader.load_data("endpoints")
    loader.list_available_services("service-2")
    for service in SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            loader.load_service_model(service, kind)
    botocore.session.create_loader = lambda search_path_string=None: loader


def serve(program: str, path: str) -> None:
    warm_up(program)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                answer(program, connection)
            connection.close()


def answer(program: str, connection: socket.socket) -> None:
    """Carry out the command of a connection in this process, and end it."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    received = b""
    while part := connection.recv(65536):
        received += part
    call = json.loads(received)
    # Where the AWS CLI finds its own data, as it set when it was imported.
    data = {name: os.environ[name] for name in ("AWS_DATA_PATH",) if name in os.environ}
    os.environ.clear()
    os.environ |= {**call["environment"], **data}
    os.chdir(call["folder"])
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(float(seconds), LONGEST_SLEEP_SECONDS))
    code = exit_code(program, call["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))
    os._exit(0)


def exit_code(program: str, arguments: Sequence[str]) -> int:
    try:
        return int(PROGRAMS[program](list(arguments)) or 0)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
