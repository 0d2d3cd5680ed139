"""MP3: ISO/IEC 11172-3 and 13818-3 (frames), ID3v2.4.0, and the headers of Xing, LAME and Fraunhofer (VBRI)."""

import contextlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader, Unreadable

# In kbit/s by the header's index; 0 is a free bit rate, which no recorder uses.
_BIT_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = (44_100, 48_000, 32_000)
# By the version's two bits: 2.5, reserved, 2, 1. Each halves the sample rates of the next.
_SAMPLE_RATE_SHIFT = (2, None, 1, 0)
_LAYER_3, _MONO = 0b01, 0b11
_ID3V1_BYTES, _APE_BYTES = 128, 32
# This many consecutive frames are no coincidence; they are searched within this many bytes: data may precede them.
_CONSECUTIVE = 3
_SEARCHED = 4096
_PLACES, _WINDOW = 4, 32 * 1024
_XING = (b"Xing", b"Info")
_XING_FRAMES, _XING_BYTES, _XING_ALL = 1, 2, 15
_NO_FRAME = 0
_FRAME_HEADER, _LONGEST_FRAME, _SAME_SIZE = 4, 1441, 0.01


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

    @property
    def slowest(self) -> int:
        return (_BIT_RATES_1 if self.samples == 1152 else _BIT_RATES_2)[1] * 1000

    @property
    def fastest(self) -> int:
        return (_BIT_RATES_1 if self.samples == 1152 else _BIT_RATES_2)[-1] * 1000


class _Index(NamedTuple):
    """The whole file's seconds without and with the encoder's silence, and its size in bytes; 0 if unknown."""

    seconds: float
    with_silence: float
    size: int


def after_tags(reader: Reader) -> int:
    """The offset of the recording, after its ID3v2 tags, if any."""
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
    begin, end = start + at, _before_tags(reader, start)
    header = Header("mp3", sample_rate=frame.rate, channels=frame.channels)
    with contextlib.suppress(Unreadable):
        index = _index(reader, begin, frame)
        sound = begin + frame.size if index else begin
        bit_rates = _bit_rates(reader, sound, end, frame)
        if bit_rates is None:
            return Header("mp3")
        if index and index.size and _is_of(index, end - begin, frame):
            return header.lasting([index.seconds])
        if _NO_FRAME in bit_rates:
            return header
        if len(bit_rates) > 1:
            bit_rates = {frame.slowest, frame.fastest}
        claims = [(end - sound) * 8 / bit_rate for bit_rate in bit_rates]
        if index and not index.size and index.seconds:
            claims.append(index.seconds)
        return header.lasting(claims)
    return header


def _is_of(index: _Index, size: int, frame: _Frame) -> bool:
    """Whether the index describes `size` bytes; in a part of a recording, or in joined ones, its size is another."""
    is_possible = (size - _LONGEST_FRAME) * 8 / frame.fastest <= index.with_silence <= size * 8 / frame.slowest
    return is_possible and abs(index.size - size) <= _SAME_SIZE * size + _LONGEST_FRAME


def _before_tags(reader: Reader, start: int) -> int:
    """The end of the sound, before an ID3v1 and an APEv2 tag, which may have a picture."""
    tail = reader.read(max(start, reader.size - 2 * _WINDOW), 2 * _WINDOW)
    end = reader.size
    if tail[-_ID3V1_BYTES : -_ID3V1_BYTES + 3] == b"TAG":
        end -= _ID3V1_BYTES
        tail = tail[:-_ID3V1_BYTES]
    footer = tail[-_APE_BYTES:]
    if footer[:8] == b"APETAGEX":
        size, flags = struct.unpack_from("<I4xI", footer, 12)
        end -= size + (_APE_BYTES if flags >> 31 else 0)
    return end


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
    """The place and the first of three consecutive frames, or of fewer if the data consists of them."""
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


def _index(reader: Reader, offset: int, frame: _Frame) -> _Index | None:
    """The index in the first frame, which then has no sound; None if there is none."""
    silent = size = frames = 0
    xing = offset + 4 + frame.side
    try:
        if reader.read(xing, 4) in _XING:
            (flags,) = reader.unpack(">4xI", xing)
            if flags & _XING_FRAMES:
                (frames,) = reader.unpack(">8xI", xing)
            if flags & _XING_FRAMES and flags & _XING_BYTES:
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
    samples = frames * frame.samples
    return _Index(max(samples - silent, 0) / frame.rate, samples / frame.rate, size)


def _bit_rates(reader: Reader, begin: int, end: int, frame: _Frame) -> set[int] | None:
    """The frames' bit rates at the beginning, at the end and in between, and 0 if there are other data than frames.

    None if frames have another sample rate, because they belong to another recording.
    """
    found: set[int] = set()
    for place in range(1 if end - begin <= _WINDOW else _PLACES):
        offset = begin + max(end - begin - _WINDOW, 0) * place // (_PLACES - 1)
        window = reader.read(offset, min(_WINDOW, end - offset))
        at, _ = _first(window) or (0, None)
        for other in _chain(window, at):
            if not other.like(frame):
                return None
            index = at + _FRAME_HEADER + other.side
            # The first frame of another recording behind the first one may be an index, of any bit rate.
            if window[index : index + 4] not in _XING:
                found.add(other.bit_rate)
            at += other.size
        if at <= len(window) - _FRAME_HEADER:
            found.add(_NO_FRAME)
    return found
