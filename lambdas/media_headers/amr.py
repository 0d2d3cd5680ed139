"""AMR and AMR-WB files with one channel: RFC 4867, section 5; frame sizes of 3GPP TS 26.101 and 26.201."""

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

_FRAMES_PER_SECOND = 50
_PIECE = 1 << 20
# More than four hours at the highest bit rate, so that what is beyond needn't be counted exactly.
_COUNTED = 48 * _PIECE
# Magic number, sample rate, bytes of a frame by its type: speech, comfort noise, and only a header for the others.
_KINDS = (
    (b"#!AMR\n", 8_000, (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)),
    (b"#!AMR-WB\n", 16_000, (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)),
)


def read(reader: Reader, start: int) -> Header | None:
    for magic, rate, frame_bytes in _KINDS:
        if reader.read(start, len(magic)) == magic:
            frames = _count(reader, start + len(magic), frame_bytes)
            return Header("amr", frames / _FRAMES_PER_SECOND, rate, 1)
    return None


def _count(reader: Reader, offset: int, frame_bytes: tuple[int, ...]) -> int:
    """Frames from `offset` to the end; a frame's size is in its first byte, and nowhere else.

    Those beyond the first 48 MiB are estimated by the ones before.
    """
    by_first_byte = [frame_bytes[first >> 3 & 15] for first in range(256)]
    begin, frames = offset, 0
    while offset - begin < _COUNTED and (piece := reader.read(offset, _PIECE)):
        at = 0
        while at < len(piece):
            at += by_first_byte[piece[at]]
            frames += 1
        offset += at
    beyond = max(reader.size - offset, 0)
    return frames + (frames * beyond // (offset - begin) if beyond else 0)
