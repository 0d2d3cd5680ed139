import numpy as np
import pytest

from local.services.transcribe.failures import JobFailure, check_size, decode_checked
from samples.make_recordings import encode
from tests.local.services.transcribe.conftest import wav


def test_two_gigabytes_are_the_limit() -> None:
    check_size(2 * 1024**3)
    with pytest.raises(JobFailure, match="file size too large"):
        check_size(2 * 1024**3 + 1)


def test_mp4_and_m4a_pass_for_each_other() -> None:
    m4a = encode(np.zeros(16_000, np.int16), ".m4a")
    assert decode_checked(m4a, "mp4", None).format == "m4a"
    with pytest.raises(JobFailure, match="does not match the detected media format"):
        decode_checked(m4a, "wav", None)


def test_an_unknown_codec_is_invalid_data() -> None:
    data = bytearray(wav())
    data[20:22] = b"\x77\x77"
    with pytest.raises(JobFailure, match="The data in your input media file isn't valid"):
        decode_checked(bytes(data), "wav", None)


def test_what_the_caller_said_rightly_is_accepted() -> None:
    assert decode_checked(wav(rate=44_100), "wav", 44_100).sample_rate == 44_100
