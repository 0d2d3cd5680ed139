"""Mel cepstra: features of a voice, one vector per 10 ms."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct  # type: ignore[import-untyped]

from local.engines.media import SAMPLE_RATE

CEPSTRA = 12
_STEP = SAMPLE_RATE // 100
_WINDOW = SAMPLE_RATE // 40
_FFT = 512
_BANDS = 26
# Above it recordings differ by how they were encoded, more than by who speaks.
_LOWEST_HERTZ, _HIGHEST_HERTZ = 80, 6000
_LOUDEST_SHARE = 0.7


def mel_cepstra(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The cepstra of mono 16 kHz samples, shape (frames, 12): the louder frames only, at least one.

    Quiet frames hold more of the room than of the voice.
    """
    sound = samples.astype(np.float64)
    sound = np.pad(sound, (0, max(0, _WINDOW + 1 - len(sound))))
    emphasized = sound[1:] - 0.97 * sound[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(emphasized, _WINDOW)[::_STEP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hamming(_WINDOW), _FFT)))
    energies = np.log(power @ _MEL_BANDS.T + 1)
    loudness = energies.mean(axis=1)
    loud = loudness >= np.quantile(loudness, 1 - _LOUDEST_SHARE)
    # The first coefficient is the loudness itself.
    return np.asarray(dct(energies[loud], norm="ortho")[:, 1 : CEPSTRA + 1], dtype=np.float64)


def _mel_bands() -> NDArray[np.float64]:
    """Triangular filters, evenly spaced in mel, shape (bands, frequencies)."""
    lowest, highest = 2595 * np.log10(1 + np.array([_LOWEST_HERTZ, _HIGHEST_HERTZ]) / 700)
    corners = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 2) / 2595) - 1)
    left, peak, right = (corners[first : first + _BANDS, np.newaxis] for first in range(3))
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    return np.asarray(np.clip(np.minimum((hertz - left) / (peak - left), (right - hertz) / (right - peak)), 0, None))


_MEL_BANDS = _mel_bands()
