"""FLAC: RFC 9639, section 8.2 (STREAMINFO)."""

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

# Magic number, the block's own header, block and frame sizes.
_BEFORE_RATE = 4 + 4 + 10


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start, 4) != b"fLaC":
        return None
    rate, channels, frames = stream_info(reader, start)
    return Header("flac", frames / rate if frames and rate else None, rate, channels)


def stream_info(reader: Reader, start: int) -> tuple[int, int, int]:
    """Sample rate, channels and frames (0: unknown) of the stream whose magic number is at `start`."""
    (packed,) = reader.unpack(">Q", start + _BEFORE_RATE)
    return packed >> 44, (packed >> 41 & 0b111) + 1, packed & (1 << 36) - 1
