"""Ogg: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, the Ogg mappings of FLAC and Speex.

A page tells how many samples there are up to its end. A part of a longer recording doesn't begin at 0, so what comes
before the samples of its first page is subtracted.
"""

import contextlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.media_headers import ogg_sound
from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader, Unreadable

# Magic, version, flags, granule position, serial number, sequence number, checksum, segments.
_PAGE = "<4sBBqIIIB"
_PAGE_BYTES = struct.calcsize(_PAGE)
_LONGEST_PAGE = _PAGE_BYTES + 255 + 255 * 255
_TAIL = 2 * _LONGEST_PAGE
_CONTINUED, _FIRST_OF_STREAM = 0b01, 0b10
_LONGEST_PACKET_HEADER = 16


class _Page(NamedTuple):
    flags: int
    granule: int
    serial: int
    lacing: bytes
    body: int

    @property
    def end(self) -> int:
        return self.body + sum(self.lacing)


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start, 4) != b"OggS":
        return None
    header = Header("ogg")
    with contextlib.suppress(Unreadable):
        streams: dict[int, ogg_sound.Sound] = {}
        offset = start
        # Each stream begins with a page of its own, all of them before any other page.
        for page in _pages(reader, start):
            if not page.flags & _FIRST_OF_STREAM:
                break
            if sound := ogg_sound.described(reader, page.body):
                streams[page.serial] = sound
            offset = page.end
        if len(streams) != 1:
            return header
        ((serial, sound),) = streams.items()
        header = header._replace(sample_rate=sound.rate or None, channels=sound.channels or None)
        begins, end = _begins(reader, offset, serial, sound), _last_granule(reader, offset, serial)
        if sound.rate and begins and end is not None:
            header = header.lasting(max(end - begin - sound.skipped, 0) / sound.rate for begin in begins)
    return header


def _pages(reader: Reader, offset: int) -> Iterator[_Page]:
    while offset + _PAGE_BYTES <= reader.size:
        magic, _, flags, granule, serial, _, _, segments = reader.unpack(_PAGE, offset)
        if magic != b"OggS":
            return
        lacing = reader.read(offset + _PAGE_BYTES, segments)
        page = _Page(flags, granule, serial, lacing, offset + _PAGE_BYTES + segments)
        yield page
        offset = page.end


def _begins(reader: Reader, offset: int, serial: int, sound: ogg_sound.Sound) -> tuple[int, int] | None:
    """The earliest and the latest sample with which the stream may begin, by its first page with sound."""
    packets: list[bytes] = []
    opening = b""
    for page in _pages(reader, offset):
        if page.serial != serial:
            continue
        if page.flags & _FIRST_OF_STREAM:
            return None
        at = packet = page.body
        opened = bool(page.flags & _CONTINUED)
        for size in page.lacing:
            at += size
            if size < 255:
                packets.append(opening if opened else reader.read(packet, min(_LONGEST_PACKET_HEADER, at - packet)))
                packet, opened = at, False
        if at > packet and not opened:
            opening = reader.read(packet, min(_LONGEST_PACKET_HEADER, at - packet))
        if page.granule > 0:
            return ogg_sound.begins(sound, page.granule, packets)
        if page.granule == 0:  # comments and other packets without sound
            packets = []
    return None


def _last_granule(reader: Reader, begin: int, serial: int) -> int | None:
    """The position after the stream's last sample; None if the file's tail doesn't tell, or has another beginning."""
    tail = reader.tail(_TAIL)
    granules = []
    at = tail.find(b"OggS")
    while 0 <= at <= len(tail) - _PAGE_BYTES:
        _, _, flags, granule, page_serial, *_ = struct.unpack_from(_PAGE, tail, at)
        if flags & _FIRST_OF_STREAM and reader.size - len(tail) + at >= begin:
            return None
        if page_serial == serial and granule >= 0:
            granules.append(granule)
        at = tail.find(b"OggS", at + 4)
    return granules[-1] if granules else None
