import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, cut, encode

TOTAL = slice(21, 26)  # its last 36 bits


def claiming(data: bytes, samples: int) -> bytes:
    """The same with another number of samples in its header."""
    number = int.from_bytes(data[TOTAL], "big") >> 36 << 36 | samples
    return data[: TOTAL.start] + number.to_bytes(5, "big") + data[TOTAL.stop :]


def test_a_streamed_flac_is_measured_by_its_frames() -> None:
    assert read_header(Memory(encode("flac", "flac", streamed=True))) == Header("flac", 3.0, 3.0, 16_000, 1)


@pytest.mark.parametrize("claimed", [0, 1, 5 * 3600 * 16_000])
@pytest.mark.parametrize(("begin", "end"), [(0, 3), (3, 6), (6, 10)])
def test_a_part_that_was_cut_without_encoding_has_the_length_of_its_frames(begin: int, end: int, claimed: int) -> None:
    part = claiming(cut(encode("flac", "flac", seconds=10), "flac", begin, end), claimed)
    header = read_header(Memory(part))
    assert header and header.longest == pytest.approx(decode(part).seconds, abs=0.001)
    # A claim that is below what the frames say is of part of them, perhaps.
    assert header.shortest == pytest.approx(header.longest if claimed != 1 else 1 / 16_000)


def test_a_recording_that_breaks_off_is_as_long_as_what_is_there() -> None:
    whole = encode("flac", "flac", seconds=10)
    half = whole[: len(whole) // 2]
    header = read_header(Memory(half))
    # The last frame has begun, but isn't whole.
    assert header and header.seconds == pytest.approx(decode(half).seconds, abs=0.3)


def test_two_recordings_in_one_file_tell_no_length() -> None:
    joined = encode("flac", "flac", seconds=60) + encode("flac", "flac", seconds=0.4)
    assert read_header(Memory(joined)) == Header("flac", sample_rate=16_000, channels=1)


def test_silence_is_measured_by_its_frames_however_few_bytes_they_take() -> None:
    data = encode("flac", "flac", seconds=600, loudness=0)
    assert read_header(Memory(data)) == Header("flac", 600.0, 600.0, 16_000, 1)
    assert len(data) < 120_000


def test_bytes_in_which_no_frame_is_found_tell_no_length() -> None:
    whole = encode("flac", "flac", seconds=10)
    assert read_header(Memory(whole + bytes(200_000))) == Header("flac", sample_rate=16_000, channels=1)


def test_a_long_recording_takes_two_reads() -> None:
    source = Memory(encode("flac", "flac", seconds=30))
    assert read_header(source) == Header("flac", 30.0, 30.0, 16_000, 1)
    assert len(source.reads) == 2 and source.size > 500_000


def test_frames_of_another_rate_than_the_header_s_leave_everything_open() -> None:
    data = encode("flac", "flac")
    rate = data[:18] + (32_000 << 4 | data[20] & 15).to_bytes(3, "big") + data[21:]
    assert read_header(Memory(rate)) == Header("flac")


def frames(first: int, last: int) -> bytes:
    """Frames of 32,768 samples at 16 kHz, mono, with little in them."""
    parts = []
    for number in range(first, last):
        head = b"\xff\xf8\xf5\x08" + chr(number).encode("utf-8")
        parts.append(head + bytes([checksum(head)]) + bytes(1500))
    return b"".join(parts)


def checksum(data: bytes) -> int:
    """CRC-8 with the polynomial 0x07, as the remainder of a division."""
    value = int.from_bytes(data, "big") << 8
    for bit in range(value.bit_length() - 1, 7, -1):
        if value >> bit & 1:
            value ^= 0x107 << bit - 8
    return value


def test_five_hours_are_measured_and_a_gap_of_four_is_not_sound() -> None:
    stream_info = bytes(10) + (16_000 << 44 | 15 << 36).to_bytes(8, "big") + bytes(16)
    head = b"fLaC\x80\x00\x00\x22" + stream_info
    hour = 3600 * 16_000 // 32_768
    source = Memory(head + frames(0, 5 * hour))
    seconds = 5 * hour * 32_768 / 16_000
    assert read_header(source) == Header("flac", seconds, seconds, 16_000, 1)
    assert len(source.reads) == 6
    joined = head + frames(0, hour) + frames(4 * hour, 5 * hour)
    assert read_header(Memory(joined)) == Header("flac", sample_rate=16_000, channels=1)
