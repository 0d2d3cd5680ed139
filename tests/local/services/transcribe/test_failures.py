import io

import av
import numpy as np
import pytest

from local.services.transcribe import failures
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


@pytest.mark.parametrize("container", ["avi", "mov", "matroska"])
def test_a_container_that_transcribe_does_not_take_is_unsupported(container: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as written:
        stream = written.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        written.mux(stream.encode(frame))
    with pytest.raises(JobFailure, match=r"^Unsupported media format$"):
        decode_checked(file.getvalue(), None, None)


def test_four_hours_are_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failures._LONGEST_SECONDS == 4 * 3600
    monkeypatch.setattr(failures, "_LONGEST_SECONDS", 1)
    assert decode_checked(wav(seconds=1), None, None).seconds == 1
    with pytest.raises(JobFailure, match=r"^Invalid file size: file size too large$"):
        decode_checked(wav(seconds=1.01), None, None)


def test_half_a_second_is_enough() -> None:
    decode_checked(wav(seconds=0.5), None, None)
    with pytest.raises(JobFailure, match="too small"):
        decode_checked(wav(seconds=0.49), None, None)


@pytest.mark.parametrize(("inside", "outside"), [(16_000, 15_999), (48_000, 48_001)])
def test_sample_rates_are_from_16_to_48_kilohertz(inside: int, outside: int) -> None:
    assert decode_checked(wav(rate=inside), None, None).sample_rate == inside
    with pytest.raises(JobFailure, match=r"^Invalid sample rate for audio file$"):
        decode_checked(wav(rate=outside), None, None)


def test_two_channels_are_the_most() -> None:
    assert decode_checked(wav(channels=2), None, None).channels == 2
    with pytest.raises(JobFailure, match=r"^Invalid number of channels: number of channels too large$"):
        decode_checked(wav(channels=3), None, None)


def test_an_unknown_codec_is_invalid_data() -> None:
    data = bytearray(wav())
    data[20:22] = b"\x77\x77"
    with pytest.raises(JobFailure, match="The data in your input media file isn't valid"):
        decode_checked(bytes(data), "wav", None)


def test_what_the_caller_said_rightly_is_accepted() -> None:
    assert decode_checked(wav(rate=44_100), "wav", 44_100).sample_rate == 44_100
