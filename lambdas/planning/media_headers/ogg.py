"""Ogg: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, the Ogg mappings of FLAC and Speex.

A page has the number of samples up to its end. A part of a longer recording doesn't begin at 0, so the number before
the samples of its first page is subtracted.
"""

import contextlib
import itertools
import struct
from collections.abc import Iterator
from typing import NamedTuple

from lambdas.planning.media_headers import density, ogg_sound
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import TAIL, Reader, Unreadable

_MAGIC = b"OggS"
# Magic, version, flags, granule position, serial number, sequence number, checksum, segments.
_PAGE = "<4sBBqIIIB"
_PAGE_BYTES = struct.calcsize(_PAGE)
_CONTINUED, _FIRST_OF_STREAM = 0b01, 0b10
_MEASURED_PACKETS = 10_000
_GOES_ON, _LONGEST_PACKET_HEADER = 255, 16


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
    if reader.read(start, 4) != _MAGIC:
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
        first, ends = _begins(reader, offset, serial, sound), _ends(reader, offset, serial)
        if sound.rate and first and ends:
            page, begins = first
            if ends[-1] <= page.granule and page.end < reader.size:
                return header  # the positions begin again or don't increase
            claims = [max(end - begin - sound.skipped, 0) / sound.rate for begin in begins for end in ends]
            if density.borne_out(reader, offset, min(claims), lambda _, piece: _measured(piece, serial, sound)):
                header = header.lasting(claims)
    return header


def _pages(reader: Reader, offset: int) -> Iterator[_Page]:
    while offset + _PAGE_BYTES <= reader.size:
        magic, _, flags, granule, serial, _, _, segments = reader.unpack(_PAGE, offset)
        if magic != _MAGIC:
            return
        lacing = reader.read(offset + _PAGE_BYTES, segments)
        page = _Page(flags, granule, serial, lacing, offset + _PAGE_BYTES + segments)
        yield page
        offset = page.end


def _packets(page: _Page) -> Iterator[tuple[int, int, bool]]:
    """Begin and length of the page's packets, or of their parts on it, and whether the packet ends on the page."""
    begin = at = page.body
    for size in page.lacing:
        at += size
        if size < _GOES_ON:
            yield begin, at - begin, True
            begin = at
    if at > begin:
        yield begin, at - begin, False


def _begins(reader: Reader, offset: int, serial: int, sound: ogg_sound.Sound) -> tuple[_Page, tuple[int, int]] | None:
    """The first page with sound, and the earliest and the latest possible first sample of the stream by that page."""
    packets: list[bytes] = []
    opening = b""
    for page in _pages(reader, offset):
        if page.serial != serial:
            continue
        if page.flags & _FIRST_OF_STREAM:
            return None
        continued = bool(page.flags & _CONTINUED)
        for begin, length, ends in _packets(page):
            if not continued:
                opening = reader.read(begin, min(length, _LONGEST_PACKET_HEADER))
            if ends:
                packets.append(opening)
            continued = continued and not ends
        if page.granule > 0:
            return page, ogg_sound.begins(sound, page.granule, packets)
        if page.granule == 0:  # comments and other packets without sound
            packets = []
    return None


def _ends(reader: Reader, begin: int, serial: int) -> list[int]:
    """The position after the stream's last sample; two candidates if the last page is cut short.

    Empty if the file's tail has no such page, or another stream begins there.
    """
    tail = reader.tail(TAIL)
    ends: list[int] = []
    for at, page in _pages_in(tail):
        if page.flags & _FIRST_OF_STREAM and reader.size - len(tail) + at >= begin:
            return []
        if page.serial == serial and page.granule >= 0:
            ends = [page.granule] if page.end <= len(tail) else [*ends, page.granule]
    return ends


def _measured(piece: bytes, serial: int, sound: ogg_sound.Sound) -> tuple[int, float] | None:
    """Bytes and seconds of the pages in a piece of the file, without packets that begin on an earlier page."""
    pages = list(_pages_in(piece))
    packets = (
        piece[begin : begin + min(length, _LONGEST_PACKET_HEADER)]
        for _, page in pages[:-1]
        if page.serial == serial
        for begin, length, ends in itertools.islice(_packets(page), page.flags & _CONTINUED, None)
        if ends
    )
    most = sum(ogg_sound.samples(sound, packet)[1] for packet in itertools.islice(packets, _MEASURED_PACKETS))
    return (pages[-1][0] - pages[0][0], most / sound.rate) if pages else None


def _pages_in(data: bytes) -> Iterator[tuple[int, _Page]]:
    """The pages that begin within `data`, with their places; the last page may be incomplete."""
    at = data.find(_MAGIC)
    while 0 <= at <= len(data) - _PAGE_BYTES:
        _, _, flags, granule, serial, _, _, segments = struct.unpack_from(_PAGE, data, at)
        body = at + _PAGE_BYTES + segments
        yield at, _Page(flags, granule, serial, data[at + _PAGE_BYTES : body], body)
        at = data.find(_MAGIC, at + len(_MAGIC))
