import struct

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from local.engines.media import decode
from tests.lambdas.planning.media_headers.recordings import Memory, cut, encode


def element(name: str, body: bytes) -> bytes:
    return bytes.fromhex(name) + (1 << 56 | len(body)).to_bytes(8, "big") + body


UNKNOWN = b"\x01" + b"\xff" * 7
HEAD = element("1a45dfa3", element("4282", b"webm"))


def track(
    number: int = 1, *, kind: int = 2, codec: bytes = b"A_VORBIS", rate: float = 24_000, private: bytes = b""
) -> bytes:
    audio = element("e1", element("b5", struct.pack(">f", rate)) + element("9f", b"\x02")) if rate else b""
    about = element("d7", bytes([number])) + element("83", bytes([kind])) + element("86", codec)
    return element("ae", about + private + audio)


TRACKS = element("1654ae6b", track())


def block(milliseconds: int, *, number: int = 1, size: int = 500) -> bytes:
    return bytes([128 + number]) + struct.pack(">h", milliseconds) + b"\x80" + bytes(size)


def simple(*milliseconds: int) -> bytes:
    return b"".join(element("a3", block(time)) for time in milliseconds)


def cluster(seconds: float, *blocks: bytes) -> bytes:
    time = round(seconds * 1000).to_bytes(4, "big")
    return bytes.fromhex("1f43b675") + UNKNOWN + element("e7", time) + b"".join(blocks)


def recording(*clusters: bytes, tracks: bytes = TRACKS, duration: float | None = None) -> bytes:
    info = element("1549a966", element("4489", struct.pack(">d", duration))) if duration is not None else b""
    return HEAD + bytes.fromhex("18538067") + UNKNOWN + info + tracks + b"".join(clusters)


def seconds_of(begin: float, seconds: int) -> list[bytes]:
    """Clusters of a second each, with a block every 20 ms."""
    return [cluster(begin + second, simple(*range(0, 1000, 20))) for second in range(seconds)]


def lasting(seconds: float) -> Header:
    """Blocks that begin over so many seconds: how long the last one is isn't read."""
    return Header("webm", seconds, seconds + 0.12, 24_000, 2)


@pytest.mark.parametrize("seconds", [3, 40])
def test_a_recording_of_a_browser_is_measured_by_its_last_block(seconds: int) -> None:
    data = encode("webm", "libopus", seconds=seconds, bit_rate=24_000, streamed=True)
    header = read_header(Memory(data))
    assert header and header.format == "webm" and header.seconds == pytest.approx(decode(data).seconds, abs=0.1)


@pytest.mark.parametrize(("begin", "end"), [(0, 3), (6, 9)])
def test_a_part_that_was_cut_without_encoding_has_its_own_length(begin: int, end: int) -> None:
    part = cut(encode("webm", "libopus", seconds=10, rate=48_000), "webm", begin, end)
    header = read_header(Memory(part))
    assert header and header.seconds == pytest.approx(decode(part).seconds, abs=0.1)


# The part's own length, when it ends in the whole, its length in seconds instead of milliseconds, and no number.
@pytest.mark.parametrize("duration", [7_000, 18_007_000, None, -1, float("nan"), float("inf"), 0])
def test_a_recording_that_begins_late_is_measured_from_its_first_block(duration: float | None) -> None:
    header = read_header(Memory(recording(*seconds_of(18_000, 7), duration=duration)))
    assert header == lasting(6.98)


@pytest.mark.parametrize(("duration", "shortest", "longest"), [(7.0, 0.007, 7.1), (30_000, 6.98, 30)])
def test_a_duration_that_the_blocks_contradict_leaves_the_length_open(
    duration: float, shortest: float, longest: float
) -> None:
    header = read_header(Memory(recording(*seconds_of(0, 7), duration=duration)))
    assert header and header.shortest == pytest.approx(shortest)
    assert header.longest == pytest.approx(longest)


def test_a_duration_without_blocks_that_confirm_it_tells_nothing() -> None:
    header = read_header(Memory(recording(duration=5 * 3600 * 1000)))
    assert header == Header("webm", sample_rate=24_000, channels=2)


def test_two_recordings_in_one_file_tell_no_length() -> None:
    data = recording(*seconds_of(0, 30)) + recording(cluster(0, simple(0, 20)))
    assert read_header(Memory(data)) == Header("webm", sample_rate=24_000, channels=2)


def test_times_that_begin_again_with_each_cluster_tell_no_length() -> None:
    data = recording(*[cluster(0, simple(0, 200))] * 30)
    assert read_header(Memory(data)) == Header("webm", sample_rate=24_000, channels=2)


def test_blocks_in_groups_count() -> None:
    group = element("a0", element("a1", block(1500)))
    assert read_header(Memory(recording(cluster(0, simple(500)), cluster(2, group)))) == lasting(3.0)


def test_blocks_of_pictures_do_not_count() -> None:
    tracks = element("1654ae6b", track() + track(2, kind=1, codec=b"V_VP8", rate=0))
    late = element("a3", block(900, number=2))
    data = recording(cluster(0, late, simple(0)), cluster(2, simple(0), late), cluster(9, late), tracks=tracks)
    assert read_header(Memory(data)) == lasting(2.0)


def test_a_long_recording_without_a_duration_takes_two_reads() -> None:
    source = Memory(recording(*seconds_of(0, 600)))
    header = read_header(source)
    assert header and header.seconds == pytest.approx(600, abs=0.1)
    assert len(source.reads) == 2 and source.size > 15_000_000


def test_a_last_cluster_of_half_a_mebibyte_is_found() -> None:
    pictures = element("a3", block(0, number=2, size=500_000))
    source = Memory(recording(*seconds_of(0, 60), cluster(60, simple(0), pictures)))
    header = read_header(source)
    assert header and header.seconds == pytest.approx(60, abs=0.1)
    assert len(source.reads) == 3


def test_other_tracks_do_not_count() -> None:
    film = element("1654ae6b", element("ae", element("83", b"\x01")))
    assert read_header(Memory(HEAD + element("18538067", film))) == Header("webm")


def test_tracks_that_differ_leave_the_rate_open() -> None:
    tracks = element("1654ae6b", track() + track(2, rate=8_000))
    header = read_header(Memory(recording(*seconds_of(0, 3), tracks=tracks)))
    assert header and (header.sample_rate, header.channels) == (None, 2)


def test_a_rate_that_is_left_out_is_unknown() -> None:
    header = read_header(Memory(recording(*seconds_of(0, 3), tracks=element("1654ae6b", track(rate=0)))))
    assert header and header.sample_rate is None


def test_a_recording_without_blocks_tells_no_length() -> None:
    assert read_header(Memory(recording())) == Header("webm", sample_rate=24_000, channels=2)


def test_a_rate_that_the_codec_s_own_header_contradicts_is_unknown() -> None:
    own = struct.pack("<IBI12xBB", 0, 2, 16_000, 0xB8, 1)
    private = element("63a2", b"\x02\x1e\x20" + b"\x01vorbis" + own + bytes(99))
    for rate, expected in ((16_000, 16_000), (8_000, None)):
        tracks = element("1654ae6b", track(rate=rate, private=private))
        header = read_header(Memory(recording(*seconds_of(0, 3), tracks=tracks)))
        assert header and (header.sample_rate, header.channels) == (expected, 2)


def test_five_hours_are_measured_and_a_gap_of_four_is_not_sound() -> None:
    blocks = b"".join(element("a3", block(time, size=50)) for time in range(0, 1000, 100))
    hour = range(3600)
    source = Memory(recording(*(cluster(3600 * part + second, blocks) for part in range(5) for second in hour)))
    header = read_header(source)
    assert header and header.seconds == pytest.approx(18_000, abs=0.2)
    assert len(source.reads) == 6
    joined = recording(*(cluster(3600 * part + second, blocks) for part in (0, 4) for second in hour))
    assert read_header(Memory(joined)) == Header("webm", sample_rate=24_000, channels=2)
