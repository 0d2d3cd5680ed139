"""The processes of the Lambda sandboxes, each forked from one that has boto3 in memory."""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

_GONE = "The process that forks the functions' processes has ended: start the local AWS again"
_PROGRAM = Path(__file__).with_name("function_forks.py")


class FunctionProcess:
    """A process that serves invocations; `ended` is called with its exit status, or minus the signal that ended it."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        self._ended = ended
        self._pid: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.pid = 0
        self.over = threading.Event()

    def notify(self, message: Mapping[str, int]) -> None:
        """Take a message of the forking process about this one."""
        if "pid" in message:
            self._pid.put(message["pid"])
        else:
            self.over.set()
            self._ended(message["status"])

    def begun(self) -> None:
        """Wait until the process runs. Raises RuntimeError if it can't."""
        self.pid = self._pid.get()
        if not self.pid:
            raise RuntimeError(_GONE)

    def kill(self) -> None:
        """Kill the process and its children."""
        if not self.over.is_set():
            # It may have ended already.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


class FunctionProcesses:
    """Starts processes; the first `start` also starts the process that forks them, which `close` ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._processes: dict[str, FunctionProcess] = {}
        self._gone = False

    def start(
        self,
        handler: str,
        directory: Path,
        log: Path,
        environment: Mapping[str, str],
        ended: Callable[[int], None],
    ) -> FunctionProcess:
        """Run awslambdaric for `handler` in `directory` with no environment but this and its output in `log`.

        `ended` is as in `FunctionProcess`. Raises RuntimeError if nothing can be forked any more.
        """
        process = FunctionProcess(ended)
        with self._lock:
            if self._gone:
                raise RuntimeError(_GONE)
            program = self._program = self._program or self._begin()
            number = str(next(self._numbers))
            self._processes[number] = process
            request = {
                "id": number,
                "handler": handler,
                "directory": str(directory),
                "log": str(log),
                "environment": dict(environment),
            }
            # If the forking process has just ended, the listener reports that.
            with contextlib.suppress(BrokenPipeError):
                _pipe(program.stdin).write(json.dumps(request).encode() + b"\n")
                _pipe(program.stdin).flush()
        process.begun()
        return process

    def close(self) -> None:
        """Fork no more processes; running ones go on."""
        with self._lock:
            program, self._gone = self._program, True
        if program:
            with contextlib.suppress(BrokenPipeError):
                _pipe(program.stdin).close()
            program.wait()

    def _begin(self) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            # -P: the functions' imports must not find this project's folders.
            [sys.executable, "-P", str(_PROGRAM)],
            env={
                "PATH": os.environ.get("PATH", ""),
                "LANG": "en_US.UTF-8",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "no_proxy": "*",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(program,), name="function-processes", daemon=True).start()
        return program

    def _listen(self, program: subprocess.Popen[bytes]) -> None:
        for line in _pipe(program.stdout):
            message = json.loads(line)
            number = message.pop("id")
            process = self._processes[number] if "pid" in message else self._processes.pop(number)
            process.notify(message)
        _pipe(program.stdout).close()
        with self._lock:
            self._gone = True
        for process in self._processes.values():
            process.notify({"pid": 0})
            process.notify({"status": -signal.SIGKILL})


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream
    return stream
