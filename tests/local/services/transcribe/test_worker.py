import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from local.services.transcribe.worker import Worker
from tests.local.aws.in_process import eventually


@pytest.fixture
def busy() -> tuple[Worker, threading.Event, list[str]]:
    """A worker that runs its first function, the event that lets it finish, and the list of finished functions."""
    worker, go_on, done = Worker(), threading.Event(), []
    begun = threading.Event()

    def first() -> None:
        begun.set()
        assert go_on.wait(20)
        done.append("first")

    worker.submit(first)
    assert begun.wait(20)
    return worker, go_on, done


def _adds(done: list[str], name: str) -> Callable[[], None]:
    return lambda: done.append(name)


def test_work_is_done_one_piece_after_the_other(busy: tuple[Worker, threading.Event, list[str]]) -> None:
    worker, go_on, done = busy
    for name in ("second", "third"):
        worker.submit(_adds(done, name))
    assert done == []
    go_on.set()
    eventually(lambda: done == ["first", "second", "third"])
    worker.stop()


def test_what_is_queued_when_it_is_stopped_is_never_done(busy: tuple[Worker, threading.Event, list[str]]) -> None:
    worker, go_on, done = busy
    worker.submit(_adds(done, "second"))
    worker.stop()
    go_on.set()
    assert worker._thread is not None
    worker._thread.join(20)
    assert not worker._thread.is_alive()
    assert done == ["first"]


def test_a_process_ends_in_the_middle_of_its_work() -> None:
    code = """
import time, threading
from local.services.transcribe.worker import Worker
begun = threading.Event()
worker = Worker()
worker.submit(lambda: (begun.set(), time.sleep(600)))
assert begun.wait(20)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
