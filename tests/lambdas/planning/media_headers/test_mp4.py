import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.movies import M4A, box, movie, mp4a, sound, track
from tests.lambdas.planning.media_headers.recordings import Memory, cut, encode

KNOWN = Header("m4a", 2.5, 2.5, 44_100, 2)


@pytest.mark.parametrize("long", [False, True])
def test_both_widths_of_times_are_read(long: bool) -> None:
    assert read_header(Memory(M4A + movie(long=long) + sound())) == KNOWN


def test_an_index_behind_the_sound_takes_two_reads() -> None:
    source = Memory(M4A + sound(300) + movie(track(seconds=300)))
    assert read_header(source) == Header("m4a", 300.0, 300.0, 44_100, 2)
    assert len(source.reads) == 2


def test_sound_whose_size_is_written_in_eight_bytes_is_passed_over() -> None:
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + 20_000) + bytes(20_000)
    assert read_header(Memory(M4A + media + movie())) == KNOWN


def test_an_index_in_front_takes_one_read() -> None:
    data = encode("mp4", "aac", seconds=8, bit_rate=128_000, options={"movflags": "faststart"})
    source = Memory(data)
    header = read_header(source)
    assert header and header.seconds == pytest.approx(8, abs=0.1)
    assert len(source.reads) == 1 and len(data) > 65_536


@pytest.mark.parametrize(("container_format", "begin", "end"), [("ipod", 0, 3), ("ipod", 6, 9), ("mp4", 6, 9)])
def test_a_part_that_was_cut_without_encoding_has_its_own_length(container_format: str, begin: int, end: int) -> None:
    part = cut(encode(container_format, "aac", seconds=10), container_format, begin, end)
    header = read_header(Memory(part))
    assert header and header.seconds == pytest.approx(decode(part).seconds, abs=0.1)


def test_a_pause_before_the_sound_is_not_sound() -> None:
    part = track(seconds=60, played=18_060, edits=[(18_000, -1), (60, 0)])
    header = read_header(Memory(M4A + movie(part, duration=18_060) + sound(60)))
    assert header == Header("m4a", 60.0, 60.0, 44_100, 2)


@pytest.mark.parametrize(
    "part",
    [
        track(seconds=18_000, edits=[(600, 44_100)]),  # trimmed by an edit
        track(seconds=600, table=18_000),
        track(seconds=600, played=18_000),
        track(seconds=18_000, frames=round(600 * 44_100 / 1024)),  # the time of a wall clock
    ],
)
def test_sources_that_disagree_leave_the_length_open(part: bytes) -> None:
    header = read_header(Memory(M4A + movie(part) + sound(10_000)))
    assert header and header.shortest == pytest.approx(600, abs=0.1)
    assert header.longest == pytest.approx(18_000, abs=0.1)


def test_a_length_that_the_file_is_too_small_for_is_open() -> None:
    header = read_header(Memory(M4A + movie(track(seconds=18_000)) + sound(600)))
    assert header == Header("m4a", 0.0, 18_000.0, 44_100, 2)


def test_a_length_that_the_file_is_too_large_for_is_open() -> None:
    header = read_header(Memory(M4A + movie(track(seconds=0.025)) + sound(60)))
    assert header and header.longest == float("inf")


@pytest.mark.parametrize(("announced", "chunk"), [(900_000, 0), (20_008, 500_000)])
def test_an_upload_that_broke_off_may_be_shorter_than_its_index_says(announced: int, chunk: int) -> None:
    media = struct.pack(">I4s", announced, b"mdat") + bytes(20_000)
    header = read_header(Memory(M4A + movie(track(chunk=chunk)) + media))
    assert header == Header("m4a", 0.0, 2.5, 44_100, 2)


def test_two_tracks_of_sound_are_certain_only_where_they_agree() -> None:
    lone = track(seconds=3, entry=mp4a(box(b"dOps", bytes(11)), name=b"Opus"))
    assert read_header(Memory(M4A + movie(track(), lone) + sound())) == Header("m4a", 2.5, 3.0, None, 2)


def test_a_film_is_measured_by_its_sound() -> None:
    film = box(b"ftyp", b"isom") + movie(track(handler=b"vide"))
    assert read_header(Memory(film)) == Header("mp4")


@pytest.mark.parametrize("duration", [0, 2**32 - 1])
def test_an_unknown_duration_is_none(duration: int) -> None:
    part = track(seconds=duration / 44_100, played=duration / 1000, table=0)
    header = read_header(Memory(M4A + movie(part) + sound()))
    assert header == Header("m4a", sample_rate=44_100, channels=2)


@pytest.mark.parametrize(
    ("brands", "media_format"),
    [
        (b"M4A \0\0\0\0isom", "m4a"),
        (b"isom\0\0\2\0", "mp4"),
        (b"3gp4\0\0\0\0isom3gp4", "mp4"),  # a phone's .m4a
        (b"3gp6\0\0\0\0mp42", "mp4"),
        (b"3gp4\0\0\0\x003gp4", None),
        (b"qt  \0\0\0\0isom", None),
    ],
)
def test_a_file_is_what_its_brand_or_one_that_it_is_compatible_with_says(
    brands: bytes, media_format: str | None
) -> None:
    header = read_header(Memory(box(b"ftyp", brands) + movie() + sound()))
    assert (header and header.format) == media_format
