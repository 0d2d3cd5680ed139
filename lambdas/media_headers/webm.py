"""WebM: RFC 8794 (EBML) and RFC 9559 (Matroska).

The length is measured from the first block of sound to the last one. The duration in the header is held against it:
some programs write when the recording ends, counted from when a longer one began, or write it in another unit.
"""

import contextlib
import math
import struct
from collections.abc import Collection

from lambdas.media_headers.ebml import Element, elements, values
from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader, Unreadable

_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _INFO, _TIMESTAMP_SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK, _TRACK_NUMBER, _TRACK_TYPE, _CODEC, _AUDIO = 0x1654AE6B, 0xAE, 0xD7, 0x83, 0x86, 0xE1
_RATE, _OUTPUT_RATE, _CHANNELS = 0xB5, 0x78B5, 0x9F
_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0x1F43B675, 0xE7, 0xA3, 0xA0, 0xA1
_AUDIO_TRACK = 2
# The last cluster of sound is looked for in the end of the file. None is longer than 33 s, since its blocks' times have
# 16 bits, and Opus seldom has more than 256 kbit/s; most are a tenth of that.
_TAILS = (128 * 1024, 1 << 20)
_CANDIDATES = 16
# A block of one packet: of Opus 0.12 s at the most, of Vorbis at 48 kHz 0.09 s.
_LONGEST_BLOCK_SECONDS = 0.12


def read(reader: Reader, start: int) -> Header | None:
    top = elements(reader, start, reader.size)
    head = next(top, None)
    if not head or head.name != _EBML or values(reader, head).get(_DOC_TYPE, b"").rstrip(b"\0") != b"webm":
        return None
    header = Header("webm")
    with contextlib.suppress(Unreadable):
        segment = next((element for element in top if element.name == _SEGMENT), None)
        scale, duration, first = 1_000_000, 0.0, None
        tracks: dict[int, tuple[int | None, int | None]] = {}
        for element in elements(reader, segment.body, segment.end) if segment else ():
            if element.name == _INFO:
                info = values(reader, element)
                scale = int.from_bytes(info.get(_TIMESTAMP_SCALE, b"\x0f\x42\x40"), "big")
                duration = _float(info.get(_DURATION, b""))
            elif element.name == _TRACKS:
                tracks = _sound_tracks(reader, element)
                rates, channels = ({track[place] for track in tracks.values()} for place in (0, 1))
                header = header._replace(
                    sample_rate=rates.pop() if len(rates) == 1 else None,
                    channels=channels.pop() if len(channels) == 1 else None,
                )
            elif element.name == _CLUSTER and (times := _block_times(reader, element, tracks.keys(), stop=True)):
                first = times[0]
                break
        last = _last_time(reader, tracks.keys())
        if first is not None and last is not None and last >= first:
            header = header.lasting(_lengths(first, last, duration, scale / 1e9))
    return header


def _lengths(first: int, last: int, duration: float, tick: float) -> list[float]:
    """What the blocks say, and the duration in the reading that comes closer to it, in seconds."""
    measured = (last - first) * tick
    claims = [measured, measured + _LONGEST_BLOCK_SECONDS]
    if duration > 0:
        readings = duration * tick, max(duration - first, 0) * tick
        claims.append(min(readings, key=lambda seconds: abs(seconds - measured)))
    return claims


def _float(value: bytes) -> float:
    """0.0 for what isn't a number."""
    if len(value) not in (4, 8):
        return 0.0
    (number,) = struct.unpack(">f" if len(value) == 4 else ">d", value)
    return float(number) if math.isfinite(number) else 0.0


def _sound_tracks(reader: Reader, tracks: Element) -> dict[int, tuple[int | None, int | None]]:
    """Sample rate and channels of the audio tracks by their numbers."""
    found = {}
    for track in elements(reader, tracks.body, tracks.end):
        if track.name != _TRACK:
            continue
        about = values(reader, track)
        if int.from_bytes(about.get(_TRACK_TYPE, b""), "big") != _AUDIO_TRACK:
            continue
        audio = next((child for child in elements(reader, track.body, track.end) if child.name == _AUDIO), None)
        settings = values(reader, audio) if audio else {}
        rate = round(_float(settings.get(_OUTPUT_RATE, b"")) or _float(settings.get(_RATE, b"")))
        if about.get(_CODEC, b"").rstrip(b"\0") == b"A_OPUS":
            rate = 48_000
        number = int.from_bytes(about.get(_TRACK_NUMBER, b"\x01"), "big")
        found[number] = (rate if rate > 0 else None, int.from_bytes(settings.get(_CHANNELS, b"\x01"), "big") or None)
    return found


def _last_time(reader: Reader, tracks: Collection[int]) -> int | None:
    """When the last block begins, None if the file's tail holds none."""
    for length in _TAILS:
        tail = reader.tail(length)
        begin = reader.size - len(tail)
        at = len(tail)
        for _ in range(_CANDIDATES):
            at = tail.rfind(_CLUSTER.to_bytes(4, "big"), 0, at)
            if at < 0:
                break
            cluster = next(elements(reader, begin + at, reader.size), None)
            if cluster and (times := _block_times(reader, cluster, tracks)):
                return max(times)
        if length >= reader.size:
            break
    return None


def _block_times(reader: Reader, cluster: Element, tracks: Collection[int], *, stop: bool = False) -> list[int]:
    """When the cluster's blocks of these tracks begin, only the first one if it is to `stop` there."""
    begin: int | None = None
    times: list[int] = []
    for element in elements(reader, cluster.body, cluster.end):
        if element.name == _TIMESTAMP:
            begin = int.from_bytes(reader.read(element.body, min(element.end - element.body, 8)), "big")
        elif element.name == _BLOCK_GROUP:
            for block in elements(reader, element.body, element.end):
                if block.name == _BLOCK:
                    times += _block_time(reader, block, tracks)
        elif element.name == _SIMPLE_BLOCK:
            times += _block_time(reader, element, tracks)
        elif element.name == _CLUSTER:  # the one before is of unknown size
            break
        if stop and begin is not None and times:
            break
    return [begin + time for time in times] if begin is not None else []


def _block_time(reader: Reader, block: Element, tracks: Collection[int]) -> tuple[int, ...]:
    """Relative to its cluster; none of another track, or of one with a number of several bytes, which nobody writes."""
    number, time = reader.unpack(">Bh", block.body)
    return (time,) if number - 128 in tracks else ()
