"""The elements of WebM: RFC 8794 (EBML)."""

from collections.abc import Iterator
from typing import NamedTuple

from lambdas.planning.media_headers.reader import Reader

_LONGEST_VALUE = 32


class Element(NamedTuple):
    name: int
    body: int
    end: int


def elements(reader: Reader, offset: int, end: int) -> Iterator[Element]:
    """The elements between two offsets; an element of unknown size ends at `end`."""
    end = min(end, reader.size)
    while offset < end:
        head = reader.read(offset, 12)
        name_bytes = 9 - head[0].bit_length()
        if name_bytes > 4 or len(head) <= name_bytes:
            return
        size_bytes = 9 - head[name_bytes].bit_length()
        body = offset + name_bytes + size_bytes
        if size_bytes > 8 or body - offset > len(head):
            return
        unknown = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(head[name_bytes : name_bytes + size_bytes], "big") & unknown
        yield Element(int.from_bytes(head[:name_bytes], "big"), body, end if size == unknown else body + size)
        offset = body + size


def values(reader: Reader, parent: Element) -> dict[int, bytes]:
    """The small elements within another: numbers and names."""
    return {
        name: reader.read(body, end - body)
        for name, body, end in elements(reader, parent.body, parent.end)
        if end - body <= _LONGEST_VALUE
    }
