"""MP4 and M4A: ISO/IEC 14496-12 and 14496-14."""

import contextlib
import struct
from typing import NamedTuple

from lambdas.planning.media_headers import mp4_fragments, mp4_sound
from lambdas.planning.media_headers.boxes import Box, boxes, find, versioned
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader, Unreadable

_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
# Families of brands that MP4 files have. Not QuickTime's ("qt  "), which Transcribe doesn't take.
_VIDEO_BRANDS = (b"iso", b"mp4", b"avc1", b"dash", b"M4V", b"MSNV")
_QUICKTIME = b"qt  "
_UNKNOWN = (0, 2**32 - 1, 2**64 - 1)
_LONGEST_TABLE = 1 << 20


class _Movie(NamedTuple):
    """`fragments` is the box `mvex`, `fragment` the first fragment; `cut`: the file ends before the sound does."""

    moov: Box | None
    fragments: Box | None
    fragment: Box | None
    segments: Box | None
    cut: bool


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start + 4, 4) != b"ftyp":
        return None
    brands = next(boxes(reader, start, reader.size), None)
    media_format = _format(reader.read(brands.body, min(brands.end - brands.body, 1024))) if brands else None
    if not brands or media_format is None:
        return None
    header = Header(media_format)
    with contextlib.suppress(Unreadable):
        movie = _movie(reader, brands.end)
        tracks = _sound_tracks(reader, movie.moov) if movie.moov else []
        described = [mp4_sound.described(reader, track) for track in tracks]
        rates, channels = {sound.rate for sound in described}, {sound.channels for sound in described}
        header = header._replace(
            sample_rate=rates.pop() if len(rates) == 1 else None,
            channels=channels.pop() if len(channels) == 1 else None,
        )
        claims = [
            seconds
            for track, sound in zip(tracks, described, strict=True)
            for seconds in _lengths(reader, movie, track, sound.frame_seconds)
        ]
        breaks_off = movie.cut or any(_goes_on(reader, track) for track in tracks)
        header = header.lasting([0.0, *claims] if breaks_off and claims else claims)
    return header


def _format(brands: bytes) -> str | None:
    """The format by the major brand, else by the compatible brands, because phones write 3GPP's brand first."""
    major, *compatible = [brands[at : at + 4] for at in (0, *range(8, len(brands), 4))]
    if major in _AUDIO_BRANDS:
        return "m4a"
    if major != _QUICKTIME and any(brand.startswith(_VIDEO_BRANDS) for brand in (major, *compatible)):
        return "mp4"
    return None


def _movie(reader: Reader, offset: int) -> _Movie:
    found: dict[bytes, Box] = {}
    fragments = None
    for box in boxes(reader, offset, reader.size):
        found.setdefault(box.name, box)
        if box.name == b"moov":
            fragments = find(reader, box, b"mvex")
        if box.name == b"moof" or (not fragments and found.keys() >= {b"moov", b"mdat"}):
            break
    cut = any(box.cut for name, box in found.items() if name in (b"moov", b"mdat"))
    return _Movie(found.get(b"moov"), fragments, found.get(b"moof"), found.get(b"sidx"), cut)


def _sound_tracks(reader: Reader, index: Box) -> list[Box]:
    handlers = [
        (track, find(reader, track, b"mdia", b"hdlr"))
        for track in boxes(reader, index.body, index.end)
        if track.name == b"trak"
    ]
    return [track for track, box in handlers if box and reader.read(box.body + 8, 4) == b"soun"]


def _goes_on(reader: Reader, track: Box) -> bool:
    """Whether the track's last chunk lies behind the file's end, because the upload broke off."""
    for name, layout in ((b"stco", ">I"), (b"co64", ">Q")):
        if box := find(reader, track, b"mdia", b"minf", b"stbl", name):
            (count,) = reader.unpack(">4xI", box.body)
            (last,) = reader.unpack(layout, box.body + 8 + (count - 1) * struct.calcsize(layout)) if count else (0,)
            return bool(last >= reader.size)
    return False


def _lengths(reader: Reader, movie: _Movie, track: Box, frame_seconds: float) -> list[float]:
    """The claims about one track's length in seconds: by its times, its number of frames, and its edits."""
    assert movie.moov
    scale, duration = _media_times(reader, track)
    ticks = _ticks(reader, track)
    if movie.fragments:
        in_fragments = mp4_fragments.lengths(
            reader,
            track,
            movie.fragments,
            first=movie.fragment,
            segments=movie.segments,
            scale=scale,
            before=ticks,
        )
        (movie_scale,) = _movie_scale(reader, movie.moov)
        total = find(reader, movie.fragments, b"mehd")
        if in_fragments and total and movie_scale:
            (length,) = versioned(reader, total, ">I", ">Q")
            in_fragments += [length / movie_scale] if length not in _UNKNOWN else []
        return in_fragments
    claims = []
    if scale:
        claims += [value / scale for value in (duration, ticks) if value and value not in _UNKNOWN]
    sizes = find(reader, track, b"mdia", b"minf", b"stbl", b"stsz")
    if sizes and frame_seconds:
        (count,) = reader.unpack(">8xI", sizes.body)
        claims += [count * frame_seconds] if count else []
    claims += [played] if (played := _played(reader, movie.moov, track)) else []
    return claims


def _movie_scale(reader: Reader, index: Box) -> tuple[int, ...]:
    box = find(reader, index, b"mvhd")
    return versioned(reader, box, ">8xI", ">16xI") if box else (0,)


def _media_times(reader: Reader, track: Box) -> tuple[int, int]:
    """Ticks per second of the track's own times, and its length in them."""
    box = find(reader, track, b"mdia", b"mdhd")
    if not box:
        return 0, 0
    scale, duration = versioned(reader, box, ">8xII", ">16xIQ")
    return scale, duration


def _ticks(reader: Reader, track: Box) -> int:
    """The sum of the samples' lengths, 0 if their table is missing or too long to be read."""
    box = find(reader, track, b"mdia", b"minf", b"stbl", b"stts")
    if not box or box.end - box.body > _LONGEST_TABLE:
        return 0
    table = reader.read(box.body + 8, (box.end - box.body - 8) // 8 * 8)
    return sum(int(count * length) for count, length in struct.iter_unpack(">II", table))


def _played(reader: Reader, index: Box, track: Box) -> float | None:
    """The seconds that are played, without the encoder's lead-in and a pause before the beginning."""
    (scale,) = _movie_scale(reader, index)
    if not scale:
        return None
    edits = find(reader, track, b"edts", b"elst")
    if edits and edits.end - edits.body <= _LONGEST_TABLE:
        version, count = reader.unpack(">B3xI", edits.body)
        layout = ">QqI" if version == 1 else ">IiI"
        size = struct.calcsize(layout)
        table = reader.read(edits.body + 8, min(count * size, (edits.end - edits.body - 8) // size * size))
        ticks = sum(int(length) for length, begin, _ in struct.iter_unpack(layout, table) if begin >= 0)
        return ticks / int(scale)
    box = find(reader, track, b"tkhd")
    (duration,) = versioned(reader, box, ">16xI", ">24xQ") if box else (0,)
    return float(duration / scale) if duration not in _UNKNOWN else None
