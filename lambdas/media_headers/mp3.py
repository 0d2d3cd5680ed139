"""MP3: ISO/IEC 11172-3 and 13818-3 (frames), ID3v2.4.0, and the headers of Xing, LAME and Fraunhofer (VBRI)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader, Unreadable

# In kbit/s by the header's index; 0 is a free bit rate, which nothing records with.
_BIT_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = (44_100, 48_000, 32_000)
# By the version's two bits: 2.5, reserved, 2, 1. Each halves the sample rates of the next.
_SAMPLE_RATE_SHIFT = (2, None, 1, 0)
_LAYER_3, _MONO = 0b01, 0b11
_ID3V1_BYTES = 128
# So many frames in a row are no coincidence, and are looked for in so many bytes: what is often before the first one.
_CONSECUTIVE = 3
_SEARCHED = 4096
_WINDOW = 32 * 1024
_XING_FRAMES, _XING_BYTES, _XING_ALL = 1, 2, 15


class _Frame(NamedTuple):
    """`size` in bytes with its header, `rate` in hertz, `samples` in each channel, `side` bytes before its sound."""

    size: int
    bit_rate: int
    rate: int
    channels: int
    samples: int
    side: int

    def like(self, other: "_Frame") -> bool:
        return (self.rate, self.samples) == (other.rate, other.samples)


def after_tags(reader: Reader) -> int:
    """Where the recording begins: behind its ID3v2 tags, if it has any."""
    offset = 0
    while (tag := reader.read(offset, 10))[:3] == b"ID3" and len(tag) == 10:
        flags = tag[5]
        size = sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
        offset += 10 + size + (10 if flags & 0b10000 else 0)
    return offset


def read(reader: Reader, start: int) -> Header | None:
    found = _first(reader.read(start, _WINDOW))
    if not found:
        return None
    at, frame = found
    offset = start + at
    seconds = _indexed(reader, offset, frame) or _constant(reader, offset, frame)
    return Header("mp3", seconds, frame.rate, frame.channels)


def _frame(data: bytes, at: int) -> _Frame | None:
    """The frame whose header is at this position."""
    if at + 4 > len(data) or data[at] != 0xFF:
        return None
    (bits,) = struct.unpack_from(">I", data, at)
    version, layer, bit_rate_index, rate_index = bits >> 19 & 3, bits >> 17 & 3, bits >> 12 & 15, bits >> 10 & 3
    shift = _SAMPLE_RATE_SHIFT[version]
    if bits >> 21 != 0x7FF or layer != _LAYER_3 or shift is None or bit_rate_index in (0, 15) or rate_index == 3:
        return None
    first = shift == 0
    bit_rate = (_BIT_RATES_1 if first else _BIT_RATES_2)[bit_rate_index] * 1000
    rate = _SAMPLE_RATES[rate_index] >> shift
    samples = 1152 if first else 576
    mono = bits >> 6 & 3 == _MONO
    side = (17 if mono else 32) if first else (9 if mono else 17)
    padding = bits >> 9 & 1
    return _Frame(samples // 8 * bit_rate // rate + padding, bit_rate, rate, 1 if mono else 2, samples, side)


def _chain(data: bytes, at: int) -> Iterator[_Frame]:
    """The frames that follow one another from this position on."""
    while frame := _frame(data, at):
        yield frame
        at += frame.size


def _first(data: bytes) -> tuple[int, _Frame] | None:
    """Where the first frames are; fewer than three only where the data ends with them."""
    for at in range(min(_SEARCHED, len(data))):
        end = at
        frames: list[_Frame] = []
        for frame in _chain(data, at):
            if frames and not frame.like(frames[0]):
                break
            frames.append(frame)
            end += frame.size
            if len(frames) == _CONSECUTIVE:
                return at, frames[0]
        if frames and at == 0 and end >= len(data):
            return at, frames[0]
    return None


def _indexed(reader: Reader, offset: int, frame: _Frame) -> float | None:
    """Seconds by the count in the first frame, which holds no sound then."""
    silent = size = frames = 0
    xing = offset + 4 + frame.side
    try:
        if reader.read(xing, 4) in (b"Xing", b"Info"):
            (flags,) = reader.unpack(">4xI", xing)
            if not flags & _XING_FRAMES:
                return None
            (frames,) = reader.unpack(">8xI", xing)
            if flags & _XING_BYTES:
                (size,) = reader.unpack(">12xI", xing)
            if flags & _XING_ALL == _XING_ALL and reader.read(xing + 120, 4) in (b"LAME", b"Lavc", b"Lavf"):
                # Silence that the encoder added before and after, 12 bits each.
                packed = int.from_bytes(reader.read(xing + 141, 3), "big")
                silent = (packed >> 12) + (packed & 0xFFF)
        elif reader.read(offset + 36, 4) == b"VBRI":
            size, frames = reader.unpack(">10xII", offset + 36)
        else:
            return None
    except Unreadable:
        return None
    # A file that broke off, or several in one, has another size than its index says.
    share = (reader.size - offset) / size if size else 1
    return float(max(frames * share * frame.samples - silent, 0) / frame.rate)


def _constant(reader: Reader, offset: int, frame: _Frame) -> float | None:
    """Seconds by the bit rate if it is the same at the beginning and in three other places, else None."""
    length = reader.size - offset
    for quarter in range(4):
        window = reader.read(offset + length * quarter // 4, _WINDOW)
        found = _first(window)
        if found and any(other.bit_rate != frame.bit_rate for other in _chain(window, found[0])):
            return None
    if reader.tail(_ID3V1_BYTES)[:3] == b"TAG":
        length -= _ID3V1_BYTES
    return length * 8 / frame.bit_rate
