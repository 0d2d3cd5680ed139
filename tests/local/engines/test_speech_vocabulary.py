from pathlib import Path

import pytest

from local.engines.speech_alignment import Aligner
from local.engines.speech_pronunciation import pronounce
from local.engines.speech_vocabulary import TERMS_FILE, Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(TERMS_FILE, Aligner().phones_of)


def _best(vocabulary: Vocabulary, words: list[str]) -> tuple[int, int, str] | None:
    suggestions = vocabulary.suggest(words)
    return (suggestions[0].first, suggestions[0].last, suggestions[0].term) if suggestions else None


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (["has", "high", "potension"], (1, 3, "hypertension")),
        (["my", "grain"], (0, 2, "migraine")),
        (["takes", "met", "for", "him", "in"], (1, 5, "metformin")),
    ],
)
def test_words_that_sound_like_a_term_suggest_it(
    vocabulary: Vocabulary, heard: list[str], expected: tuple[int, int, str]
) -> None:
    assert _best(vocabulary, heard) == expected


def test_a_term_that_was_recognized_is_left_alone(vocabulary: Vocabulary) -> None:
    assert all(suggestion.last <= 0 for suggestion in vocabulary.suggest(["Hypotension"]))


def test_suggestions_come_nearest_first(vocabulary: Vocabulary) -> None:
    distances = [suggestion.distance for suggestion in vocabulary.suggest(["takes", "met", "for", "him", "in"])]
    assert distances and distances == sorted(distances)


def test_a_term_without_phones_is_pronounced_by_its_spelling(tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("# a comment\nzolpidem\n")
    vocabulary = Vocabulary(terms, lambda word: pronounce(word).split())
    assert vocabulary.terms == {"zolpidem": pronounce("zolpidem").split()}
    assert _best(vocabulary, ["zolpidam"]) == (0, 1, "zolpidem")


def test_every_term_has_phones_that_the_acoustic_model_knows(vocabulary: Vocabulary) -> None:
    aligner = Aligner()
    for term, phones in vocabulary.terms.items():
        aligner.teach(term.replace(" ", "_") + "_spelled_out", phones)
