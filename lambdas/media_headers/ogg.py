"""Ogg: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, the Ogg mappings of FLAC and Speex."""

import struct

from lambdas.media_headers import flac
from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

# Magic, version, flags, granule position, serial number, sequence number, checksum, segments.
_PAGE = "<4sBBqIIIB"
_PAGE_BYTES = struct.calcsize(_PAGE)
_LONGEST_PAGE = _PAGE_BYTES + 255 + 255 * 255
_FIRST_OF_STREAM = 0b10


def read(reader: Reader, start: int) -> Header | None:
    if reader.read(start, 4) != b"OggS":
        return None
    offset = start
    # Each stream begins with a page of its own, all of them before any other page.
    while offset + _PAGE_BYTES <= reader.size:
        magic, _, flags, _, serial, _, _, segments = reader.unpack(_PAGE, offset)
        if magic != b"OggS" or not flags & _FIRST_OF_STREAM:
            break
        packet = offset + _PAGE_BYTES + segments
        sound = _sound(reader, packet)
        if sound:
            rate, channels, skipped = sound
            end = _last_granule(reader, serial)
            seconds = (end - skipped) / rate if end is not None and rate else None
            return Header("ogg", seconds, rate, channels)
        offset = packet + sum(reader.read(offset + _PAGE_BYTES, segments))
    return Header("ogg")


def _sound(reader: Reader, packet: int) -> tuple[int, int, int] | None:
    """Sample rate (granules per second), channels and samples to skip at the beginning; None if it isn't sound."""
    magic = reader.read(packet, 8)
    if magic == b"OpusHead":
        channels, skipped = reader.unpack("<9xBH", packet)
        return 48_000, channels, skipped
    if magic[:7] == b"\x01vorbis":
        channels, rate = reader.unpack("<11xBI", packet)
        return rate, channels, 0
    if magic[:5] == b"\x7fFLAC":
        rate, channels, _ = flac.stream_info(reader, packet + 9)
        return rate, channels, 0
    if magic == b"Speex   ":
        rate, channels = reader.unpack("<36xI8xI", packet)
        return rate, channels, 0
    return None


def _last_granule(reader: Reader, serial: int) -> int | None:
    """The position after the stream's last sample, None if no page in the file's tail tells it."""
    tail = reader.tail(2 * _LONGEST_PAGE)
    at = tail.rfind(b"OggS")
    while at >= 0:
        if at + _PAGE_BYTES <= len(tail):
            _, _, _, granule, page_serial, *_ = struct.unpack_from(_PAGE, tail, at)
            if page_serial == serial and granule >= 0:
                return int(granule)
        at = tail.rfind(b"OggS", 0, at)
    return None
