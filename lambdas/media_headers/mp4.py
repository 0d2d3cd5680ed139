"""MP4 and M4A: ISO/IEC 14496-12 (boxes), 14496-14 and 14496-1 (esds), 14496-3 (AudioSpecificConfig)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
# Families of brands that MP4 files have. Not QuickTime's ("qt  "), which Transcribe doesn't take.
_VIDEO_BRANDS = (b"iso", b"mp4", b"avc1", b"dash", b"M4V", b"MSNV")
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_PARAMETRIC_STEREO = 29
_SPECTRAL_BAND_REPLICATION = {5, _PARAMETRIC_STEREO}
# DecoderConfigDescriptor, then DecoderSpecificInfo within it; lengths may be written in four bytes.
_AAC_CONFIG = re.compile(rb"esds.{4}.*?\x04(?:\x80{3})?.{14}\x05(?:\x80{3})?.(.{2,3})", re.DOTALL)
_LONGEST_SAMPLE_ENTRY = 512


class _Box(NamedTuple):
    name: bytes
    body: int
    end: int


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start + 4, 4) != b"ftyp":
        return None
    media_format, movie = None, None
    for box in _boxes(reader, start, reader.size):
        if box.name == b"ftyp":
            media_format = _format(reader.read(box.body, min(box.end - box.body, 1024)))
        elif box.name == b"moov":
            movie = box
            break
    if media_format is None:
        return None
    return _sound(reader, media_format, movie) if movie else Header(media_format)


def _format(brands: bytes) -> str | None:
    if brands[:4] in _AUDIO_BRANDS:
        return "m4a"
    return "mp4" if brands.startswith(_VIDEO_BRANDS) else None


def _boxes(reader: Reader, offset: int, end: int) -> Iterator[_Box]:
    while offset + 8 <= min(end, reader.size):
        size, name = reader.unpack(">I4s", offset)
        body = offset + 8
        if size == 1:
            (size,) = reader.unpack(">Q", body)
            body += 8
        elif size == 0:
            size = end - offset
        if offset + size < body:
            return
        yield _Box(name, body, min(offset + size, end))
        offset += size


def _find(reader: Reader, box: _Box, *path: bytes) -> _Box | None:
    """The first box at this path below `box`."""
    found: _Box | None = box
    for name in path:
        if found is None:
            return None
        found = next((child for child in _boxes(reader, found.body, found.end) if child.name == name), None)
    return found


def _sound(reader: Reader, media_format: str, movie: _Box) -> Header:
    for track in _boxes(reader, movie.body, movie.end):
        handler = _find(reader, track, b"mdia", b"hdlr") if track.name == b"trak" else None
        if handler and reader.read(handler.body + 8, 4) == b"soun":
            seconds = _seconds(reader, movie, track)
            samples = _find(reader, track, b"mdia", b"minf", b"stbl", b"stsd")
            return Header(media_format, seconds, *(_description(reader, samples) if samples else (None, None)))
    return Header(media_format)


def _seconds(reader: Reader, movie: _Box, track: _Box) -> float | None:
    movie_header = _find(reader, movie, b"mvhd")
    if not movie_header:
        return None
    (time_scale,) = _versioned(reader, movie_header, ">12xI", ">20xI")
    if fragments := _find(reader, movie, b"mvex"):
        # The track's own duration leaves out what is in the fragments.
        total = _find(reader, fragments, b"mehd")
        (duration,) = _versioned(reader, total, ">4xI", ">4xQ") if total else (0,)
    else:
        # Of what is played: with the track's edits, so without the encoder's lead-in.
        track_header = _find(reader, track, b"tkhd")
        (duration,) = _versioned(reader, track_header, ">20xI", ">28xQ") if track_header else (0,)
    known = duration not in (0, 2**32 - 1, 2**64 - 1)
    return duration / time_scale if known and time_scale else None


def _versioned(reader: Reader, box: _Box, short: str, long: str) -> tuple[int, ...]:
    (version,) = reader.unpack("B", box.body)
    return reader.unpack(long if version == 1 else short, box.body)


def _description(reader: Reader, samples: _Box) -> tuple[int, int]:
    """Sample rate and channels: those of the AAC configuration if there is one: the entry's own may be nominal."""
    entry = samples.body + 8
    channels, rate = reader.unpack(">24xH6xH", entry)  # the rate is a 16.16 fixed point number
    config = _AAC_CONFIG.search(reader.read(entry, min(samples.end - entry, _LONGEST_SAMPLE_ENTRY)))
    if config:
        # Object type (5 bits), rate (4), channels (4), with band replication the rate that comes out of it (4).
        bits = int.from_bytes(config[1].ljust(3, b"\0"), "big")
        object_type, rate_index, layout, output_index = bits >> 19, bits >> 15 & 15, bits >> 11 & 15, bits >> 7 & 15
        if object_type in _SPECTRAL_BAND_REPLICATION:
            rate_index = output_index
        if rate_index < len(_AAC_RATES):
            rate = _AAC_RATES[rate_index]
        if 0 < layout < 7:
            channels = layout
        if object_type == _PARAMETRIC_STEREO:
            channels = 2
    return rate, channels
