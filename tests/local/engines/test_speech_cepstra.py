import numpy as np
import pytest
from numpy.typing import NDArray

from local.engines.speech_cepstra import mel_cepstra


def _noise(samples: int, loudness: float) -> NDArray[np.int16]:
    return np.random.default_rng(1).normal(0, loudness, samples).astype(np.int16)


@pytest.mark.parametrize(("samples", "frames"), [(0, 1), (1, 1), (401, 1), (16_000, 68)])
def test_the_louder_share_of_the_frames_is_described_and_at_least_one(samples: int, frames: int) -> None:
    assert mel_cepstra(_noise(samples, 1000)).shape == (frames, 12)


def test_loudness_makes_no_difference() -> None:
    quiet, loud = mel_cepstra(_noise(16_000, 300)), mel_cepstra(_noise(16_000, 3000))
    assert quiet.mean(axis=0) == pytest.approx(loud.mean(axis=0), abs=0.05)


def test_the_colour_of_a_sound_does() -> None:
    white = _noise(16_000, 3000)
    dark = np.convolve(white, np.ones(8) / 8, mode="same").astype(np.int16)
    assert abs(mel_cepstra(white).mean(axis=0) - mel_cepstra(dark).mean(axis=0)).max() > 1


def test_digital_silence_has_finite_cepstra() -> None:
    assert np.isfinite(mel_cepstra(np.zeros(1600, np.int16))).all()
