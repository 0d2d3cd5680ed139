import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import MediaError, decode
from tests.lambdas.planning.media_headers.recordings import SAMPLES, Memory, encode

FORMATS = ["wav", "mp3", "mp4", "flac", "ogg", "amr", "webm", "m4a"]


def samples(media_format: str) -> list[Path]:
    return sorted(SAMPLES.rglob(f"*.{media_format}"))


def playable(media_format: str) -> bytes:
    for path in samples(media_format):
        try:
            decode(path.read_bytes())
        except MediaError:
            continue
        return path.read_bytes()
    raise AssertionError(f"no {media_format} among the samples")


@pytest.mark.parametrize("media_format", FORMATS)
def test_a_sample_of_every_format_is_what_the_decoder_finds(media_format: str) -> None:
    data = playable(media_format)
    audio, source = decode(data), Memory(data)
    header = read_header(source)
    assert header
    assert (header.format, header.sample_rate, header.channels) == (audio.format, audio.sample_rate, audio.channels)
    assert header.seconds == pytest.approx(audio.seconds, abs=0.1)
    assert len(source.reads) <= (4 if len(data) > 64 * 1024 else 1)


@pytest.mark.parametrize(
    ("container_format", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 44_100),
        ("wav", "pcm_f32le", 16_000),
        ("wav", "pcm_mulaw", 16_000),
        ("wav", "adpcm_ima_wav", 16_000),
        ("flac", "flac", 48_000),
        ("ogg", "libopus", 48_000),
        ("ogg", "vorbis", 44_100),
        ("mp3", "libmp3lame", 16_000),
        ("mp3", "libmp3lame", 44_100),
        ("mp4", "aac", 32_000),
        ("ipod", "aac", 44_100),
        ("ipod", "alac", 44_100),
        ("webm", "libopus", 48_000),
        ("webm", "vorbis", 44_100),
    ],
)
@pytest.mark.parametrize("seconds", [0.7, 3])
def test_stereo_of_every_codec_is_what_the_decoder_finds(
    container_format: str, codec: str, rate: int, seconds: float
) -> None:
    data = encode(container_format, codec, rate=rate, layout="stereo", seconds=seconds)
    audio, header = decode(data), read_header(Memory(data))
    assert header
    assert (header.format, header.sample_rate, header.channels) == (audio.format, rate, 2)
    assert header.seconds == pytest.approx(audio.seconds, abs=0.1)


@pytest.mark.parametrize(("container_format", "codec"), [("ogg", "libopus"), ("webm", "libopus")])
def test_opus_has_48_khz_whatever_was_encoded(container_format: str, codec: str) -> None:
    header = read_header(Memory(encode(container_format, codec, rate=16_000)))
    assert header and header.sample_rate == 48_000


@pytest.mark.parametrize(("container_format", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("mp4", "aac")])
def test_more_than_two_channels_are_counted(container_format: str, codec: str) -> None:
    header = read_header(Memory(encode(container_format, codec, layout="5.1", seconds=1)))
    assert header and header.channels == 6


@pytest.mark.parametrize(
    ("container_format", "codec"),
    [
        ("avi", "pcm_s16le"),
        ("mov", "aac"),
        ("matroska", "libopus"),
        ("aiff", "pcm_s16be"),
        ("adts", "aac"),
    ],
)
def test_containers_that_transcribe_does_not_take_have_no_header(container_format: str, codec: str) -> None:
    assert read_header(Memory(encode(container_format, codec))) is None


@pytest.mark.parametrize("data", [b"", b"Dear colleague, " * 9000, bytes(200_000), b"\xff" * 200_000, b"ID3" * 9000])
def test_what_is_no_recording_has_no_header(data: bytes) -> None:
    assert read_header(Memory(data)) is None


def test_a_recording_without_its_index_has_a_format_only() -> None:
    whole = playable("m4a")
    assert read_header(Memory(whole[: len(whole) // 2])) == Header("m4a")


def test_an_id3_tag_before_another_format_is_passed_over() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    header = read_header(Memory(tag + encode("flac", "flac")))
    assert header and header.format == "flac" and header.seconds == pytest.approx(3, abs=0.01)


def test_a_source_that_fails_is_not_taken_for_a_damaged_recording() -> None:
    class Refused(Memory):
        def read(self, offset: int, length: int) -> bytes:
            raise PermissionError

    with pytest.raises(PermissionError):
        read_header(Refused(b"RIFF" * 100))


MAGIC = [
    b"",
    b"RIFF\0\0\0\0WAVE",
    b"fLaC",
    b"OggS",
    b"\0\0\0\x14ftypM4A ",
    b"#!AMR\n",
    b"\x1aE\xdf\xa3",
    b"\xff\xfb\x90\x00",
]
BEGINNINGS = {media_format: playable(media_format)[:1500] for media_format in FORMATS}


def sane(data: bytes) -> None:
    source = Memory(data)
    header = read_header(source)
    assert len(source.reads) <= 64
    if header:
        assert header.format in FORMATS
        assert 0 <= header.shortest <= header.longest
        assert header.sample_rate is None or header.sample_rate > 0
        assert header.channels is None or header.channels > 0


@given(st.sampled_from(MAGIC), st.binary(max_size=400))
def test_no_bytes_raise_or_loop(magic: bytes, data: bytes) -> None:
    sane(magic + data)


@given(st.sampled_from(FORMATS), st.integers(0, 1499), st.binary(min_size=1, max_size=12), st.integers(1, 1500))
def test_no_damage_raises_or_loops(media_format: str, offset: int, damage: bytes, length: int) -> None:
    whole = BEGINNINGS[media_format]
    sane((whole[:offset] + damage + whole[offset + len(damage) :])[:length])


def test_every_truncation_of_a_header_is_survived() -> None:
    for (_, beginning), length in itertools.product(BEGINNINGS.items(), range(0, 1500, 7)):
        sane(beginning[:length])


def test_a_file_of_many_chunks_is_given_up_after_64_reads() -> None:
    source = Memory(b"RIFF\0\0\0\0WAVE" + b"LIST\xf8\xff\x00\x00".ljust(65_536 + 8, b"\0") * 200)
    assert read_header(source) is None
    assert len(source.reads) == 64


WEBM = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\xff"
TINY = {
    "wav": b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\0\0" * 1_000_000,
    "webm": WEBM + b"\xec\x80" * 4_000_000,
    "webm within a block's cluster": WEBM + b"\x1f\x43\xb6\x75\xff\xe7\x81\0" + b"\xec\x80" * 4_000_000,
    "mp4": b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\0\x08free" * 1_000_000,
    "amr": b"#!AMR-WB\n" + (b"\x7c" * 5 + b"\x4c" + bytes(5)) * 2_000_000,
    "amr of nothing": b"#!AMR\n" + b"\x7c" * 48_000_000,
    "ogg": b"OggS\0\2" + bytes(21) + (b"OggS\0\0" + bytes(20) + b"\xff" + bytes(255)) * 30_000,
    "flac": b"fLaC" + b"\1\0\0\0" * 2_000_000,
    "mp3": b"\xff\xf3\x18\xc0" * 2_000_000,
    "tags": b"ID3\4\0\0\0\0\0\0" * 800_000,
}


@pytest.mark.parametrize("kind", TINY)
def test_a_file_of_tiny_parts_takes_little_work(kind: str) -> None:
    source = Memory(TINY[kind])
    begin = time.process_time()
    read_header(source)
    # A function has a third of a core. The bounds are of work, so the time is far below this.
    assert time.process_time() - begin < 0.5
    assert sum(length for _, length in source.reads) <= 12 << 20
