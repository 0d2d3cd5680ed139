import struct

import pytest

from lambdas.media_headers import Header, read_header
from local.engines.media import decode
from tests.lambdas.media_headers.recordings import Memory, encode


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def movie(
    *, extra: bytes = b"", config: bytes = b"", long: bool = False, duration: int = 2_500, handler: bytes = b"soun"
) -> bytes:
    """The index of a movie with one track, whose sample entry says 22,050 Hz and two channels."""
    if long:
        times = box(b"mvhd", struct.pack(">I16xIQ", 1 << 24, 1000, duration))
        track_header = box(b"tkhd", struct.pack(">I16xIIQ", 1 << 24, 1, 0, duration))
    else:
        times = box(b"mvhd", struct.pack(">I8xII", 0, 1000, duration))
        track_header = box(b"tkhd", struct.pack(">I8xIII", 0, 1, 0, duration))
    esds = box(b"esds", bytes(4), config) if config else b""
    entry = box(b"mp4a", bytes(16), struct.pack(">HHHHI", 2, 16, 0, 0, 22_050 << 16), esds)
    stbl = box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1), entry))
    media = box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12)), box(b"minf", stbl))
    return box(b"moov", times, box(b"trak", track_header, media), extra)


def descriptors(audio_config: bytes) -> bytes:
    specific = b"\x05" + bytes([len(audio_config)]) + audio_config
    decoder = b"\x04" + bytes([13 + len(specific)]) + b"\x40\x15" + bytes(11) + specific
    return b"\x03" + bytes([3 + len(decoder)]) + bytes(3) + decoder


M4A = box(b"ftyp", b"M4A \0\0\0\0isom")


@pytest.mark.parametrize("long", [False, True])
def test_both_widths_of_times_are_read(long: bool) -> None:
    assert read_header(Memory(M4A + movie(long=long))) == Header("m4a", 2.5, 2.5, 22_050, 2)


@pytest.mark.parametrize(
    "media_bytes", [box(b"mdat", bytes(3_000_000)), struct.pack(">I4sQ", 1, b"mdat", 16 + 3_000_000)]
)
def test_an_index_behind_the_sound_takes_two_reads(media_bytes: bytes) -> None:
    source = Memory(M4A + media_bytes.ljust(3_000_008 if media_bytes[3] != 1 else 3_000_016, b"\0") + movie())
    assert read_header(source) == Header("m4a", 2.5, 2.5, 22_050, 2)
    assert len(source.reads) == 2


def test_an_index_in_front_takes_one_read() -> None:
    data = encode("mp4", "aac", seconds=8, bit_rate=128_000, options={"movflags": "faststart"})
    source = Memory(data)
    header = read_header(source)
    assert header and header.seconds == pytest.approx(8, abs=0.1)
    assert len(source.reads) == 1 and len(data) > 65_536


@pytest.mark.parametrize(
    ("audio_config", "rate", "channels"),
    [
        ("00010 1000 0001 000", 16_000, 1),  # AAC-LC
        ("00101 0111 0010 0100 000", 44_100, 2),  # with band replication: decoded at twice the rate
        ("11101 0111 0001 0100 000", 44_100, 2),  # and with parametric stereo
        ("00010 1000 0000 000", 16_000, 2),  # channels described elsewhere
    ],
)
def test_the_configuration_of_aac_comes_before_the_sample_entry(audio_config: str, rate: int, channels: int) -> None:
    bits = audio_config.replace(" ", "")
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    config = int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = read_header(Memory(M4A + movie(config=descriptors(config))))
    assert header == Header("m4a", 2.5, 2.5, rate, channels)


def test_a_film_is_measured_by_its_sound() -> None:
    film = box(b"ftyp", b"isom") + movie(handler=b"vide")
    assert read_header(Memory(film)) == Header("mp4")


@pytest.mark.parametrize("duration", [0, 2**32 - 1])
def test_an_unknown_duration_is_none(duration: int) -> None:
    assert read_header(Memory(M4A + movie(duration=duration))) == Header("m4a", sample_rate=22_050, channels=2)


def test_fragments_count_only_if_their_sum_is_told() -> None:
    total = box(b"mvex", box(b"mehd", struct.pack(">II", 0, 90_000)))
    assert read_header(Memory(M4A + movie(extra=total))) == Header("m4a", 90.0, 90.0, 22_050, 2)
    assert read_header(Memory(M4A + movie(extra=box(b"mvex")))) == Header("m4a", sample_rate=22_050, channels=2)


def test_a_fragmented_recording_of_ffmpeg_tells_no_length() -> None:
    data = encode("mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"})
    assert decode(data).seconds > 2.9
    assert read_header(Memory(data)) == Header("mp4", sample_rate=16_000, channels=1)
