"""Processor time of the reader of media headers, for ordinary and for hostile recordings.

    python -m bench.media_headers      # a line for each hostile recording

A function of 512 MB has a third of a core: 0.33 s here are a second there. The ordinary recordings are those of
samples/encodings/, and the peer is FFmpeg (PyAV's `open`), which the functions don't have.
"""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import av

from bench.hostile_recordings import ENCODINGS, hostile_recordings
from bench.table import Row
from lambdas.planning.media_headers.read_header import read_header

ROUNDS = 3
GOAL = 0.33


class Cost(NamedTuple):
    what: str
    seconds: float
    reads: int
    bytes: int


class _Whole:
    """A recording in memory."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def least(run: Callable[[], object]) -> float:
    """Processor seconds, the least of the rounds, because other load only adds to them."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def hostile_costs() -> Iterator[Cost]:
    for what, source in hostile_recordings():
        seconds = least(lambda source=source: read_header(source))  # type: ignore[misc]
        yield Cost(what, seconds, source.reads // ROUNDS, source.bytes // ROUNDS)


def ordinary_seconds() -> tuple[float, float, float]:
    """Seconds for all recordings together by our readers and by FFmpeg, and our longest for one."""
    recordings = [path.read_bytes() for path in sorted(ENCODINGS.iterdir())]
    ours = [least(lambda data=data: read_header(_Whole(data))) for data in recordings]  # type: ignore[misc]
    peer = [least(lambda data=data: _open(data)) for data in recordings]  # type: ignore[misc]
    return sum(ours), sum(peer), max(ours)


def _open(data: bytes) -> None:
    with contextlib.suppress(av.error.FFmpegError):
        av.open(io.BytesIO(data), mode="r", metadata_errors="ignore").close()


def rows() -> Iterator[Row]:
    ours, peer, longest = ordinary_seconds()
    yield Row(
        number="13",
        what="headers of the recordings of samples/encodings/ / FFmpeg's look at them",
        ours=f"{ours * 1000:.0f} ms, the longest {longest * 1000:.1f} ms",
        peer=f"{peer * 1000:.0f} ms",
        ratio=f"{ours / peer:.2f}",
        limit="",
        goal="<= 1",
        met=ours <= peer,
    )
    costs = list(hostile_costs())
    worst = max(costs, key=lambda cost: cost.seconds)
    reads, read = max(cost.reads for cost in costs), max(cost.bytes for cost in costs)
    yield Row(
        number="13",
        what=f"the header of a recording made to hurt, the worst of {len(costs)}: {worst.what}",
        ours=f"{worst.seconds:.2f} s; at most {reads} reads, {read / (1 << 20):.1f} MiB",
        peer="",
        ratio="",
        limit="",
        goal=f"<= {GOAL} s",
        met=worst.seconds <= GOAL,
    )


def main() -> None:
    for cost in hostile_costs():
        print(f"{cost.seconds:6.3f} s {cost.reads:3} reads {cost.bytes / (1 << 20):6.1f} MiB  {cost.what}")
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
