import pytest

from lambdas.media_headers import Header, read_header
from local.engines.media import decode
from tests.lambdas.media_headers.recordings import Memory, encode


def test_narrowband_has_8_khz() -> None:
    data = encode("amr", "libopencore_amrnb", rate=8_000, bit_rate=12_200)
    audio, header = decode(data), read_header(Memory(data))
    assert header and (header.format, header.sample_rate, header.channels) == ("amr", 8_000, 1)
    assert header.seconds == pytest.approx(audio.seconds, abs=0.1)


def test_frames_of_changing_size_are_counted() -> None:
    speech, comfort_noise, nothing = bytes([8 << 3 | 4]) + bytes(60), bytes([9 << 3 | 4]) + bytes(5), b"\x7c"
    data = b"#!AMR-WB\n" + (speech * 20 + comfort_noise + nothing * 4) * 2
    assert read_header(Memory(data)) == Header("amr", 1.0, 1.0, 16_000, 1)


def test_a_long_recording_is_read_once_in_large_pieces() -> None:
    frame = bytes([8 << 3 | 4]) + bytes(60)
    source = Memory(b"#!AMR-WB\n" + frame * 50 * 900)
    assert read_header(source) == Header("amr", 900.0, 900.0, 16_000, 1)
    assert len(source.reads) == 4


def test_a_recording_far_above_four_hours_is_not_read_to_its_end() -> None:
    frame = bytes([8 << 3 | 4]) + bytes(60)
    source = Memory(b"#!AMR-WB\n" + frame * 50 * 6 * 3600)
    header = read_header(source)
    assert header and header.seconds == pytest.approx(6 * 3600, abs=1)
    assert sum(length for _, length in source.reads) < 50 << 20
