import os
import queue
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.function_processes import FunctionProcesses


@pytest.fixture
def ends() -> "queue.SimpleQueue[int]":
    return queue.SimpleQueue()


@pytest.fixture
def processes() -> Iterator[FunctionProcesses]:
    processes = FunctionProcesses()
    yield processes
    processes.close()


def handler(folder: Path, source: str) -> Path:
    (folder / "handler.py").write_text(source)
    return folder


def test_what_a_process_says_is_in_its_log_and_how_it_ends_is_told(
    processes: FunctionProcesses, ends: "queue.SimpleQueue[int]", tmp_path: Path
) -> None:
    code, log = handler(tmp_path, "import os\nprint(dict(os.environ), flush=True)\nos._exit(7)"), tmp_path / "log"
    process = processes.start("handler.handler", code, log, {"A": "b", "AWS_LAMBDA_RUNTIME_API": "x"}, ends.put)
    assert ends.get(timeout=30) == 7
    assert process.over.is_set()
    assert log.read_text() == "{'A': 'b', 'AWS_LAMBDA_RUNTIME_API': 'x'}\n"


def test_a_killed_process_ends_with_what_it_started(
    processes: FunctionProcesses, ends: "queue.SimpleQueue[int]", tmp_path: Path
) -> None:
    code, log = handler(tmp_path, SLEEPING), tmp_path / "log"
    log.touch()
    process = processes.start("handler.handler", code, log, {"AWS_LAMBDA_RUNTIME_API": "x"}, ends.put)
    while not log.read_text().endswith("\n"):
        assert not process.over.is_set()
    assert os.getpgid(int(log.read_text())) == process.pid
    process.kill()
    assert ends.get(timeout=30) == -signal.SIGKILL
    process.kill()


SLEEPING = """
import subprocess, time
print(subprocess.Popen(["sleep", "100"]).pid, flush=True)
time.sleep(100)
"""


def test_a_process_that_can_no_longer_be_forked_is_an_error_and_not_waited_for(
    processes: FunctionProcesses, ends: "queue.SimpleQueue[int]", tmp_path: Path
) -> None:
    code, log = handler(tmp_path, SLEEPING), tmp_path / "log"
    process = processes.start("handler.handler", code, log, {"AWS_LAMBDA_RUNTIME_API": "x"}, ends.put)
    assert processes._program
    processes._program.kill()
    assert ends.get(timeout=30) == -signal.SIGKILL
    with pytest.raises(RuntimeError, match="has ended"):
        processes.start("handler.handler", code, log, {}, ends.put)
    os.killpg(process.pid, signal.SIGKILL)
