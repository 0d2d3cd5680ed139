"""The engine on real sound: the sample recordings, silence, noise."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from local.engines.media import decode
from local.engines.speech import Word, _origins, _tokens, confidence_of, transcribe
from local.engines.speech_vocabulary import Suggestion

SAMPLES = Path(__file__).parents[3] / "samples"


def _sound(name: str) -> NDArray[np.int16]:
    return decode((SAMPLES / "media" / name).read_bytes()).mono()


@cache
def _heard(name: str) -> list[Word]:
    """What the engine hears in a sample; it takes a second, and several tests ask for the same ones."""
    return transcribe(_sound(name))


def _text(words: list[Word]) -> str:
    return " ".join(word.text for word in words).lower()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p-001/visit-0001.wav", "hypertension"),
        ("p-004/visit.flac", "hypertension"),
        ("p-018/visit.webm", "atrial fibrillation"),
        ("p-033/visit.mp3", "metformin"),
        ("p-049/visit.ogg", "asthma"),
    ],
)
def test_clinical_terms_are_heard_in_every_kind_of_recording(name: str, expected: str) -> None:
    assert expected in _text(_heard(name))


def test_what_was_heard_before_a_term_was_put_right_stays_with_it() -> None:
    words = [word for name in ("p-018/visit.webm", "p-033/visit.mp3") for word in _heard(name)]
    corrected = [word for word in words if word.heard]
    assert corrected
    for word in corrected:
        assert word.heard is not None
        assert _text(list(word.heard)) != word.text.lower()
        assert all(heard.heard is None and 0 < heard.confidence <= 1 for heard in word.heard)
    assert any(word.heard is None for word in words)


def test_a_terms_first_word_stands_for_all_that_was_heard_there() -> None:
    origins = [range(at, at + 1) for at in range(5)]
    assert _origins(origins, Suggestion(1, 4, "atrial fibrillation", 0.1)) == [
        range(1), range(1, 4), range(4, 4), range(4, 5),
    ]  # fmt: skip


def test_words_have_times_in_order_and_punctuation_apart() -> None:
    sound = _sound("p-001/visit-0001.wav")
    words = _heard("p-001/visit-0001.wav")
    assert _text(words).startswith("the patient is a 54-year-old woman with hypertension she takes 10 milligrams")
    assert words[-1].punctuation == "."
    assert all(word.text[-1].isalnum() for word in words)
    assert all(0 < word.confidence <= 1 for word in words)
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert all(word.start < word.end <= len(sound) / 16_000 for word in words)


@pytest.mark.parametrize("seconds", [0, 0.1, 3])
def test_silence_has_no_words(seconds: float) -> None:
    assert transcribe(np.zeros(int(seconds * 16_000), np.int16)) == []


def test_faint_noise_has_no_words() -> None:
    assert transcribe(np.random.default_rng(1).normal(0, 30, 48_000).astype(np.int16)) == []


def test_times_count_from_the_beginning_of_the_recording() -> None:
    sound = _sound("p-002/dictation+1.m4a")
    later = transcribe(np.concatenate([np.zeros(32_000, np.int16), sound]))
    assert later[0].start == pytest.approx(2 + transcribe(sound)[0].start, abs=0.15)


def test_two_threads_hear_what_one_hears_every_time() -> None:
    names = ("p-013/visit.mp3", "p-018/visit.webm")
    alone = [_heard(name) for name in names]
    sounds = [_sound(name) for name in names]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(transcribe, sounds * 2)) == alone * 2


def test_punctuation_belongs_to_the_word_before_it() -> None:
    assert _tokens("Mr. Jones, 7.2% — isn't it?") == [
        ("Mr", "."), ("Jones", ","), ("7.2%", ""), ("isn't", ""), ("it", "?"),
    ]  # fmt: skip


def test_confidence_falls_with_the_fit_and_is_low_without_one() -> None:
    assert 1 > confidence_of(-0.5) > confidence_of(-2) > confidence_of(-6) > 0
    assert confidence_of(None) == 0.3


def test_all_but_a_few_words_of_the_samples_are_right() -> None:
    """A guard on quality: bench/speech.py measures it in full."""
    recordings = json.loads((SAMPLES / "recordings.json").read_text("utf-8"))
    affirmed = [item for item in recordings if "p-010" <= item["user_id"] <= "p-020"]
    heard = [_text(_heard(f"{item['user_id']}/{item['file']}")) for item in affirmed]
    assert sum("hypertension" in text for text in heard) >= len(affirmed) - 1
