import struct

import pytest

from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.movies import (
    LC_44100,
    M4A,
    audio_config,
    box,
    esds,
    movie,
    mp4a,
    sound,
    track,
)
from tests.lambdas.planning.media_headers.recordings import Memory, encode


def described(entry: bytes) -> tuple[int | None, int | None]:
    header = read_header(Memory(M4A + movie(track(entry=entry)) + sound()))
    assert header
    return header.sample_rate, header.channels


@pytest.mark.parametrize(
    ("config", "rate", "channels"),
    [
        ("00010 0100 0001 000", 44_100, 1),  # AAC-LC above the rates that a decoder may double
        ("00010 1000 0010 000", None, 2),  # at one of them: nothing says that there is no band replication
        ("00010 0110 0001 000", None, None),  # nor that mono stays mono
        ("00010 1111 000000000011111010000000 0001 000", None, None),  # 16,000 Hz in 24 bits
        ("00010 1111 000000001011101110000000 0010 000", 48_000, 2),
        ("00010 1000 0001 000 01010110111 00101 0", 16_000, 1),  # said not to have it
        ("00010 0110 0001 000 01010110111 00101 1 0011", 48_000, None),  # signalled behind: 24 kHz become 48
        ("00010 1001 0010 000 01010110111 00101 1 0110", 24_000, 2),
        ("00010 0111 0001 000 01010110111 00101 1 1111 000000001010110001000100", 44_100, None),
        ("00010 0110 0001 000 01010110111 00101 1 0011 10101001000 1", 48_000, 2),  # with parametric stereo
        ("00010 0110 0001 000 01010110111 00101 1 0011 10101001000 0", 48_000, 1),
        ("00101 0111 0010 0100 00010 000", 44_100, 2),  # signalled in front
        ("11101 0111 0001 0100 00010 000", 44_100, 2),
        ("11111 000111 0110 0001 0 000 0 0000", 24_000, 1),  # AAC-ELD, object type 39
        ("11111 000111 0110 0001 0 000 1 1 0000", 48_000, 1),  # with band replication at twice the rate
        ("10111 1000 0001 00 0", 16_000, 1),  # AAC-LD
        ("11111 001010 0011 0010 000", None, None),  # USAC, object type 42, describes itself in another way
        ("00010 0100 0000 000", 44_100, None),  # channels described elsewhere
        ("00010 0100 0110 000", 44_100, 6),
        ("00010 1101 0010 000", None, None),  # no such rate
        ("00010", None, None),
        ("", None, None),
    ],
)
@pytest.mark.parametrize("padded", [False, True])
def test_the_rate_of_aac_is_that_after_decoding_if_it_is_certain(
    config: str, rate: int | None, channels: int | None, padded: bool
) -> None:
    assert described(mp4a(esds(audio_config(config) if config else b"", padded=padded))) == (rate, channels)


def test_aac_in_a_box_of_quicktime_is_found() -> None:
    assert described(mp4a(box(b"wave", box(b"frma", b"mp4a"), LC_44100))) == (44_100, 2)


@pytest.mark.parametrize("entry", [mp4a(), mp4a(esds(audio_config("00010 0100 0010 000"), kind=0x6B)), b""])
def test_a_sample_entry_alone_is_not_believed(entry: bytes) -> None:
    assert described(entry) == (None, None)


def test_two_sample_entries_tell_nothing() -> None:
    assert described(mp4a(LC_44100) + mp4a(LC_44100)) == (None, None)


@pytest.mark.parametrize(("name", "rate"), [(b"samr", 8_000), (b"sawb", 16_000)])
def test_amr_has_its_only_rate(name: bytes, rate: int) -> None:
    assert described(mp4a(name=name)) == (rate, 1)


def test_opus_has_48_khz() -> None:
    assert described(mp4a(box(b"dOps", bytes(11)), name=b"Opus")) == (48_000, 2)


def test_flac_is_read_from_its_own_block() -> None:
    stream_info = bytes(10) + (96_000 << 44 | 1 << 41 | 15 << 36).to_bytes(8, "big") + bytes(16)
    entry = mp4a(box(b"dfLa", bytes(4), b"\x80\x00\x00\x22", stream_info), name=b"fLaC")
    assert described(entry) == (96_000, 2)


def test_alac_is_read_from_its_own_configuration() -> None:
    config = struct.pack(">I4xBBBBBBHIII", 0, 0, 16, 40, 10, 14, 1, 255, 0, 0, 88_200)
    assert described(mp4a(box(b"alac", config), name=b"alac")) == (88_200, 1)


@pytest.mark.parametrize(("codec", "rate"), [("aac", 16_000), ("aac", 24_000), ("aac", 48_000), ("alac", 44_100)])
def test_what_ffmpeg_writes_is_certain(codec: str, rate: int) -> None:
    data = encode("ipod", codec, rate=rate)
    header, audio = read_header(Memory(data)), decode(data)
    assert header and (header.sample_rate, header.channels) == (audio.sample_rate, audio.channels)
