import pytest

from lambdas.media_headers import Header, read_header
from local.engines.media import decode
from tests.lambdas.media_headers.recordings import Memory, encode


def element(name: str, body: bytes) -> bytes:
    return bytes.fromhex(name) + (1 << 56 | len(body)).to_bytes(8, "big") + body


UNKNOWN = b"\x01" + b"\xff" * 7
HEAD = element("1a45dfa3", element("4282", b"webm"))
AUDIO = element("e1", element("b5", b"\x46\xbb\x80\x00") + element("9f", b"\x02"))  # 24,000 Hz
TRACKS = element("1654ae6b", element("ae", element("83", b"\x02") + element("86", b"A_VORBIS") + AUDIO))


def block(milliseconds: int) -> bytes:
    return b"\x81" + milliseconds.to_bytes(2, "big") + b"\x80" + bytes(50)


def streamed(*clusters: bytes) -> bytes:
    return HEAD + bytes.fromhex("18538067") + UNKNOWN + TRACKS + b"".join(clusters)


def cluster(seconds: int, *blocks: bytes) -> bytes:
    return bytes.fromhex("1f43b675") + UNKNOWN + element("e7", (seconds * 1000).to_bytes(4, "big")) + b"".join(blocks)


@pytest.mark.parametrize("seconds", [3, 40])
def test_a_recording_of_a_browser_is_measured_by_its_last_block(seconds: int) -> None:
    data = encode("webm", "libopus", seconds=seconds, bit_rate=24_000, streamed=True)
    header = read_header(Memory(data))
    assert header and header.format == "webm" and header.seconds == pytest.approx(decode(data).seconds, abs=0.1)


def test_blocks_in_groups_count() -> None:
    data = streamed(cluster(0, element("a3", block(500))), cluster(2, element("a0", element("a1", block(1500)))))
    assert read_header(Memory(data)) == Header("webm", 3.5, 3.5, 24_000, 2)


def test_a_long_recording_without_a_duration_takes_two_reads() -> None:
    source = Memory(streamed(cluster(0, element("a3", bytes(3_000_000))), cluster(60, element("a3", block(250)))))
    assert read_header(source) == Header("webm", 60.25, 60.25, 24_000, 2)
    assert len(source.reads) == 2


def test_other_tracks_do_not_count() -> None:
    film = element("1654ae6b", element("ae", element("83", b"\x01")))
    assert read_header(Memory(HEAD + element("18538067", film))) == Header("webm")


def test_a_recording_without_blocks_tells_no_length() -> None:
    assert read_header(Memory(streamed())) == Header("webm", sample_rate=24_000, channels=2)
