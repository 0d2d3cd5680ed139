"""FLAC: RFC 9639, sections 8.2 (STREAMINFO) and 9.1 (frame header).

STREAMINFO has the length of the original recording. A part that was cut without encoding it again has the same
STREAMINFO, so the length is measured from the first frame's number to the last one's.
"""

import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambdas.planning.media_headers import density
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import TAIL, Reader, Unreadable

_MAGIC = b"fLaC"
# Magic number, the block's own header, block and frame sizes.
_BEFORE_RATE = 4 + 4 + 10
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_LONGEST_FRAME_HEADER = 16
_CANDIDATES = 2000
_STEREO = range(8, 11)
_BLOCKS = {code: 576 << code - 2 for code in range(2, 6)} | {code: 256 << code - 8 for code in range(8, 16)} | {1: 192}
_RATES = {
    1: 88_200, 2: 176_400, 3: 192_000, 4: 8_000, 5: 16_000, 6: 22_050, 7: 24_000, 8: 32_000, 9: 44_100, 10: 48_000,
    11: 96_000,
}  # fmt: skip
# Frames may be larger than their samples by this factor; tags and pictures may add this many bytes.
_LARGER, _BESIDES_SOUND = 1.1, 64 * 1024


class Frame(NamedTuple):
    """`number` counts samples if blocks vary in size, else frames; `rate` is 0 if only STREAMINFO has it."""

    varying: bool
    number: int
    samples: int
    rate: int
    channels: int

    def begin(self, block: int) -> int:
        return self.number if self.varying else self.number * block


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start, 4) != _MAGIC:
        return None
    rate, channels, total = stream_info(reader, start)
    header = Header("flac", sample_rate=rate or None, channels=channels)
    with contextlib.suppress(Unreadable):
        begin = _after_metadata(reader, start)
        first = frame(reader.read(begin, _LONGEST_FRAME_HEADER))
        if not rate or not first:
            return header
        if first.rate not in (0, rate) or first.channels != channels:
            return Header("flac")
        if reader.is_again(_MAGIC, begin):
            return header
        (bits,) = reader.unpack(">H", start + _BEFORE_RATE + 2)
        bytes_per_second = rate * channels * ((bits >> 4 & 31) + 1) / 8
        seconds = _samples(reader, begin, first) / rate
        if (reader.size - begin - _BESIDES_SOUND) / bytes_per_second > seconds * _LARGER:
            return header  # several streams in one file, and the last frame is of the last
        if density.borne_out(reader, begin, seconds, lambda _, piece: _measured(piece, first, rate)):
            header = header.lasting([seconds, min(seconds, total / rate)] if total else [seconds])
    return header


def stream_info(reader: Reader, start: int) -> tuple[int, int, int]:
    """Sample rate, channels and samples in each (0: unknown) of the stream whose magic number is at `start`."""
    (packed,) = reader.unpack(">Q", start + _BEFORE_RATE)
    return packed >> 44, (packed >> 41 & 0b111) + 1, packed & (1 << 36) - 1


def frame(data: bytes, at: int = 0) -> Frame | None:
    """The frame whose header is at this position, None if there is none."""
    head = data[at : at + _LONGEST_FRAME_HEADER]
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return None
    block, rate, channels = head[2] >> 4, head[2] & 15, head[3] >> 4
    if not block or rate == 15 or channels > _STEREO[-1] or head[3] & 1:
        return None
    following = 8 - (head[4] ^ 0xFF).bit_length() if head[4] & 0x80 else 1
    end = 4 + following
    if not 1 <= following <= 7 or (head[4] & 0x80 and following == 1):
        return None
    number = head[4] & (0x7F if following == 1 else 0x7F >> following)
    for byte in head[5:end]:
        number = number << 6 | byte & 0x3F
    samples = _BLOCKS.get(block, 0)
    if block in (6, 7):
        samples = int.from_bytes(head[end : end + block - 5], "big") + 1
        end += block - 5
    hertz = _RATES.get(rate, 0)
    if rate >= 12:
        width = 1 if rate == 12 else 2
        hertz = int.from_bytes(head[end : end + width], "big") * {12: 1000, 13: 1, 14: 10}[rate]
        end += width
    if end >= len(head) or _checksum(head[:end]) != head[end]:
        return None
    return Frame(bool(head[1] & 1), number, samples, hertz, 2 if channels in _STEREO else channels + 1)


def _checksum(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


def _after_metadata(reader: Reader, start: int) -> int:
    offset, last = start + 4, False
    while not last:
        (block,) = reader.unpack(">I", offset)
        last = bool(block >> 31)
        offset += 4 + (block & 0xFFFFFF)
    return offset


def _found(data: bytes, first: Frame, syncs: Iterable[re.Match[bytes]]) -> Iterator[tuple[int, Frame]]:
    """The frames with the first one's properties, and their places."""
    for sync in itertools.islice(syncs, _CANDIDATES):
        found = frame(data, sync.start())
        if found and found[3:] == first[3:] and found.varying == first.varying:
            yield sync.start(), found


def _samples(reader: Reader, begin: int, first: Frame) -> int:
    """The number of samples from the first frame's begin to the last one's end.

    Raises:
        Unreadable: the last frames aren't found.
    """
    tail = reader.read(max(begin, reader.size - TAIL), TAIL)
    following: Frame | None = None
    for _, found in _found(tail, first, reversed(list(_SYNC.finditer(tail)))):
        # Two consecutive frames are no coincidence.
        if following and found.begin(first.samples) + found.samples == following.begin(first.samples):
            return following.begin(first.samples) + following.samples - first.begin(first.samples)
        if found == first:
            return first.samples
        following = found
    raise Unreadable


def _measured(piece: bytes, first: Frame, rate: int) -> tuple[int, float] | None:
    """Bytes and seconds of the frames in a piece of the file."""
    found = list(_found(piece, first, _SYNC.finditer(piece)))
    return (found[-1][0] - found[0][0], sum(each.samples for _, each in found[:-1]) / rate) if found else None
