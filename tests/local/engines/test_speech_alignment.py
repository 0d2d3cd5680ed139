from pathlib import Path

import numpy as np
import pytest

from local.engines.media import decode
from local.engines.speech_alignment import Aligner

RECORDING = Path(__file__).parents[3] / "samples" / "media" / "p-001" / "visit-0001.wav"
SENTENCES = (
    "The patient is a fifty four year old woman with hypertension.",
    "She takes ten milligrams of lisinopril by mouth daily.",
)
TEXT = " ".join(SENTENCES).split()


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


def test_words_follow_each_other_and_span_the_recording(aligner: Aligner) -> None:
    audio = decode(RECORDING.read_bytes())
    alignment = aligner.align(audio.mono(), TEXT)
    assert alignment.score is not None
    assert len(alignment.placements) == len(TEXT)
    previous = 0.0
    for placement in alignment.placements:
        assert previous <= placement.start < placement.end <= audio.seconds
        assert placement.fit is not None and placement.fit < 0
        previous = placement.end
    assert previous > audio.seconds - 0.5


def test_a_word_is_found_where_it_is_said(aligner: Aligner) -> None:
    """Cut out the sound of one word: the aligner scores it higher as that word than as another."""
    samples = decode(RECORDING.read_bytes()).mono()
    place = aligner.align(samples, TEXT).placements[TEXT.index("hypertension.")]
    cut = samples[int(place.start * 16_000) - 800 : int(place.end * 16_000) + 800]
    right, wrong = aligner.align(cut, ["hypertension"]), aligner.align(cut, ["milligrams"])
    assert right.score is not None and wrong.score is not None
    assert right.score > wrong.score + 50


def test_one_written_word_may_be_several_spoken_ones(aligner: Aligner) -> None:
    samples = decode(RECORDING.read_bytes()).mono()
    spelled = aligner.align(samples, TEXT).placements
    digits = [*TEXT[:4], "54", *TEXT[6:]]
    placements = aligner.align(samples, digits).placements
    assert (placements[4].start, placements[4].end) == (spelled[4].start, spelled[5].end)


def test_a_text_too_long_for_the_sound_is_spread_evenly(aligner: Aligner) -> None:
    alignment = aligner.align(np.zeros(1600, np.int16), ["hypertension", "is", "common", "everywhere"])
    assert alignment.score is None
    assert alignment.placements[0].start == 0
    assert alignment.placements[-1].end == pytest.approx(0.1)
    assert all(placement.fit is None for placement in alignment.placements)


@pytest.mark.parametrize("words", [[], ["word"], ["—"]])
def test_no_sound_or_no_words_is_no_error(aligner: Aligner, words: list[str]) -> None:
    assert len(aligner.align(np.zeros(0, np.int16), words).placements) == len(words)
