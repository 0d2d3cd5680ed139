import pytest

from local.engines.speech_pronunciation import pronounce, spoken_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hypertension", "hypertension"),
        ("10mg", "ten milligrams"),
        ("mg", "mg"),
        ("7.2%", "seven point two percent"),
        ("140/90", "one hundred forty ninety"),
        ("54-year-old", "fifty four year old"),
        ("2019", "twenty nineteen"),
        ("1998", "nineteen ninety eight"),
        ("2005", "two thousand five"),
        ("1,500", "one thousand five hundred"),
        ("5551234", "five five five one two three four"),
        ("007", "zero zero seven"),
        ("ECG", "e c g"),
        ("A1c", "a one c"),
        ("patient's", "patient's"),
        ("patient’s", "patient's"),
        ("3rd", "three"),
        ("—", ""),
    ],
)
def test_a_written_word_is_said_like_this(written: str, said: str) -> None:
    assert " ".join(spoken_words(written)) == said


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("metformin", "M EH T F AO R M IH N"),
        ("dose", "D OW S"),
        ("phase", "F EY S"),
        ("pill", "P IH L"),
        ("hctz", "EY CH S IY T IY Z IY"),
        ("é", "AH"),
    ],
)
def test_spelling_rules_give_a_pronunciation(word: str, phones: str) -> None:
    assert pronounce(word) == phones
