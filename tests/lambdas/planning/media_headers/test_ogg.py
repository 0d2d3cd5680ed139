import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, cut, encode


def page(*packets: bytes, granule: int = 0, serial: int = 7, first: bool = False) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    flags = 2 if first else 0
    fixed = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, 0, 0, len(lacing))
    return fixed + lacing + b"".join(packets)


OPUS = page(b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 16_000, 0, 0), first=True)
TAGS = page(b"OpusTags" + bytes(20))
PACKET = bytes([1 << 3]) + bytes(99)  # 20 ms


def opus(*, begin: int = 0, seconds: int = 2) -> bytes:
    """Pages of a second each, from the sample `begin` on."""
    pages = [page(*[PACKET] * 50, granule=begin + 48_000 * (second + 1)) for second in range(seconds)]
    return OPUS + TAGS + b"".join(pages)


def test_what_opus_skips_at_its_beginning_does_not_count() -> None:
    seconds = 2 - 312 / 48_000
    assert read_header(Memory(opus())) == Header("ogg", seconds, seconds, 48_000, 2)


@pytest.mark.parametrize("begin", [1, 5 * 3600 * 48_000])
def test_what_comes_before_the_first_page_does_not_count(begin: int) -> None:
    seconds = 2 - 312 / 48_000
    assert read_header(Memory(opus(begin=begin))) == Header("ogg", seconds, seconds, 48_000, 2)


def test_packets_of_several_frames_and_over_several_pages_count() -> None:
    two, three = b"\x09" + bytes(99), b"\x0b\x03" + bytes(300)
    divided = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, -1, 7, 0, 0, 2) + b"\x64\xff" + two + three[:255]
    rest = struct.pack("<4sBBqIIIB", b"OggS", 0, 1, 10_000 + 5 * 960, 7, 0, 0, 1) + b"\x2f" + three[255:]
    seconds = (5 * 960 + 48_000 - 312) / 48_000
    last = page(*[PACKET] * 50, granule=10_000 + 5 * 960 + 48_000)
    assert read_header(Memory(OPUS + TAGS + divided + rest + last)) == Header("ogg", seconds, seconds, 48_000, 2)


@pytest.mark.parametrize(("codec", "rate", "tolerance"), [("libopus", 48_000, 0.01), ("flac", 16_000, 0.001)])
@pytest.mark.parametrize(("begin", "end"), [(0, 3), (6, 9)])
def test_a_part_that_was_cut_without_encoding_has_its_own_length(
    codec: str, rate: int, tolerance: float, begin: int, end: int
) -> None:
    part = cut(encode("ogg", codec, seconds=10, rate=rate), "ogg", begin, end)
    header = read_header(Memory(part))
    assert header and header.seconds == pytest.approx(decode(part).seconds, abs=tolerance)


def vorbis(*granules: int) -> bytes:
    """Pages of 20 packets, which have 128 to 1,024 samples each."""
    head = b"\x01vorbis" + struct.pack("<IBI12xBB", 0, 1, 16_000, 0xB8, 1)
    pages = [page(*[bytes(80)] * 20, granule=granule) for granule in granules]
    return page(head, first=True) + page(b"\x03vorbis" + bytes(99), b"\x05vorbis" + bytes(999)) + b"".join(pages)


def test_vorbis_that_begins_at_0_is_as_long_as_its_last_page_says() -> None:
    assert read_header(Memory(vorbis(20_480, 32_000))) == Header("ogg", 2.0, 2.0, 16_000, 1)


def test_a_part_of_vorbis_begins_within_its_first_page() -> None:
    header = read_header(Memory(vorbis(1_020_480, 1_032_000)))
    assert header == Header("ogg", (32_000 - 20_480 + 2_560) / 16_000, 2.0, 16_000, 1)


def test_speex_is_read() -> None:
    speex = b"Speex   " + bytes(28) + struct.pack("<IIIIIIIII", 16_000, 1, 4, 1, 0, 320, 0, 1, 0) + bytes(8)
    pages = [page(*[bytes(50)] * 50, granule=100_000 + 16_000 * second) for second in (1, 2)]
    data = page(speex, first=True) + page(bytes(30)) + b"".join(pages)
    assert read_header(Memory(data)) == Header("ogg", 2.0, 2.0, 16_000, 1)


def test_another_stream_does_not_count() -> None:
    theora = page(b"\x80theora" + bytes(30), serial=1, first=True)
    data = theora + opus() + page(b"", granule=10**9, serial=1)
    seconds = 2 - 312 / 48_000
    assert read_header(Memory(data)) == Header("ogg", seconds, seconds, 48_000, 2)


def test_two_streams_of_sound_tell_nothing() -> None:
    other = page(b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 16_000, 0, 0), serial=1, first=True)
    assert read_header(Memory(other + opus())) == Header("ogg")


@pytest.mark.parametrize("serial", [7, 8])
def test_two_recordings_in_one_file_tell_no_length(serial: int) -> None:
    second = OPUS.replace(struct.pack("<I", 7), struct.pack("<I", serial), 1)
    pages = TAGS + page(*[PACKET] * 10, granule=9_600, serial=serial)
    assert read_header(Memory(opus(seconds=30) + second + pages)) == Header("ogg", sample_rate=48_000, channels=2)


def test_positions_that_stand_still_tell_no_length() -> None:
    data = OPUS + TAGS + page(*[PACKET] * 10, granule=9_600) * 30
    assert read_header(Memory(data)) == Header("ogg", sample_rate=48_000, channels=2)


def test_a_page_on_which_no_packet_ends_does_not_count() -> None:
    seconds = 2 - 312 / 48_000
    assert read_header(Memory(opus() + page(bytes(255), granule=-1))) == Header("ogg", seconds, seconds, 48_000, 2)


def test_a_recording_that_breaks_off_ends_within_its_last_page() -> None:
    whole = encode("ogg", "libopus", seconds=8)
    half = whole[: len(whole) // 2]
    header = read_header(Memory(half))
    assert header and header.shortest == pytest.approx(decode(half).seconds, abs=0.01)
    assert header.longest == pytest.approx(header.shortest + 1)  # a page of FFmpeg holds a second


def test_a_long_recording_takes_two_reads() -> None:
    source = Memory(opus(seconds=600))
    header = read_header(source)
    assert header and header.seconds == pytest.approx(600, abs=0.01)
    assert len(source.reads) == 2 and source.size > 3_000_000


def test_five_hours_are_measured_and_a_gap_of_four_is_not_sound() -> None:
    def part(first: int, last: int) -> bytes:
        packets = [bytes([1 << 3]) + bytes(19)] * 50
        return b"".join(page(*packets, granule=48_000 * (second + 1)) for second in range(first, last))

    source = Memory(OPUS + TAGS + part(0, 18_000))
    header = read_header(source)
    assert header and header.seconds == pytest.approx(18_000, abs=0.01)
    assert len(source.reads) == 6
    joined = OPUS + TAGS + part(0, 1800) + part(16_200, 18_000)
    assert read_header(Memory(joined)) == Header("ogg", sample_rate=48_000, channels=2)
