"""The description of a track's sound in MP4: the sample entries of ISO/IEC 14496-12, 14496-14 and of each codec."""

from lambdas.planning.media_headers import aac, flac
from lambdas.planning.media_headers.boxes import Box, boxes, find
from lambdas.planning.media_headers.reader import Reader

_UNCERTAIN = aac.Sound(None, None, 0.0)
_LONGEST_ENTRY = 4096


def described(reader: Reader, track: Box) -> aac.Sound:
    """The track's sound by the codec's own configuration, because the sample entry's rate is only nominal."""
    descriptions = find(reader, track, b"mdia", b"minf", b"stbl", b"stsd")
    if not descriptions:
        return _UNCERTAIN
    entries = list(boxes(reader, descriptions.body + 8, descriptions.end))
    if len(entries) != 1:
        return _UNCERTAIN
    entry = entries[0]
    if entry.name == b"samr":
        return aac.Sound(8_000, 1, 0.0)
    if entry.name == b"sawb":
        return aac.Sound(16_000, 1, 0.0)
    (channels,) = reader.unpack(">16xH", entry.body)
    if entry.name == b"Opus":
        return aac.Sound(48_000, channels or None, 0.0)
    # The box is searched by its name, because old QuickTime programs nest it in others.
    data = reader.read(entry.body, min(entry.end - entry.body, _LONGEST_ENTRY))
    if entry.name == b"mp4a" and (at := data.find(b"esds")) >= 0:
        return aac.sound(data[at + 4 :]) or _UNCERTAIN
    if entry.name == b"fLaC" and (at := data.find(b"dfLa")) >= 0:
        rate, channels, _ = flac.stream_info(reader, entry.body + at + 4)
        return aac.Sound(rate or None, channels, 0.0)
    if entry.name == b"alac" and (at := data.find(b"alac")) >= 0:
        channels, rate = reader.unpack(">17xB10xI", entry.body + at)
        return aac.Sound(rate or None, channels or None, 0.0)
    return _UNCERTAIN
