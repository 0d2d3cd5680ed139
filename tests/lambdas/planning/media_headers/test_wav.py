import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, encode

FORMAT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def wav(*chunks: tuple[bytes, int, bytes], magic: bytes = b"RIFF") -> bytes:
    """Chunks as (name, announced size, body)."""
    body = b"".join(name + struct.pack("<I", size) + data for name, size, data in chunks)
    return magic + struct.pack("<I", len(body) + 4) + b"WAVE" + body


@pytest.mark.parametrize("announced", [0, 0xFFFFFFFF, 64_000, 90_000])
def test_sound_of_unknown_or_wrong_size_goes_on_to_the_end(announced: int) -> None:
    data = wav((b"fmt ", 16, FORMAT), (b"data", announced, bytes(64_000)))
    assert read_header(Memory(data)) == Header("wav", 2.0, 2.0, 16_000, 1)


def test_chunks_of_odd_size_are_padded() -> None:
    data = wav((b"LIST", 3, b"abc\0"), (b"fmt ", 16, FORMAT), (b"data", 32_000, bytes(32_000)))
    assert read_header(Memory(data)) == Header("wav", 1.0, 1.0, 16_000, 1)


def test_an_rf64_file_has_its_size_in_front() -> None:
    sizes = struct.pack("<QQQI", 0, 48_000, 0, 0)
    chunks = (b"ds64", 28, sizes), (b"fmt ", 16, FORMAT), (b"data", 0xFFFFFFFF, bytes(48_000)), (b"LIST", 4, b"INFO")
    assert read_header(Memory(wav(*chunks, magic=b"RF64"))) == Header("wav", 1.5, 1.5, 16_000, 1)


def test_rf64_of_ffmpeg_is_read() -> None:
    header = read_header(Memory(encode("wav", "pcm_s16le", options={"rf64": "always"})))
    assert header == Header("wav", 3.0, 3.0, 16_000, 1)


def test_the_extensible_format_is_counted_by_its_subformat() -> None:
    # 24 bits in three bytes; the average of bytes per second is left out.
    extensible = struct.pack("<HHIIHHHHIH14x", 0xFFFE, 2, 48_000, 0, 6, 24, 22, 24, 3, 1)
    data = wav((b"fmt ", 40, extensible), (b"data", 288_000, bytes(288_000)))
    assert read_header(Memory(data)) == Header("wav", 1.0, 1.0, 48_000, 2)


def test_a_long_chunk_before_the_sound_costs_one_more_read_only() -> None:
    data = wav((b"LIST", 900_000, bytes(900_000)), (b"fmt ", 16, FORMAT), (b"data", 32_000, bytes(32_000)))
    source = Memory(data)
    assert read_header(source) == Header("wav", 1.0, 1.0, 16_000, 1)
    assert len(source.reads) == 2


def test_a_streamed_wav_of_ffmpeg_is_measured() -> None:
    assert read_header(Memory(encode("wav", "pcm_s16le", streamed=True))) == Header("wav", 3.0, 3.0, 16_000, 1)


def test_an_announced_size_that_is_followed_by_something_else_is_open() -> None:
    # A recorder that wrote its header once, at the beginning, or one that reserved more space than it needed.
    data = wav((b"fmt ", 16, FORMAT), (b"data", 64, bytes(64_000)))
    assert read_header(Memory(data)) == Header("wav", 0.002, 2.0, 16_000, 1)


@pytest.mark.parametrize("following", [b"LIST\x04\0\0\0INFO", b"TAG\0\0"])
def test_an_announced_size_that_is_followed_by_a_chunk_or_next_to_nothing_is_right(following: bytes) -> None:
    data = wav((b"fmt ", 16, FORMAT), (b"data", 32_000, bytes(32_000))) + following
    assert read_header(Memory(data)) == Header("wav", 1.0, 1.0, 16_000, 1)


def test_a_block_of_another_size_than_its_samples_leaves_the_length_open() -> None:
    claimed = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 20, 16)
    data = wav((b"fmt ", 16, claimed), (b"data", 320_000, bytes(320_000)))
    assert read_header(Memory(data)) == Header("wav", 1.0, 10.0, 16_000, 1)


@pytest.mark.parametrize(("codec", "layout"), [("adpcm_ima_wav", "mono"), ("adpcm_ms", "stereo")])
@pytest.mark.parametrize("seconds", [0.7, 30])
def test_adpcm_is_measured_by_its_blocks_and_not_by_the_average_of_bytes(
    codec: str, layout: str, seconds: float
) -> None:
    data = encode("wav", codec, seconds=seconds, layout=layout)
    header = read_header(Memory(data))
    assert header and header.seconds == pytest.approx(decode(data).seconds, abs=0.001)


def test_compressed_sound_that_breaks_off_lies_between_its_blocks_and_what_was_announced() -> None:
    whole = encode("wav", "adpcm_ima_wav", seconds=30)
    half = whole[: len(whole) // 2]
    header = read_header(Memory(half))
    assert header and header.shortest == pytest.approx(15, abs=0.1)
    assert header.longest == pytest.approx(30, abs=0.2)


def test_gsm_is_measured_by_its_blocks() -> None:
    gsm = struct.pack("<HHIIHHHH", 0x31, 1, 16_000, 3250, 65, 0, 2, 320)
    data = wav((b"fmt ", 20, gsm), (b"fact", 4, struct.pack("<I", 32_000)), (b"data", 6_500, bytes(6_500)))
    assert read_header(Memory(data)) == Header("wav", 2.0, 2.0, 16_000, 1)


def test_a_codec_that_describes_itself_within_the_sound_tells_nothing_here() -> None:
    assert read_header(Memory(encode("wav", "libmp3lame"))) == Header("wav")
