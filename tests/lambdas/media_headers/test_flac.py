from lambdas.media_headers import Header, read_header
from tests.lambdas.media_headers.recordings import Memory, encode


def test_a_streamed_flac_does_not_tell_its_length() -> None:
    assert read_header(Memory(encode("flac", "flac", streamed=True))) == Header("flac", sample_rate=16_000, channels=1)
