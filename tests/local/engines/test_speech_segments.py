from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from local.engines.media import decode
from local.engines.speech_segments import speech_segments

RATE = 16_000
SPEECH = decode((Path(__file__).parents[3] / "samples" / "media" / "p-001" / "visit-0001.wav").read_bytes()).mono()


def _silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(int(seconds * RATE), np.int16)


def test_speech_is_found_between_silences() -> None:
    [(first, last)] = speech_segments(np.concatenate([_silence(2), SPEECH, _silence(3)]))
    assert first / RATE == pytest.approx(2, abs=0.4)
    assert last / RATE == pytest.approx(2 + len(SPEECH) / RATE, abs=0.4)


def test_a_long_pause_separates_two_stretches() -> None:
    segments = list(speech_segments(np.concatenate([SPEECH, _silence(2), SPEECH])))
    assert len(segments) == 2
    assert segments[0][1] < segments[1][0]


def test_long_speech_is_cut_and_nothing_of_it_is_lost() -> None:
    samples = np.concatenate([SPEECH] * 6)
    segments = list(speech_segments(samples))
    assert len(segments) > 1
    assert max(last - first for first, last in segments) <= 20 * RATE
    for (_, end), (start, _) in pairwise(segments):
        assert end == start
    assert segments[0][0] <= 0.3 * RATE and segments[-1][1] >= len(samples) - 0.3 * RATE


@pytest.mark.parametrize("seconds", [0, 0.01, 5])
def test_silence_has_no_speech(seconds: float) -> None:
    assert list(speech_segments(_silence(seconds))) == []


def test_a_click_is_no_speech() -> None:
    click = _silence(1)
    click[8000:8100] = 20_000
    assert list(speech_segments(click)) == []
