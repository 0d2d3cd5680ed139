"""Finds the stretches of speech in a recording.

The recognizer's own voice detector isn't deterministic: a line starts 30 ms earlier or later from one run to the next,
and the recognized words differ. This one (WebRTC's, which pocketsphinx includes) is.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Vad  # type: ignore[import-untyped]

from local.engines.media import SAMPLE_RATE

_FRAME = SAMPLE_RATE * 30 // 1000
_STRICTEST = 3
_MARGIN = SAMPLE_RATE * 3 // 10
_LONGEST_PAUSE = SAMPLE_RATE * 8 // 10
# Shorter sounds are clicks and breaths, which the recognizer would take for words.
_SHORTEST_SPEECH = SAMPLE_RATE * 3 // 10
_FAINTEST_SPEECH = 60.0
"""Root mean square of 16 bit samples, about -55 dB: below it is the noise of a quiet room."""

# The recognizer was made for utterances of this length, and its memory grows with them.
_LONGEST = SAMPLE_RATE * 20
_CUT_WITHIN = SAMPLE_RATE * 10
_CUT_WINDOW = SAMPLE_RATE // 10


def speech_segments(samples: NDArray[np.int16]) -> Iterator[tuple[int, int]]:
    """First sample and sample after the last of each stretch of speech, at most 20 s each, of mono 16 kHz samples.

    A longer stretch is cut where it is quietest.
    """
    for first, last in _joined(_spoken_frames(samples)):
        if last - first < _SHORTEST_SPEECH or _loudness(samples[first:last]) < _FAINTEST_SPEECH:
            continue
        first, last = max(0, first - _MARGIN), min(len(samples), last + _MARGIN)
        while last - first > _LONGEST:
            cut = _quietest(samples, first + _LONGEST - _CUT_WITHIN, first + _LONGEST)
            yield first, cut
            first = cut
        yield first, last


def _spoken_frames(samples: NDArray[np.int16]) -> Iterator[int]:
    detector = Vad(_STRICTEST, SAMPLE_RATE, _FRAME / SAMPLE_RATE)
    for first in range(0, len(samples) - _FRAME + 1, _FRAME):
        if detector.is_speech(samples[first : first + _FRAME].tobytes()):
            yield first


def _joined(frames: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Frames with no long pause between them, as one stretch."""
    stretch: tuple[int, int] | None = None
    for frame in frames:
        if stretch and frame - stretch[1] <= _LONGEST_PAUSE:
            stretch = stretch[0], frame + _FRAME
        else:
            if stretch:
                yield stretch
            stretch = frame, frame + _FRAME
    if stretch:
        yield stretch


def _loudness(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _quietest(samples: NDArray[np.int16], first: int, last: int) -> int:
    """The middle of the quietest tenth of a second from ``first`` to ``last``."""
    windows = samples[first:last].astype(np.float64).reshape(-1, _CUT_WINDOW)
    return first + int(np.square(windows).sum(axis=1).argmin()) * _CUT_WINDOW + _CUT_WINDOW // 2
