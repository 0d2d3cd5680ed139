"""WebM: RFC 8794 (EBML) and RFC 9559 (Matroska).

The length is measured from the first block of sound to the last one, and compared with the duration in the header: some
programs write the end relative to the begin of a longer recording, or use another unit.
"""

import contextlib
import math
import struct
from collections.abc import Collection

from lambdas.planning.media_headers import density, ogg_sound, webm_blocks
from lambdas.planning.media_headers.ebml import Element, elements, values
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader, Unreadable

_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _INFO, _TIMESTAMP_SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK, _TRACK_NUMBER, _TRACK_TYPE, _AUDIO = 0x1654AE6B, 0xAE, 0xD7, 0x83, 0xE1
_CODEC, _CODEC_PRIVATE = 0x86, 0x63A2
_RATE, _CHANNELS = 0xB5, 0x9F
_AUDIO_TRACK = 2
# The codec's own header begins within this many bytes of the private data: Vorbis writes lengths before its headers.
_LONGEST_LENGTHS = 64


def read(reader: Reader, start: int) -> Header | None:
    top = elements(reader, start, reader.size)
    head = next(top, None)
    if not head or head.name != _EBML or values(reader, head).get(_DOC_TYPE, b"").rstrip(b"\0") != b"webm":
        return None
    header = Header("webm")
    with contextlib.suppress(Unreadable):
        segment = next((element for element in top if element.name == _SEGMENT), None)
        scale, duration = 1_000_000, 0.0
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
            elif element.name == webm_blocks.CLUSTER:
                first = next(webm_blocks.times(reader, element, tracks), None)
                if first:
                    return header.lasting(_lengths(reader, first, tracks, duration, scale / 1e9))
    return header


def _lengths(
    reader: Reader, first: tuple[int, int], tracks: Collection[int], duration: float, tick: float
) -> list[float]:
    """Lengths in seconds by the blocks and by the duration, in its closer reading; empty if the times have a gap."""
    begin, first_time = first
    last = webm_blocks.last_cluster(reader, tracks)
    if not last or reader.is_again(_EBML.to_bytes(4, "big"), begin):
        return []
    if last[0][0] > begin and last[0][1] <= first_time:
        return []  # the times begin again with each cluster
    last_time = max(time for _, time in last)
    seconds = (last_time - first_time) * tick
    claims = [seconds, seconds + webm_blocks.LONGEST_BLOCK_SECONDS]
    if duration > 0:
        readings = duration * tick, max(duration - first_time, 0) * tick
        claims.append(min(readings, key=lambda reading: abs(reading - seconds)))
    is_sound = density.borne_out(
        reader, begin, min(claims), lambda offset, piece: webm_blocks.measured(reader, offset, piece, tracks, tick)
    )
    return claims if is_sound else []


def _float(value: bytes) -> float:
    """The number; 0.0 for invalid bytes."""
    if len(value) not in (4, 8):
        return 0.0
    (number,) = struct.unpack(">f" if len(value) == 4 else ">d", value)
    return float(number) if math.isfinite(number) else 0.0


def _sound_tracks(reader: Reader, tracks: Element) -> dict[int, tuple[int | None, int | None]]:
    """Audio track number -> sample rate and channels, each None if uncertain."""
    found = {}
    for track in elements(reader, tracks.body, tracks.end):
        about = values(reader, track) if track.name == _TRACK else {}
        if int.from_bytes(about.get(_TRACK_TYPE, b""), "big") == _AUDIO_TRACK:
            number = int.from_bytes(about.get(_TRACK_NUMBER, b"\x01"), "big")
            found[number] = _sound(reader, track, is_opus=about.get(_CODEC, b"").rstrip(b"\0") == b"A_OPUS")
    return found


def _sound(reader: Reader, track: Element, *, is_opus: bool) -> tuple[int | None, int | None]:
    """Sample rate and channels by the track, None if the codec's header contradicts. Opus always decodes at 48 kHz."""
    settings: dict[int, bytes] = {}
    own = None
    for child in elements(reader, track.body, track.end):
        if child.name == _AUDIO:
            settings = values(reader, child)
        elif child.name == _CODEC_PRIVATE:
            at = reader.read(child.body, min(child.end - child.body, _LONGEST_LENGTHS)).find(b"\x01vorbis")
            own = ogg_sound.described(reader, child.body + max(at, 0))
    rate = 48_000 if is_opus else round(_float(settings.get(_RATE, b"")))
    channels = int.from_bytes(settings.get(_CHANNELS, b"\x01"), "big")
    return (
        rate if rate > 0 and (not own or own.rate == rate) else None,
        channels if channels and (not own or own.channels == channels) else None,
    )
