"""The blocks of sound in a WebM's clusters: RFC 9559, 5.1.3."""

import itertools
from collections.abc import Collection, Iterator

from lambdas.planning.media_headers.ebml import Element, elements
from lambdas.planning.media_headers.reader import TAIL, Reader

CLUSTER = 0x1F43B675
# A block of one packet lasts at most 0.12 s in Opus, and 0.09 s in Vorbis at 48 kHz.
LONGEST_BLOCK_SECONDS = 0.12
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
_MAGIC = CLUSTER.to_bytes(4, "big")
# The last cluster of sound is searched in the end of the file. A cluster lasts at most 33 s, since its blocks' times
# have 16 bits, and Opus rarely exceeds 256 kbit/s; most clusters are a tenth of that size.
_TAILS = (TAIL, 1 << 20)
_CANDIDATES = 16


def times(reader: Reader, cluster: Element, tracks: Collection[int]) -> Iterator[tuple[int, int]]:
    """(Offset, begin in ticks) of the cluster's blocks of these tracks."""
    begin: int | None = None
    for element in elements(reader, cluster.body, cluster.end):
        if element.name == _TIMESTAMP:
            begin = int.from_bytes(reader.read(element.body, min(element.end - element.body, 8)), "big")
        elif element.name == CLUSTER:  # the one before is of unknown size
            return
        elif begin is not None and element.name == _SIMPLE_BLOCK:
            yield from _time(reader, element, tracks, begin)
        elif begin is not None and element.name == _BLOCK_GROUP:
            for block in elements(reader, element.body, element.end):
                if block.name == _BLOCK:
                    yield from _time(reader, block, tracks, begin)


def _time(reader: Reader, block: Element, tracks: Collection[int], begin: int) -> Iterator[tuple[int, int]]:
    """As `times`, for one block. Track numbers of several bytes, which no program writes, are ignored."""
    number, time = reader.unpack(">Bh", block.body)
    if number - 128 in tracks:
        yield block.body, begin + time


def last_cluster(reader: Reader, tracks: Collection[int]) -> list[tuple[int, int]]:
    """The blocks of the last cluster with sound, as `times`; empty if the file's tail has none."""
    for length in _TAILS:
        tail = reader.tail(length)
        begin = reader.size - len(tail)
        at = len(tail)
        for _ in range(_CANDIDATES):
            at = tail.rfind(_MAGIC, 0, at)
            if at < 0:
                break
            cluster = next(elements(reader, begin + at, reader.size), None)
            if cluster and (found := list(times(reader, cluster, tracks))):
                return found
        if length >= reader.size:
            break
    return []


def measured(
    reader: Reader, offset: int, piece: bytes, tracks: Collection[int], tick: float
) -> tuple[int, float] | None:
    """Bytes and seconds of the first cluster in a piece of the file; a block lasts at most until the next one."""
    at = piece.find(_MAGIC)
    cluster = next(elements(reader, offset + at, reader.size), None) if at >= 0 else None
    if not cluster:
        return None
    end = offset + len(piece)
    blocks = list(itertools.takewhile(lambda block: block[0] < end, times(reader, cluster, tracks)))
    gaps = [(second[1] - first[1]) * tick for first, second in itertools.pairwise(blocks)]
    seconds = sum(min(max(gap, 0.0), LONGEST_BLOCK_SECONDS) for gap in gaps)
    return (blocks[-1][0] - blocks[0][0], seconds) if blocks else None
