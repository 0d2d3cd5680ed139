import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.cohorts.suppression_list import line_of, read_list, user_id_of, with_user_id
from lambdas.shared.errors import InvalidSuppressionList
from lambdas.shared.user_ids import canonical, fault

URI = "s3://audience/suppression/user_ids.txt"
EACUTE, DECOMPOSED, MARK = "\u00e9", "e\u0301", "\ufeff"

# Made acceptable rather than chosen among all texts, of which so many are none that Hypothesis gives up: of characters
# that a line can hold, one of which is no blank, quote or separator, so that something is left of it.
_characters = st.characters(exclude_characters="/\u2028\u2029\ufffd\ufffe\uffff", exclude_categories=["Cc", "Cs"])
_around = st.text(_characters)
user_ids = st.builds(
    lambda before, kept, after: canonical(before + kept + after), _around, _characters.filter(canonical), _around
)


def read(text: str | bytes) -> dict[int, str]:
    return read_list(text if isinstance(text, bytes) else text.encode(), URI)


def refusal(text: str | bytes) -> str:
    with pytest.raises(InvalidSuppressionList) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        f"{MARK}p-{EACUTE}", f"p-{DECOMPOSED}", f"p-{EACUTE}{MARK}", f"  p-{EACUTE}\t", f"\u00a0p-{EACUTE}\u3000",
        f"p-\u200b{EACUTE}\u200b", f'"p-{EACUTE}"', f"'p-{EACUTE}'", f"\u201cp-{EACUTE}\u201d",
        f"\u201ep-{EACUTE}\u201c", f"\u00abp-{EACUTE}\u00bb", f"p-{EACUTE},", f"p-{EACUTE} ;", f'"p-{EACUTE}",,',
        f"p\u2011{EACUTE}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_what_is_certain_is_read_in_any_spelling(line: str, end: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        body = f"first{end or chr(10)}{line}{end}".encode(encoding)
        assert read(body) == {1: "first", 2: f"p-{EACUTE}"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("p-001,2026-01-01", "something beside"),
        ("p-001;withdrew", "something beside"),
        ("p-001\t2026-01-01", "something beside"),
        ("p-001 p-002", "something beside"),
        ("p-001\u00a0(withdrew)", "something beside"),
        (",p-001", "something beside"),
        ("p-001\uff0cp-002", "something beside"),
        ('"p-001","2026-01-01"', "several columns"),
        ("'p-001' 'p-002'", "several columns"),
        ('"p-001', "without its partner"),
        ("p-001\u201d", "without its partner"),
        ("p-001\ufeffp-002", "byte-order mark in its middle"),
        ("media/p-001/", "slash"),
        ("p-0\x0001", "U+0000"),
        ("p-001\u2028p-002", "U+2028"),
        ("p-001\x0bp-002", "U+000B"),
    ],
)
def test_what_is_not_certain_is_refused_by_its_line_and_never_repeated(line: str, told: str) -> None:
    message = refusal(f"p-007\n\n{line}\np-008\n")
    assert URI in message
    assert re.findall(r"Line (\d+) ", message) == ["3"]
    assert told in message
    assert "p-0" not in message


@pytest.mark.parametrize(
    "body",
    [
        b"p-1\r\nM\xfcller\r\np-3",
        "p-1\nM\u00fcller\np-3".encode("utf-16")[:-1],
        b"p-1\np-2\n\xff\xfep\x00",
        "p-1\np-2".encode("utf-16-le"),
        b"PK\x03\x04\x14\x00\n",
    ],
)
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    assert "Line " in refusal(body)


def test_every_unclear_line_is_named_up_to_twenty() -> None:
    message = refusal("a b\n" * 30)
    assert re.findall(r"Line (\d+) ", message) == [str(number) for number in range(1, 21)]
    assert "10 more lines" in message


@pytest.mark.parametrize("body", ["", "\n\r\n\r", MARK, ' \t\u200b\n""\n,;,\n'])
def test_lines_that_say_nothing_name_nobody(body: str) -> None:
    assert read(body) == {}


@given(st.lists(user_ids), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_whatever_the_user_ids_a_list_can_name_them_all(names: list[str], end: str, encoding: str) -> None:
    if encoding == "utf-16":  # letters that are UTF-8, too, are refused there
        names = [canonical(f"p-{name}") for name in names]
    body = end.join(map(line_of, names)).encode(encoding)
    assert read(body) == dict(enumerate(names, 1))


encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])


@given(st.lists(user_ids, min_size=1, max_size=4), st.lists(user_ids, min_size=1, max_size=4), encodings, encodings)
def test_two_files_that_were_joined_name_all_their_people_or_are_refused(
    first: list[str], second: list[str], encoding: str, other: str
) -> None:
    # A mark tells which kind of UTF-16 it is.
    files = [
        (MARK * (name == "utf-16-be") + "".join(f"{line_of(user_id)}\r\n" for user_id in each)).encode(name)
        for each, name in ((first, encoding), (second, other))
    ]
    try:
        named = read(b"".join(files))
    except InvalidSuppressionList:
        assert {encoding, other} not in ({"utf-8"}, {"utf-8-sig"}, {"utf-8", "utf-8-sig"})
        return
    assert list(named.values()) == first + second


around = st.text(st.sampled_from(" \t\u00a0\u200b\ufeff"), max_size=3)


@given(user_ids, around, around, st.sampled_from(["", '"', "'"]), st.text(st.sampled_from(" ,;\t"), max_size=3))
def test_what_surrounds_a_user_id_changes_nothing_or_is_refused(
    user_id: str, before: str, after: str, quote: str, columns: str
) -> None:
    bare = line_of(user_id) == user_id
    line = f"{quote}{user_id}{quote}" if bare and quote not in user_id else line_of(user_id)
    assert user_id_of(f"{before}{line}{after.replace(MARK, '')}{columns}{after}") == user_id


@given(st.text(st.sampled_from("ab1-_.,;| \t\"'/\u00e9\u0301\u2019\ufeff\u200b"), min_size=1))
def test_no_line_is_passed_over_that_has_a_letter_or_digit(line: str) -> None:
    try:
        named = read(line)
    except InvalidSuppressionList:
        return
    said = {character for character in canonical(line) if character.isalnum()}
    assert said == {character for user_id in named.values() for character in user_id if character.isalnum()}


@given(st.binary())
def test_any_bytes_are_a_list_or_are_refused(body: bytes) -> None:
    try:
        named = read(body)
    except InvalidSuppressionList as error:
        assert re.search(r"Line \d+ ", str(error))
        return
    assert all(user_id == canonical(user_id) and not fault(user_id) for user_id in named.values())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
def test_a_user_id_is_added_to_a_list_in_any_encoding(encoding: str, end: str) -> None:
    body = with_user_id(f"p-1{end}".encode(encoding), "Ann M\u00fcller, 2")
    assert list(read(body).values()) == ["p-1", "Ann M\u00fcller, 2"]
    assert read(with_user_id(b"", "p-2")) == {1: "p-2"}
