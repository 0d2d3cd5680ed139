"""Encoding the samples. Making the speech itself needs flite and is left to whoever changes a text."""

import ctypes.util

import numpy as np
import pytest

from local.engines.media import decode
from samples.make_recordings import encode

TONE = (8000 * np.sin(np.arange(16_000) * 2 * np.pi * 300 / 16_000)).astype(np.int16)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".m4a", ".mp4", ".ogg", ".webm", ".amr"])
def test_an_encoded_tone_comes_back_in_its_format_and_twice_the_same(suffix: str) -> None:
    if suffix == ".amr" and ctypes.util.find_library("vo-amrwbenc") is None:
        pytest.skip("libvo-amrwbenc0 is not installed")
    data = encode(TONE, suffix)
    audio = decode(data)
    assert audio.format == suffix[1:]
    assert audio.channels == 1
    assert audio.seconds == pytest.approx(1, abs=0.15)
    spectrum = np.abs(np.fft.rfft(audio.mono()[:16_000]))
    assert np.argmax(spectrum) * 16_000 / min(16_000, len(audio.mono())) == pytest.approx(300, abs=5)
    assert encode(TONE, suffix) == data
