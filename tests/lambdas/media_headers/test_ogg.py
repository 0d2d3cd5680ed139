import struct

import pytest

from lambdas.media_headers import Header, read_header
from tests.lambdas.media_headers.recordings import Memory, encode


def page(packet: bytes, *, granule: int = 0, serial: int = 7, first: bool = False) -> bytes:
    segments = [255] * (len(packet) // 255) + [len(packet) % 255]
    fixed = struct.pack("<4sBBqIIIB", b"OggS", 0, 2 if first else 0, granule, serial, 0, 0, len(segments))
    return fixed + bytes(segments) + packet


OPUS = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 16_000, 0, 0)


def test_what_opus_skips_at_its_beginning_does_not_count() -> None:
    data = page(OPUS, first=True) + page(bytes(900), granule=96_312)
    assert read_header(Memory(data)) == Header("ogg", 2.0, 2.0, 48_000, 2)


def test_speex_is_read() -> None:
    speex = b"Speex   " + bytes(28) + struct.pack("<IIII", 16_000, 1, 4, 1) + bytes(28)
    data = page(speex, first=True) + page(bytes(900), granule=32_000)
    assert read_header(Memory(data)) == Header("ogg", 2.0, 2.0, 16_000, 1)


def test_flac_in_ogg_is_measured_by_its_last_page() -> None:
    stream_info = bytes(10) + (16_000 << 44 | 0 << 41 | 15 << 36).to_bytes(8, "big") + bytes(16)
    flac = b"\x7fFLAC\x01\x00\x00\x01fLaC\x00\x00\x00\x22" + stream_info
    data = page(flac, first=True) + page(bytes(900), granule=40_000)
    assert read_header(Memory(data)) == Header("ogg", 2.5, 2.5, 16_000, 1)


def test_another_stream_does_not_count() -> None:
    theora = page(b"\x80theora" + bytes(30), serial=1, first=True)
    data = theora + page(OPUS, first=True) + page(b"", granule=48_312) + page(b"", granule=10**9, serial=1)
    assert read_header(Memory(data)) == Header("ogg", 1.0, 1.0, 48_000, 2)


def test_a_page_on_which_no_packet_ends_does_not_count() -> None:
    data = page(OPUS, first=True) + page(b"", granule=48_312) + page(bytes(255), granule=-1)
    assert read_header(Memory(data)) == Header("ogg", 1.0, 1.0, 48_000, 2)


def test_a_recording_that_breaks_off_is_as_long_as_what_is_there() -> None:
    whole = encode("ogg", "libopus", seconds=8)
    header = read_header(Memory(whole[: len(whole) // 2]))
    assert header and header.seconds == pytest.approx(4, abs=1)  # a page of FFmpeg holds a second


def test_a_long_recording_takes_two_reads() -> None:
    source = Memory(page(OPUS, first=True) + bytes(3_000_000) + page(b"", granule=48_312))
    assert read_header(source) == Header("ogg", 1.0, 1.0, 48_000, 2)
    assert len(source.reads) == 2
