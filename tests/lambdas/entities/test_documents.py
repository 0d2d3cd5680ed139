import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.entities.documents import cut


@given(st.text(alphabet="ab .!?é😀\n", max_size=300), st.integers(5, 60))
def test_documents_joined_are_the_text_and_stay_below_the_limit(text: str, limit: int) -> None:
    documents = list(cut(text, limit))
    assert "".join(document.text for document in documents) == text
    assert all(0 < len(document.text.encode()) < limit for document in documents)
    assert all(text[document.offset :].startswith(document.text) for document in documents)


def test_cuts_are_at_sentence_ends_where_there_are_any() -> None:
    text = "No fever today. He has no cough. The rest is fine."
    assert [document.text for document in cut(text, 36)] == ["No fever today. He has no cough. ", "The rest is fine."]


def test_without_a_sentence_end_cuts_are_between_words() -> None:
    assert [document.text for document in cut("no fever and no cough", 14)] == ["no fever and ", "no cough"]


@pytest.mark.parametrize("end", ["No fever. ", 'He said "no." ', ". " + " " * 3000, "?!)\n\n"])
def test_a_cut_is_at_the_last_sentence_end_however_far_from_the_limit_it_is(end: str) -> None:
    first, *_ = cut("Yes. " + end + "x" * 5000, len(end) + 4000)
    assert first.text == "Yes. " + end


def test_a_text_below_the_limit_is_one_document() -> None:
    assert [document.text for document in cut("x" * 39, 40)] == ["x" * 39]
    assert len(list(cut("x" * 40, 40))) == 2
