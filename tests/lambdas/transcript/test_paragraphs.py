from typing import Any

from lambdas.transcript.paragraphs import MOST_WORDS, PARAGRAPH_WORDS, paragraphs
from lambdas.transcript.words import Words
from tests.lambdas.report import visit


def texts(words: Words) -> list[str]:
    parts = list(paragraphs(words))
    assert [part.begin for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert "".join(words.text[part.begin : part.end] for part in parts) == words.text
    assert [word for part in parts for word in part.words] == words.words
    return [words.text[part.begin : part.end] for part in parts]


def test_each_turn_of_a_speaker_is_a_paragraph() -> None:
    words = visit.words(("spk_0", "Any pain?"), ("spk_1", "No. None."), ("spk_0", "Good."))
    assert texts(words) == ["Any pain? ", "No. None. ", "Good."]
    assert [part.speaker for part in paragraphs(words)] == ["spk_0", "spk_1", "spk_0"]


def test_a_word_without_a_speaker_is_the_one_who_speaks() -> None:
    assert len(texts(visit.words(("spk_0", "Any"), (None, "pain?"), ("spk_0", "No.")))) == 1


def later(transcript: dict[str, Any], number: int, seconds: float) -> dict[str, Any]:
    """The transcript with a longer pause before its `number`-th item."""
    for item in transcript["results"]["items"][number:]:
        for time in ("start_time", "end_time"):
            if time in item:
                item[time] = str(float(item[time]) + seconds)
    return transcript


def test_a_pause_ends_a_paragraph_only_where_a_sentence_ends() -> None:
    said = (None, "One two. Three four.")
    assert texts(Words(later(visit.transcript(said), 3, 3))) == ["One two. ", "Three four."]
    assert texts(Words(later(visit.transcript(said), 1, 3))) == ["One two. Three four."]


def test_a_long_dictation_is_cut_at_the_end_of_a_sentence() -> None:
    sentence = " ".join(["word"] * (PARAGRAPH_WORDS + 9)) + "."
    assert texts(visit.words((None, f"{sentence} And more."))) == [sentence + " ", "And more."]


def test_a_text_without_sentences_is_cut_all_the_same() -> None:
    assert len(texts(visit.words((None, " ".join(["word"] * (MOST_WORDS * 2 + 1)))))) == 3


def test_a_text_of_which_no_word_has_a_time_is_one_paragraph() -> None:
    assert texts(Words({"results": {"transcripts": [{"transcript": "No times."}]}})) == ["No times."]


def test_an_empty_text_has_no_paragraph() -> None:
    assert texts(Words({"results": {"transcripts": [{"transcript": ""}]}})) == []
