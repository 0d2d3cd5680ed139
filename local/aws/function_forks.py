"""Forks a process per Lambda sandbox from one that has boto3 in memory, which is most of a cold start.

`local.aws.function_processes` runs this program by its path. Each line of its standard input requests a process,
`{"id", "handler", "directory", "log", "environment"}`, which becomes `python -m awslambdaric <handler>` in `directory`,
in its own process group, with its output in the file `log` and only this environment. Each line of its standard output
reports a process: `{"id", "pid"}` when it has started, `{"id", "status"}` when it has ended, with its exit status or
minus the signal that ended it. The program ends with its input.
"""

import contextlib
import functools
import json
import os
import runpy
import selectors
import signal
import sys
import time
import traceback
from typing import Any

# These imports don't read the environment, unlike the runtime interface client and Powertools.
import boto3
import botocore.session

# Pure Python, of the version that Powertools pins, and a third of what it takes a process to begin.
import typing_extensions  # noqa: F401

_ids: dict[int, str] = {}


def read_descriptions() -> None:
    """Parse the SDK's service models once, before the processes are forked."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")
    for service in ("s3", "stepfunctions", "transcribe"):
        session.client(service)


def serve() -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    received = b""
    while True:
        for key, _ in selector.select():
            chunk = os.read(key.fd, 65536)
            if key.fd == woken:
                reap()
            elif not chunk:
                return
            else:
                *requests, received = (received + chunk).split(b"\n")
                for request in requests:
                    fork(json.loads(request))


def fork(request: dict[str, Any]) -> None:
    pid = os.fork()
    if not pid:
        become(request)
    # Called in both processes, because either may run first.
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    _ids[pid] = request["id"]
    report(id=request["id"], pid=pid)


def reap() -> None:
    while _ids:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        report(id=_ids.pop(pid), status=os.waitstatus_to_exitcode(status))


def report(**message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def become(request: dict[str, Any]) -> None:
    """Run the runtime interface client as a fresh interpreter would; never returns."""
    status: object = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        os.chdir(request["directory"])
        sys.path.insert(0, request["directory"])
        sys.argv = ["awslambdaric", request["handler"]]
        runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    read_descriptions()
    serve()
