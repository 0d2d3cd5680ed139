"""WebM: RFC 8794 (EBML) and RFC 9559 (Matroska)."""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _INFO, _TIMESTAMP_SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK, _TRACK_TYPE, _CODEC, _AUDIO = 0x1654AE6B, 0xAE, 0x83, 0x86, 0xE1
_RATE, _OUTPUT_RATE, _CHANNELS = 0xB5, 0x78B5, 0x9F
_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0x1F43B675, 0xE7, 0xA3, 0xA0, 0xA1
_AUDIO_TRACK = 2
# A cluster can't be longer than 33 s, since its blocks' times have 16 bits; Opus seldom has more than 256 kbit/s.
_TAIL = 1 << 20
_LONGEST_VALUE = 32


class _Element(NamedTuple):
    name: int
    body: int
    end: int


def read(reader: Reader, start: int) -> Header | None:
    top = _elements(reader, start, reader.size)
    head = next(top, None)
    if not head or head.name != _EBML or _values(reader, head).get(_DOC_TYPE, b"").rstrip(b"\0") != b"webm":
        return None
    scale, duration, rate, channels = 1_000_000, 0.0, None, None
    segment = next((element for element in top if element.name == _SEGMENT), None)
    for element in _elements(reader, segment.body, segment.end) if segment else ():
        if element.name == _CLUSTER:
            break
        if element.name == _INFO:
            info = _values(reader, element)
            scale = int.from_bytes(info.get(_TIMESTAMP_SCALE, b"\x0f\x42\x40"), "big")
            duration = _float(info.get(_DURATION, b""))
        elif element.name == _TRACKS:
            rate, channels = _sound(reader, element)
    # Unfinished or streamed: browsers record without a duration.
    ticks = duration or _last_time(reader)
    return Header("webm", ticks * scale / 1e9 if ticks else None, rate, channels)


def _elements(reader: Reader, offset: int, end: int) -> Iterator[_Element]:
    """The elements between two offsets; one of unknown size goes on to the end."""
    while offset < min(end, reader.size):
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
        yield _Element(int.from_bytes(head[:name_bytes], "big"), body, end if size == unknown else body + size)
        offset = body + size


def _values(reader: Reader, parent: _Element) -> dict[int, bytes]:
    """The small elements within another: numbers and names."""
    return {
        name: reader.read(body, end - body)
        for name, body, end in _elements(reader, parent.body, parent.end)
        if end - body <= _LONGEST_VALUE
    }


def _float(value: bytes) -> float:
    """0.0 for what isn't a number."""
    if len(value) not in (4, 8):
        return 0.0
    (number,) = struct.unpack(">f" if len(value) == 4 else ">d", value)
    return float(number) if math.isfinite(number) else 0.0


def _sound(reader: Reader, tracks: _Element) -> tuple[int | None, int | None]:
    """Sample rate and channels of the first audio track; what the track leaves out has the specification's default."""
    for track in _elements(reader, tracks.body, tracks.end):
        if track.name != _TRACK:
            continue
        values = _values(reader, track)
        if int.from_bytes(values.get(_TRACK_TYPE, b""), "big") != _AUDIO_TRACK:
            continue
        audio = next((child for child in _elements(reader, track.body, track.end) if child.name == _AUDIO), None)
        settings = _values(reader, audio) if audio else {}
        if values.get(_CODEC, b"").rstrip(b"\0") == b"A_OPUS":
            rate = 48_000
        else:
            rate = round(_float(settings.get(_OUTPUT_RATE, b"")) or _float(settings.get(_RATE, b"")) or 8_000)
        return rate, int.from_bytes(settings.get(_CHANNELS, b"\x01"), "big")
    return None, None


def _last_time(reader: Reader) -> int | None:
    """When the last block begins, None if the file's tail holds no cluster."""
    tail = reader.tail(_TAIL)
    at = tail.rfind(_CLUSTER.to_bytes(4, "big"))
    cluster = next(_elements(reader, reader.size - len(tail) + at, reader.size), None) if at >= 0 else None
    begin, last = None, 0
    for element in _elements(reader, cluster.body, cluster.end) if cluster else ():
        if element.name == _TIMESTAMP:
            begin = int.from_bytes(reader.read(element.body, min(element.end - element.body, 8)), "big")
        elif element.name == _BLOCK_GROUP:
            group = _elements(reader, element.body, element.end)
            last = max([last, *(_block_time(reader, block) for block in group if block.name == _BLOCK)])
        elif element.name == _SIMPLE_BLOCK:
            last = max(last, _block_time(reader, element))
    return None if begin is None else begin + last


def _block_time(reader: Reader, block: _Element) -> int:
    """Relative to its cluster; it comes after the track's number, of one byte in all but the strangest files."""
    (time,) = reader.unpack(">xh", block.body)
    return int(time)
