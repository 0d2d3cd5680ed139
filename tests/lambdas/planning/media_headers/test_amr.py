import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, encode


def test_narrowband_has_8_khz() -> None:
    data = encode("amr", "libopencore_amrnb", rate=8_000, bit_rate=12_200)
    audio, header = decode(data), read_header(Memory(data))
    assert header and (header.format, header.sample_rate, header.channels) == ("amr", 8_000, 1)
    assert header.seconds == pytest.approx(audio.seconds, abs=0.1)


def test_frames_of_changing_size_are_counted() -> None:
    speech, comfort_noise, nothing = bytes([8 << 3 | 4]) + bytes(60), bytes([9 << 3 | 4]) + bytes(5), b"\x7c"
    data = b"#!AMR-WB\n" + (speech * 20 + comfort_noise + nothing * 4) * 2
    assert read_header(Memory(data)) == Header("amr", 1.0, 1.0, 16_000, 1)


WIDEBAND, NOTHING = bytes([8 << 3 | 4]) + bytes(60), b"\x7c"


def test_frames_of_one_size_are_looked_at_in_a_few_places() -> None:
    source = Memory(b"#!AMR-WB\n" + WIDEBAND * 50 * 900)
    assert read_header(source) == Header("amr", 900.0, 900.0, 16_000, 1)
    assert len(source.reads) == 4


def test_a_recording_far_above_four_hours_is_not_read_to_its_end() -> None:
    source = Memory(b"#!AMR-WB\n" + WIDEBAND * 50 * 6 * 3600)
    assert read_header(source) == Header("amr", 21_600.0, 21_600.0, 16_000, 1)
    assert sum(length for _, length in source.reads) < 300_000


def test_of_a_long_recording_whose_frames_vary_the_beginning_is_counted() -> None:
    source = Memory(b"#!AMR-WB\n" + (WIDEBAND * 20 + NOTHING * 5) * 10_000)  # 5,000 seconds
    header = read_header(source)
    assert header and 3_300 < header.shortest < 5_000 < header.longest
    assert sum(length for _, length in source.reads) < 9 << 20


def test_four_hours_that_vary_are_not_taken_for_more() -> None:
    source = Memory(b"#!AMR-WB\n" + (WIDEBAND[:1] + bytes(60) + NOTHING) * (2 * 3600 * 50))
    header = read_header(source)
    assert header and header.shortest <= 4 * 3600 <= header.longest


def test_frames_that_say_nothing_are_counted_until_there_are_more_than_four_hours_of_them() -> None:
    source = Memory(b"#!AMR-WB\n" + (WIDEBAND + NOTHING * 900) * 20_000)
    header = read_header(source)
    assert header and header.shortest > 4 * 3600
    assert sum(length for _, length in source.reads) < 2 << 20


def test_space_that_was_reserved_behind_the_sound_is_not_sound() -> None:
    header = read_header(Memory(b"#!AMR-WB\n" + WIDEBAND * 50 * 60 + bytes(30_000_000)))
    assert header and header.shortest == 60.0 and header.longest > 60


@pytest.mark.parametrize(("magic", "rate"), [(b"#!AMR_MC1.0\n", 8_000), (b"#!AMR-WB_MC1.0\n", 16_000)])
def test_several_channels_tell_their_number_only(magic: bytes, rate: int) -> None:
    assert read_header(Memory(magic + b"\0\0\0\x02" + WIDEBAND * 50)) == Header("amr", sample_rate=rate, channels=2)
