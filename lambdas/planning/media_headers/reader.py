"""Few, bounded reads of a remote file, and bounded work on its bytes."""

import struct
from collections import deque
from typing import Any, Protocol

# The last bytes of a file with this length have the last frame, page or block of most audio recordings.
TAIL = 128 * 1024
_WINDOW = 64 * 1024
_MAXIMUM_READS = 64
_MAXIMUM_BYTES = 12 << 20
# A limit for files of tiny parts, which take processor time: this many steps take 0.1 s of a whole core.
_MAXIMUM_STEPS = 30_000


class Source(Protocol):
    """A file of `size` bytes; `read` returns `length` bytes from `offset` on, both within the file."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


class Unreadable(Exception):
    """The file ends before the data that its header announces, or would take too much work."""


class Reader:
    """Reads at least 64 KiB at once and caches the last four reads, because headers lie close together."""

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self._source = source
        self._windows: deque[tuple[int, bytes]] = deque(maxlen=4)
        self._reads = self._bytes = self._steps = 0

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on, fewer at the end of the file.

        Raises:
            Unreadable: the budget of reads, of bytes or of steps is spent.
        """
        self._steps += 1
        if self._steps > _MAXIMUM_STEPS:
            raise Unreadable
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        for begin, window in self._windows:
            if begin <= offset and offset + length <= begin + len(window):
                return window[offset - begin : offset - begin + length]
        fetched = min(max(length, _WINDOW), self.size - offset)
        if self._reads == _MAXIMUM_READS or self._bytes + fetched > _MAXIMUM_BYTES:
            raise Unreadable
        self._reads += 1
        self._bytes += fetched
        window = self._source.read(offset, fetched)
        self._windows.append((offset, window))
        return window[:length]

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """The values at `offset`, as `struct.unpack`.

        Raises:
            Unreadable: the file ends before them, or the budget is spent.
        """
        data = self.read(offset, struct.calcsize(layout))
        if len(data) < struct.calcsize(layout):
            raise Unreadable
        return struct.unpack(layout, data)

    def tail(self, length: int) -> bytes:
        """The last `length` bytes, or the whole file if it is shorter."""
        return self.read(max(self.size - length, 0), length)

    def is_again(self, magic: bytes, after: int) -> bool:
        """Whether the file's magic number recurs in its tail: then several recordings are joined in one file."""
        tail = self.tail(TAIL)
        return tail.find(magic, max(after - (self.size - len(tail)), 0)) >= 0
