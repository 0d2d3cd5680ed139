import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.spelling import caseless, plain


@given(st.text())
def test_a_plain_text_is_plain_already_and_so_is_what_differs_by_composition(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(unicodedata.normalize("NFD", text)) == plain(text)


@given(st.text(st.characters(max_codepoint=0x2AF) | st.sampled_from("\u0301\u0308\u0323\u2019\u2013\u200b")))
def test_a_text_in_capitals_and_in_small_letters_is_one(text: str) -> None:
    assert caseless(caseless(text)) == caseless(text)
    assert caseless(text.casefold()) == caseless(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_comes_to_the_same(text: str) -> None:
    assert caseless(text + "\u00ad") == caseless(text)


@pytest.mark.parametrize("text", ["10\u00b2", "\u00bd", "\u2122"])
def test_what_means_something_else_stays(text: str) -> None:
    assert plain(text) == text
