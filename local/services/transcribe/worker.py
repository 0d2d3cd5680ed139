"""The thread that runs medical transcription jobs."""

import queue
import threading
from collections.abc import Callable


class Worker:
    """Runs the submitted functions, one after the other, until it is stopped; doesn't keep the process from exiting.

    One thread, because the recognizer uses all cores itself, and two at a time were never faster (bench/speech.py).
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        """The running function checks it before it writes a result."""
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Queue `work`, which must not raise."""
        self._queue.put(work)
        with self._starting:
            if self._thread is None:
                # Python would wait for a thread pool's threads when the process exits.
                self._thread = threading.Thread(target=self._work, name="medical-transcription", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Drop the queued functions, and don't wait for the running one."""
        self.stopped.set()
        self._queue.put(None)

    def _work(self) -> None:
        while (work := self._queue.get()) and not self.stopped.is_set():
            work()
