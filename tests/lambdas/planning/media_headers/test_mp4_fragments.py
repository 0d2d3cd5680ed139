import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.movies import M4A, box, movie, track
from tests.lambdas.planning.media_headers.recordings import Memory, encode

MOVIE = M4A + movie(
    track(seconds=0, table=0), extra=box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 1024, 0, 0)))
)
SECOND = 44_100


def fragment(
    begin: int | None,
    *,
    seconds: int = 2,
    number: int = 1,
    default: int | None = None,
    table: bool = False,
    rate: int = 8_000,
) -> bytes:
    """Samples of a tenth of a second, from the tick `begin` on, with their sound."""
    count = seconds * 10
    header = struct.pack(">II", 0x8 if default else 0, number) + (struct.pack(">I", default) if default else b"")
    time = box(b"tfdt", struct.pack(">IQ", 1 << 24, begin)) if begin is not None else b""
    run = struct.pack(">II", 0x301 if table else 0x1, count) + bytes(4)
    run += struct.pack(">II", SECOND // 10, 800) * count if table else b""
    parts = box(b"tfhd", header), time, box(b"trun", run)
    return box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", *parts)) + box(b"mdat", bytes(seconds * rate))


def tenths(begin: int, *, seconds: int = 2, rate: int = 8_000) -> bytes:
    return fragment(begin * SECOND, seconds=seconds, default=SECOND // 10, rate=rate)


def segments(*fragments: bytes, seconds: int = 2) -> bytes:
    entries = b"".join(struct.pack(">III", len(part), seconds * 1000, 0) for part in fragments)
    return box(b"sidx", struct.pack(">IIIIIHH", 0, 1, 1000, 0, 0, 0, len(fragments)), entries)


def lasting(shortest: float, longest: float | None = None) -> Header:
    return Header("m4a", shortest, longest or shortest, 44_100, 2)


@pytest.mark.parametrize(
    "movflags",
    [
        "frag_keyframe+empty_moov",
        "frag_keyframe",
        "dash",
        "dash+global_sidx",
        "cmaf",
        "frag_keyframe+empty_moov+default_base_moof+skip_trailer",
    ],
)
def test_what_ffmpeg_writes_is_measured(movflags: str) -> None:
    data = encode("mp4", "aac", seconds=10, options={"movflags": movflags, "frag_duration": "2000000"})
    header = read_header(Memory(data))
    assert header and header.seconds == pytest.approx(decode(data).seconds, abs=0.1)


@pytest.mark.parametrize("begin", [0, 18_000])
def test_the_length_is_from_the_first_fragment_to_the_end_of_the_last(begin: int) -> None:
    data = MOVIE + tenths(begin) + tenths(begin + 2) + tenths(begin + 4)
    assert read_header(Memory(data)) == lasting(6.0)


def test_samples_have_their_own_length_or_that_of_the_track() -> None:
    assert read_header(Memory(MOVIE + tenths(0) + fragment(2 * SECOND, table=True))) == lasting(4.0)
    by_default = 2 + 20 * 1024 / SECOND
    assert read_header(Memory(MOVIE + tenths(0) + fragment(2 * SECOND))) == lasting(by_default)


def test_the_last_fragment_without_sound_is_passed_over() -> None:
    data = MOVIE + tenths(0) + tenths(2) + fragment(9 * SECOND, number=2, default=SECOND)
    assert read_header(Memory(data)) == lasting(4.0)


@pytest.mark.parametrize("size", [200_000, 900_000])
def test_a_last_fragment_far_from_the_end_is_looked_for(size: int) -> None:
    data = MOVIE + tenths(0) + tenths(2, seconds=8) + box(b"free", bytes(size))
    assert read_header(Memory(data)) == lasting(10.0)


def test_the_list_of_fragments_at_the_end_is_followed() -> None:
    head = MOVIE + tenths(0)
    data = head + tenths(2, seconds=20) + box(b"free", bytes(2_000_000))
    entries = struct.pack(">IIIII", 0, 1, 0, 2, 0) + struct.pack(">IIBBB", 0, len(MOVIE), 1, 1, 1)
    entries += struct.pack(">IIBBB", 2 * SECOND, len(head), 1, 1, 1)
    tracks = box(b"tfra", entries[:12], struct.pack(">I", 2), entries[20:])
    listed = box(b"mfra", tracks, box(b"mfro", struct.pack(">II", 0, len(tracks) + 24)))
    assert read_header(Memory(data + listed)) == lasting(22.0)


def test_an_index_of_the_whole_file_is_enough() -> None:
    parts = fragment(None), fragment(None), fragment(None)
    assert read_header(Memory(MOVIE + segments(*parts) + b"".join(parts))) == lasting(6.0)


def test_an_index_of_the_first_segment_only_is_not_that_of_the_file() -> None:
    parts = [tenths(0), tenths(2), tenths(4)]
    data = MOVIE + b"".join(segments(part) + part for part in parts)
    assert read_header(Memory(data)) == lasting(6.0)


def test_an_index_that_the_fragments_contradict_leaves_the_length_open() -> None:
    parts = tenths(0), tenths(2)
    assert read_header(Memory(MOVIE + segments(*parts, seconds=60) + b"".join(parts))) == lasting(4.0, 120.0)


def test_a_recording_that_breaks_off_ends_within_its_last_fragment() -> None:
    parts = [tenths(2 * place) for place in range(100)]
    whole = MOVIE + segments(*parts) + b"".join(parts)
    assert read_header(Memory(whole[: len(whole) // 2])) == lasting(98.0, 100.0)


def test_a_total_that_the_fragments_contradict_leaves_the_length_open() -> None:
    total = box(b"mehd", struct.pack(">II", 0, 90_000))
    index = M4A + movie(track(seconds=0, table=0), extra=box(b"mvex", total))
    assert read_header(Memory(index + tenths(0, seconds=60))) == lasting(60.0, 90.0)
    assert read_header(Memory(index)) == Header("m4a", sample_rate=44_100, channels=2)


def test_a_long_recording_takes_two_reads() -> None:
    source = Memory(MOVIE + b"".join(tenths(2 * place) for place in range(300)))
    assert read_header(source) == lasting(600.0)
    assert len(source.reads) == 2 and source.size > 4_000_000


def test_five_hours_are_measured_and_a_gap_of_four_is_not_sound() -> None:
    source = Memory(MOVIE + b"".join(tenths(begin, rate=1000) for begin in range(0, 18_000, 2)))
    assert read_header(source) == lasting(18_000.0)
    assert len(source.reads) <= 8
    times = (*range(0, 1800, 2), *range(16_200, 18_000, 2))
    joined = MOVIE + b"".join(tenths(begin, rate=1000) for begin in times)
    assert read_header(Memory(joined)) == Header("m4a", sample_rate=44_100, channels=2)


def test_two_recordings_in_one_file_tell_no_length() -> None:
    data = MOVIE + tenths(0, seconds=30) + MOVIE + tenths(0, seconds=1)
    assert read_header(Memory(data)) == Header("m4a", sample_rate=44_100, channels=2)


def test_times_that_begin_again_with_each_fragment_tell_no_length() -> None:
    assert read_header(Memory(MOVIE + tenths(0) * 3)) == Header("m4a", sample_rate=44_100, channels=2)
