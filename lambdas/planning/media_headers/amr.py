"""AMR and AMR-WB files: RFC 4867, section 5; frame sizes of 3GPP TS 26.101 and 26.201.

There is no index: only a frame's first byte has the frame's size. Most recorders use one mode, so all frames have one
size, which samples at a few places confirm. In other files, the frames at the beginning are counted.
"""

from typing import NamedTuple

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader

_FRAME_SECONDS = 0.02
_PLACES, _WINDOW = 4, 32 * 1024
_PIECE, _COUNTED_BYTES = 1 << 20, 8 << 20
# More than four hours; further frames would not change the result.
_COUNTED_FRAMES = 750_000


class _Kind(NamedTuple):
    """`frame_bytes` has the size of each type of frame (speech, comfort noise, no data) with its first byte, else 0."""

    magic: bytes
    multichannel_magic: bytes
    rate: int
    frame_bytes: tuple[int, ...]

    def by_first_byte(self) -> list[int]:
        """A frame's size by its first byte, which has the type and the quality bit; 0 for an invalid first byte."""
        return [self.frame_bytes[first >> 3] if first & 0b10000111 == 0b100 else 0 for first in range(256)]


_KINDS = (
    _Kind(b"#!AMR\n", b"#!AMR_MC1.0\n", 8_000, (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1)),
    _Kind(b"#!AMR-WB\n", b"#!AMR-WB_MC1.0\n", 16_000, (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1)),
)


def read(reader: Reader, start: int) -> Header | None:
    for kind in _KINDS:
        if reader.read(start, len(kind.magic)) == kind.magic:
            header = Header("amr", sample_rate=kind.rate, channels=1)
            return header.lasting(_lengths(reader, start + len(kind.magic), kind))
        if reader.read(start, len(kind.multichannel_magic)) == kind.multichannel_magic:
            (description,) = reader.unpack(">I", start + len(kind.multichannel_magic))
            return Header("amr", sample_rate=kind.rate, channels=description & 15 or None)
    return None


def _lengths(reader: Reader, begin: int, kind: _Kind) -> tuple[float, float]:
    """The least and the most seconds."""
    sizes = kind.by_first_byte()
    if every := _only_size(reader, begin, sizes):
        frames = (reader.size - begin) // every
        return frames * _FRAME_SECONDS, frames * _FRAME_SECONDS
    offset, frames, size = begin, 0, 1
    while size and frames < _COUNTED_FRAMES and offset - begin < _COUNTED_BYTES:
        piece = reader.read(offset, _PIECE)
        if not piece:
            break
        at, end = 0, len(piece)
        while at < end and (size := sizes[piece[at]]):
            at += size
            frames += 1
        offset += at
    rest = max(reader.size - offset, 0)
    return frames * _FRAME_SECONDS, (frames + rest) * _FRAME_SECONDS


def _only_size(reader: Reader, begin: int, sizes: list[int]) -> int:
    """The size of every frame, 0 if they differ: a frame of another size would shift all later ones."""
    first = reader.read(begin, 1)
    size = sizes[first[0]] if first else 0
    length = reader.size - begin
    if not size or length < size:
        return 0
    for place in range(_PLACES):
        offset = begin + (length - min(_WINDOW, length)) * place // (_PLACES - 1)
        window = reader.read(offset, _WINDOW)
        firsts = window[(begin - offset) % size :: size]
        if firsts.count(first) != len(firsts):
            return 0
    return size
