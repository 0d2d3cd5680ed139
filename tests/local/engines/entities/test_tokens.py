import pytest

from local.engines.entities.tokens import lookup_key, phrase_key, sentence_spans, tokenize


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("Knees", "knee"),
        ("allergies", "allergy"),
        ("Crohn's", "crohn"),
        ("Two", "2"),
        ("abscess", "abscess"),
        ("lupus", "lupus"),
        ("a1c", "a1c"),
    ],
)
def test_a_word_is_looked_up_in_its_plainest_form(word: str, key: str) -> None:
    assert lookup_key(word) == key


def test_hyphen_and_space_make_the_same_phrase() -> None:
    assert phrase_key("X-ray") == phrase_key("x ray")


def test_tokens_know_their_places_and_whether_punctuation_parts_them() -> None:
    text = "chest x-ray, 12.5 mg"
    tokens = tokenize(text)
    assert [text[token.begin : token.end] for token in tokens] == ["chest", "x", "ray", "12.5", "mg"]
    assert [token.joined for token in tokens] == [True, True, True, False, True]


def test_a_sentence_does_not_end_at_a_title_or_a_decimal_point() -> None:
    text = "Dr. Smith gave 2.5 mg. He left; all good"
    assert [text[begin:end].strip() for begin, end in sentence_spans(text)] == [
        "Dr. Smith gave 2.5 mg.",
        "He left;",
        "all good",
    ]
