"""The thread that does medical transcription jobs."""

import queue
import threading
from collections.abc import Callable


class Worker:
    """Does what is submitted, one piece after the other, until it is stopped; never keeps the process from ending.

    One thread: the recognizer spreads over the cores by itself, and two at a time were never faster (bench/speech.py).
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        """Whoever is at work looks at it before leaving a result behind."""
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Queue `work`, which must not raise."""
        self._queue.put(work)
        with self._starting:
            if self._thread is None:
                # A thread pool's would be waited for when the process ends, however long its work takes.
                self._thread = threading.Thread(target=self._work, name="medical-transcription", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Drop what is queued and do not wait for what is being done."""
        self.stopped.set()
        self._queue.put(None)

    def _work(self) -> None:
        while (work := self._queue.get()) and not self.stopped.is_set():
            work()
