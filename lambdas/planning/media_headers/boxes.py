"""The boxes of MP4 and M4A: ISO/IEC 14496-12."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from lambdas.planning.media_headers.reader import Reader


class Box(NamedTuple):
    """`end` lies within the parent; `cut` is true if the box would end later."""

    name: bytes
    body: int
    end: int
    cut: bool


def boxes(reader: Reader, offset: int, end: int) -> Iterator[Box]:
    end = min(end, reader.size)
    while offset + 8 <= end:
        size, name = reader.unpack(">I4s", offset)
        body = offset + 8
        if size == 1:
            (size,) = reader.unpack(">Q", body)
            body += 8
        elif size == 0:
            size = end - offset
        if offset + size < body:
            return
        yield Box(name, body, min(offset + size, end), offset + size > end)
        offset += size


def find(reader: Reader, box: Box, *path: bytes) -> Box | None:
    """The first box at this path below `box`."""
    found: Box | None = box
    for name in path:
        if found is None:
            return None
        found = next((child for child in boxes(reader, found.body, found.end) if child.name == name), None)
    return found


def versioned(reader: Reader, box: Box, short: str, long: str) -> tuple[Any, ...]:
    """The values after a box's version and flags, in the layout for its version."""
    (version,) = reader.unpack("B", box.body)
    return reader.unpack(long if version == 1 else short, box.body + 4)
