"""Conversations put together from the sample recordings: p-001 and p-004 are one voice, p-002 and p-003 two others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from local.engines.media import decode
from local.engines.speech import Word
from local.engines.speech_speakers import speakers_of

MEDIA = Path(__file__).parents[3] / "samples" / "media"
ANN, ANN_AGAIN, BOB, CARL = "p-001/visit-0001.wav", "p-004/visit.flac", "p-002/dictation+1.m4a", "p-003/note.mp4"
PAUSE = np.zeros(8_000, np.int16)


def _conversation(*turns: str) -> tuple[NDArray[np.int16], list[Word]]:
    """Three seconds of each turn, and three words that share each second of them."""
    sounds: list[NDArray[np.int16]] = []
    words: list[Word] = []
    for turn in turns:
        sound = decode((MEDIA / turn).read_bytes()).mono()[3_200:51_200]
        at = sum(map(len, sounds)) / 16_000
        words += [Word("word", at + third / 3, at + (third + 1) / 3, 1.0) for third in range(9)]
        sounds += [sound, PAUSE]
    return np.concatenate(sounds), words


@pytest.mark.parametrize("most", [2, 10])
@pytest.mark.parametrize("other", [BOB, CARL])
def test_two_voices_are_told_apart(other: str, most: int) -> None:
    samples, words = _conversation(ANN, other, ANN_AGAIN, other)
    assert speakers_of(samples, words, most) == [0] * 9 + [1] * 9 + [0] * 9 + [1] * 9


def test_a_third_voice_has_a_number_of_its_own_where_there_may_be_three() -> None:
    samples, words = _conversation(BOB, ANN, CARL, ANN_AGAIN, BOB, CARL)
    turns = [0, 1, 2, 1, 0, 2]
    assert speakers_of(samples, words, 3) == [speaker for speaker in turns for _ in range(9)]
    assert max(speakers_of(samples, words, 2)) == 1


def test_one_voice_is_one_speaker() -> None:
    samples, words = _conversation(ANN, ANN_AGAIN, ANN)
    assert speakers_of(samples, words, 10) == [0] * 27


def test_a_short_answer_is_of_the_voice_it_sounds_like() -> None:
    samples, words = _conversation(ANN, BOB, ANN_AGAIN, BOB)
    short = words[:29]
    assert short[-1].end - short[27].start < 0.8
    assert speakers_of(samples, short, 2)[27:] == [1, 1]


def test_another_may_begin_to_speak_where_a_sentence_ends_without_a_pause() -> None:
    with_pauses, words = _conversation(ANN, BOB, ANN_AGAIN, BOB)
    samples = np.concatenate([with_pauses[turn * 56_000 :][:48_000] for turn in range(4)])
    words = [
        replace(
            word, start=word.start - at // 9 / 2, end=word.end - at // 9 / 2, punctuation="." if at % 9 == 8 else ""
        )
        for at, word in enumerate(words)
    ]
    assert speakers_of(samples, words, 2) == [0] * 9 + [1] * 9 + [0] * 9 + [1] * 9


def test_nobody_speaks_in_no_words() -> None:
    assert speakers_of(PAUSE, [], 2) == []


def test_words_outside_the_sound_or_without_length_have_a_speaker_all_the_same() -> None:
    assert speakers_of(PAUSE, [Word("a", 0.1, 0.1, 1.0), Word("b", 9.0, 9.5, 1.0)], 2) == [0, 0]
