"""Fragmented MP4, as DASH, CMAF and live recorders write it: ISO/IEC 14496-12, 8.8 (fragments) and 8.16.3 (index)."""

import itertools
import struct
from typing import NamedTuple

from lambdas.planning.media_headers import density
from lambdas.planning.media_headers.boxes import Box, boxes, find, versioned
from lambdas.planning.media_headers.reader import TAIL, Reader, Unreadable

_FILE = b"ftyp"
# The last fragment is searched in the end of the file: first as much as seconds of sound take, then as much as video.
_TAILS = (TAIL, 1 << 20)
_CANDIDATES = 16
_LONGEST_TABLE = 1 << 20
_BASE_OFFSET, _DESCRIPTION, _LENGTH = 0x1, 0x2, 0x8  # of tfhd
_DATA_OFFSET, _FIRST_FLAGS, _LENGTHS, _COLUMNS = 0x1, 0x4, 0x100, 0xF00  # of trun
# The boxes that may follow the last segment of an index of the whole file.
_AFTER_SEGMENTS = {b"mfra", b"free", b"skip"}


class _Track(NamedTuple):
    number: int
    default_length: int


def lengths(
    reader: Reader, track: Box, extends: Box, *, first: Box | None, segments: Box | None, scale: int, before: int
) -> list[float]:
    """The claims of the fragments and their index about the length of `track`, in seconds.

    `scale` is the track's ticks per second; `before` is the ticks of the samples in the movie's own index.
    """
    claims = []
    if segments and (seconds := _indexed(reader, segments)):
        claims.append(seconds)
    known = _track(reader, track, extends)
    if not (scale and known and first):
        return claims
    if reader.is_again(_FILE, first.body):
        return []
    begin = _times(reader, first, known)
    last = _last(reader, known)
    if begin and last:
        fragment, times = last
        if fragment.body != first.body and times[0] < begin[1]:
            return []  # the times begin again
        data = next(boxes(reader, fragment.end, reader.size), None)
        breaks_off = not data or data.cut
        seconds, most = ((end - begin[0] + before) / scale for end in (times[not breaks_off], times[1]))
        if not density.borne_out(
            reader, first.body, seconds, lambda at, piece: _measured(reader, at, piece, known, scale)
        ):
            return []
        claims += [seconds, most]
    return claims


def _track(reader: Reader, track: Box, extends: Box) -> _Track | None:
    header = find(reader, track, b"tkhd")
    if not header:
        return None
    (number,) = versioned(reader, header, ">8xI", ">16xI")
    for box in boxes(reader, extends.body, extends.end):
        if box.name == b"trex" and reader.unpack(">4xI", box.body) == (number,):
            return _Track(number, *reader.unpack(">12xI", box.body))
    return _Track(number, 0)


def _indexed(reader: Reader, box: Box) -> float | None:
    """The seconds by the segment index, None if the index isn't of the whole file."""
    (scale,) = reader.unpack(">8xI", box.body)
    offset, count = versioned(reader, box, ">12xI2xH", ">16xQ2xH")
    at = box.body + (24 if reader.unpack("B", box.body) != (1,) else 32)
    table = reader.read(at, count * 12)
    entries = list(struct.iter_unpack(">II4x", table[: len(table) // 12 * 12]))
    end = box.end + offset + sum(size & 0x7FFFFFFF for size, _ in entries)
    if not scale or len(entries) < count or end > reader.size:
        return None
    if any(following.name not in _AFTER_SEGMENTS for following in boxes(reader, end, reader.size)):
        return None
    return float(sum(length for _, length in entries) / scale)


def _times(reader: Reader, fragment: Box, track: _Track) -> tuple[int, int] | None:
    """Begin and end of the track's sound in a fragment, in ticks; None if the fragment has no time or not the track."""
    for traf in boxes(reader, fragment.body, fragment.end):
        if traf.name != b"traf":
            continue
        parts = list(boxes(reader, traf.body, traf.end))
        header = next((box for box in parts if box.name == b"tfhd"), None)
        time = next((box for box in parts if box.name == b"tfdt"), None)
        if not header or not time:
            continue
        flags, number = reader.unpack(">II", header.body)
        if number != track.number:
            continue
        default = track.default_length
        if flags & _LENGTH:
            at = header.body + 8 + (8 if flags & _BASE_OFFSET else 0) + (4 if flags & _DESCRIPTION else 0)
            (default,) = reader.unpack(">I", at)
        (begin,) = versioned(reader, time, ">I", ">Q")
        return begin, begin + sum(_run(reader, box, default) for box in parts if box.name == b"trun")
    return None


def _run(reader: Reader, box: Box, default: int) -> int:
    """The ticks of one run of samples; their lengths are in a table or all equal."""
    flags, count = reader.unpack(">II", box.body)
    if not flags & _LENGTHS:
        return int(count * default)
    at = box.body + 8 + (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
    stride = 4 * (flags & _COLUMNS).bit_count()
    size = count * stride
    if size > min(box.end - at, _LONGEST_TABLE):
        raise Unreadable
    table = reader.read(at, size)
    return sum(length for (length,) in struct.iter_unpack(f">I{stride - 4}x", table))


def _last(reader: Reader, track: _Track) -> tuple[Box, tuple[int, int]] | None:
    """The last fragment that has the track, and its times."""
    for length in _TAILS:
        tail = reader.tail(length)
        begin = reader.size - len(tail)
        at = tail.rfind(b"moof")
        for _ in range(_CANDIDATES):
            if at < 4:
                break
            fragment = next(boxes(reader, begin + at - 4, reader.size), None)
            if fragment and not fragment.cut and find(reader, fragment, b"mfhd"):
                times = _times(reader, fragment, track)
                if times:
                    return fragment, times
            at = tail.rfind(b"moof", 0, at)
        if length >= reader.size:
            break
    return _listed(reader, track)


def _measured(reader: Reader, offset: int, piece: bytes, track: _Track, scale: int) -> tuple[int, float] | None:
    """Bytes and seconds of the first fragment in a piece of the file, with its sound."""
    at = piece.find(b"moof")
    parts = list(itertools.islice(boxes(reader, offset + at - 4, reader.size), 2)) if at >= 4 else []
    times = _times(reader, parts[0], track) if len(parts) == 2 else None
    return (parts[1].end - parts[0].body, (times[1] - times[0]) / scale) if times else None


def _listed(reader: Reader, track: _Track) -> tuple[Box, tuple[int, int]] | None:
    """As `_last`, by the list of fragments (`mfra`) at the end of the file."""
    name, length = reader.unpack(">4s4xI", reader.size - 12)
    if name != b"mfro" or length > reader.size:
        return None
    fragments = next(boxes(reader, reader.size - length, reader.size), None)
    for box in boxes(reader, fragments.body, fragments.end) if fragments else ():
        if box.name != b"tfra":
            continue
        version, number, widths, count = reader.unpack(">B3xIII", box.body)
        size = (16 if version == 1 else 8) + sum((widths >> shift & 3) + 1 for shift in (0, 2, 4))
        if number != track.number or not count:
            continue
        (offset,) = reader.unpack(">8xQ" if version == 1 else ">4xI", box.body + 16 + (count - 1) * size)
        fragment = next(boxes(reader, offset, reader.size), None)
        times = _times(reader, fragment, track) if fragment and fragment.name == b"moof" else None
        return (fragment, times) if fragment and times else None
    return None
