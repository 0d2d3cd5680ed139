import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.user_ids import canonical, fault, outline, owner_of


@pytest.mark.parametrize(
    "spelling",
    [
        "Jos\u00e9-1",
        "Jose\u0301-1",
        "\ufeffJos\u00e9-1",
        "Jos\u00e9\u200b-1",
        " Jos\u00e9-1\u00a0",
        "Jos\u00e9\u20111",
        '"Jos\u00e9-1"',
        "\u201eJos\u00e9-1\u201c",
        "'\"Jos\u00e9-1\"', ;",
    ],
)
def test_one_patient_has_one_user_id_however_it_is_spelt(spelling: str) -> None:
    assert canonical(spelling) == "Jos\u00e9-1"


@pytest.mark.parametrize(
    "user_id", ["p-001", "P-001", "p-00\u00b9", "a, b", 'a "b" c', "O'Brien", "p\n1", "'a' and 'b'"]
)
def test_what_may_mean_another_patient_stays_as_it_is(user_id: str) -> None:
    assert canonical(user_id) == user_id


@given(st.text())
def test_a_canonical_user_id_is_its_own_and_that_of_its_decomposed_letters(user_id: str) -> None:
    once = canonical(user_id)
    assert canonical(once) == once
    assert canonical(unicodedata.normalize("NFD", user_id)) == once


@pytest.mark.parametrize(
    ("user_id", "code"), [("a\nb", "U+000A"), ("\x85", "U+0085"), ("a\u2028", "U+2028"), ("\ufffd", "U+FFFD")]
)
def test_a_user_id_that_no_line_can_name_is_told_by_its_character(user_id: str, code: str) -> None:
    assert code in (fault(user_id) or "")


def test_a_user_id_of_blanks_and_quotes_only_is_none() -> None:
    assert fault(canonical(' "\u200b" ')) == "has no letter or digit"
    assert fault("p-001") is None


def test_the_owner_of_a_key_is_the_folder_below_media() -> None:
    assert owner_of("media/Jose\u0301/a/b.wav") == "Jos\u00e9"
    assert [owner_of(key) for key in ("media/x", "other/p-1/a.wav", "media")] == [None] * 3


def test_user_ids_that_are_taken_for_each_other_have_one_outline() -> None:
    assert {outline(user_id) for user_id in ("p-001", "P-001", "p-0O1", "p-oOl", "p-00I", "\uff50-001")} == {
        outline("p-001")
    }
    assert len({outline(f"p-{number:03}") for number in range(1000)}) == 1000
