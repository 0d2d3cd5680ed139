from local.engines.speech import Word
from local.services.transcribe.utterances import in_turn, utterances


def _word(text: str, start: float, end: float) -> Word:
    return Word(text, start, end, 1.0)


def test_a_longer_pause_ends_an_utterance() -> None:
    words = [_word("one", 0.0, 0.5), _word("two", 1.0, 1.5), _word("three", 2.01, 2.5)]
    assert utterances(words) == [words[:2], words[2:]]


def test_a_change_of_speaker_ends_an_utterance() -> None:
    words = [_word("How", 0.0, 0.1), _word("Fine", 0.1, 0.2), _word("thanks", 0.2, 0.3)]
    assert utterances(words, [0, 1, 1]) == [words[:1], words[1:]]


def test_no_words_are_no_utterances() -> None:
    assert utterances([], []) == []


def test_utterances_that_overlap_stay_in_one_piece() -> None:
    first = [_word("a", 0.0, 0.4), _word("b", 0.4, 0.8)]
    second = [_word("c", 0.1, 0.5), _word("d", 1.2, 1.3)]
    assert in_turn([second, first]) == [first, second[:1], second[1:]]
