import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, encode

NO_INDEX = {"write_xing": "0"}
ID3 = b"ID3\x03\x00\x00" + bytes([0, 4, 0, 0]) + bytes(65_536)


def frame(bit_rate_index: int, payload: bytes = b"") -> bytes:
    """A frame of MPEG 1 at 48 kHz, mono; its length in bytes is three times its kbit/s."""
    kilobits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[bit_rate_index]
    return (bytes([0xFF, 0xFB, bit_rate_index << 4 | 4, 0xC0]) + payload).ljust(kilobits * 3, b"\0")


def vbri(size: int, frames: int) -> bytes:
    return bytes(32) + b"VBRI" + bytes(6) + size.to_bytes(4, "big") + frames.to_bytes(4, "big")


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_without_an_index_a_constant_bit_rate_tells_the_length(rate: int) -> None:
    data = encode("mp3", "libmp3lame", seconds=15, rate=rate, bit_rate=64_000, options=NO_INDEX)
    audio, source = decode(data), Memory(data)
    header = read_header(source)
    # The encoder's lead-in counts too: nothing tells how long it is.
    assert header and header.seconds == pytest.approx(audio.seconds, abs=0.15)
    assert len(source.reads) <= 5


def test_an_id3_tag_of_any_length_is_passed_over() -> None:
    data = encode("mp3", "libmp3lame")
    source = Memory(ID3 + data)
    header = read_header(source)
    assert header and header.seconds == pytest.approx(3, abs=0.01)
    assert len(source.reads) == 2


def test_an_id3_tag_at_the_end_is_not_sound() -> None:
    data = frame(1) * 100
    with_tag = read_header(Memory(data + b"TAG" + bytes(125)))
    assert with_tag and with_tag.seconds == pytest.approx(2.4, abs=0.001)


def test_a_picture_at_the_end_is_not_sound() -> None:
    picture = bytes(50_000)
    for flags, head in ((0, b""), (1 << 31, bytes(32))):
        footer = b"APETAGEX" + struct.pack("<IIII8x", 2000, len(picture) + 32, 1, flags)
        header = read_header(Memory(frame(1) * 100 + head + picture + footer + b"TAG" + bytes(125)))
        assert header and header.seconds == pytest.approx(2.4, abs=0.001)


def test_without_an_index_a_changing_bit_rate_leaves_the_length_open() -> None:
    header = read_header(Memory(frame(1) * 1000 + frame(9) * 1000))
    size = 96_000 + 384_000
    assert header == Header("mp3", size / 40_000, size / 4_000, 48_000, 1)


@pytest.mark.parametrize("place", [0.35, 0.68, 1])
def test_other_bytes_between_and_behind_the_frames_leave_the_length_open(place: float) -> None:
    frames = round(place * 3000)
    data = frame(5) * frames + bytes(400_000) + frame(5) * (3000 - frames)
    assert read_header(Memory(data)) == Header("mp3", sample_rate=48_000, channels=1)


def test_frames_of_another_rate_leave_everything_open() -> None:
    other = bytes([0xFF, 0xF3, 0x40, 0xC0]).ljust(104, b"\0")
    assert read_header(Memory(frame(5) * 1000 + other * 1000)) == Header("mp3")


def xing(frames: int, size: int | None) -> bytes:
    flags = 1 if size is None else 3
    numbers = struct.pack(">II", flags, frames) + (struct.pack(">I", size) if size else b"")
    return frame(9, bytes(17) + b"Xing" + numbers)


@pytest.mark.parametrize("bit_rates", [(5, 5), (1, 9)])
def test_an_index_left_from_the_whole_file_does_not_count(bit_rates: tuple[int, int]) -> None:
    sound = b"".join(frame(bit_rate) * 500 for bit_rate in bit_rates)
    header = read_header(Memory(xing(frames=750_000, size=144_000_000) + sound))
    assert header and header.shortest <= 24.0 <= header.longest < 5 * 3600


@pytest.mark.parametrize("frames", [1, 100_000])
def test_an_index_that_no_bit_rate_bears_out_does_not_count(frames: int) -> None:
    sound = frame(4) * 213
    header = read_header(Memory(xing(frames=frames, size=384 + len(sound)) + sound))
    assert header and header.seconds == pytest.approx(213 * 0.024)


def test_an_index_without_its_size_is_held_against_the_bit_rate() -> None:
    header = read_header(Memory(xing(frames=2000, size=None) + frame(5) * 1000))
    assert header == Header("mp3", 24.0, 48.0, 48_000, 1)


def test_several_recordings_in_one_file_are_measured_by_their_bit_rate() -> None:
    one = encode("mp3", "libmp3lame", seconds=8, options={"id3v2_version": "0"})
    header = read_header(Memory(one * 3))
    assert header and header.seconds == pytest.approx(24, abs=0.5)


def test_the_index_of_fraunhofer_is_read() -> None:
    sound = frame(1) * 100 + frame(9) * 100
    first = frame(9, vbri(384 + len(sound), 200))
    header = read_header(Memory(first + sound))
    assert header and header.seconds == pytest.approx(4.8)


def test_a_recording_that_breaks_off_is_as_long_as_what_is_there() -> None:
    whole = encode("mp3", "libmp3lame", seconds=8)
    half = whole[: len(whole) // 2]
    header = read_header(Memory(half))
    assert header and header.seconds == pytest.approx(decode(half).seconds, abs=0.15)


def test_bytes_before_the_first_frame_are_passed_over() -> None:
    header = read_header(Memory(bytes(1000) + frame(1) * 100))
    assert header and header.seconds == pytest.approx(2.4)


def test_two_frames_in_other_bytes_are_a_coincidence() -> None:
    assert read_header(Memory(b"x" * 50 + frame(1) * 2 + b"x" * 50_000)) is None
