"""The suppression list: user ids of people who may never be in a seed, written by hand, one per line.

An unambiguous line is read in any spelling. An unclear line stops the selection of seeds: skipping the line would leave
its person in a seed without anybody noticing.
"""

import codecs
import re
from collections.abc import Iterator, Mapping

from lambdas.shared.errors import InvalidSuppressionList
from lambdas.shared.spelling import BLANKS, INVISIBLE, plain
from lambdas.shared.user_ids import PLAIN, SEPARATORS, canonical, fault

USAGE = (
    "Write one user id per line and nothing else, in UTF-8. Put a user id with blanks, commas or semicolons in double "
    "quotes."
)
_UTF8 = "utf-8"
_BREAK = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"
_AROUND = f"{BLANKS}\t{INVISIBLE}"
_BETWEEN = re.compile(f"[ \t{SEPARATORS}]")
_MOST_NAMED = 20


class Unclear(ValueError):
    """A line is unclear; the message continues a sentence that begins with "Line 3"."""


def read_list(body: bytes, uri: str) -> dict[int, str]:
    """Line number -> canonical user id; lines without a user id are left out.

    Raises:
        InvalidSuppressionList: lines are unclear; the message has their numbers, never their content.
    """
    user_ids: dict[int, str] = {}
    unclear: dict[int, str] = {}
    encoding = _encoding(body)
    # Undecodable bytes become U+FFFD in their line.
    for number, line in enumerate(_BREAK.split(body.decode(encoding, errors="replace")), 1):
        try:
            if encoding != _UTF8 and _is_utf8(line.encode(encoding)):
                raise Unclear("is UTF-8 in a UTF-16 file, as if two files were joined; save the file as UTF-8")
            if user_id := user_id_of(line):
                user_ids[number] = user_id
        except Unclear as reason:
            unclear[number] = str(reason)
    if unclear:
        raise InvalidSuppressionList(f"{uri} can't be read for certain. {' '.join(_sentences(unclear))} {USAGE}")
    return user_ids


def user_id_of(line: str) -> str:
    """The canonical user id in the line, "" if there is none.

    Raises:
        Unclear: the line is ambiguous or unreadable.
    """
    if PLAIN.fullmatch(line):
        return line
    written = line.strip(_AROUND)
    if _MARK in written:
        # Ignoring the mark would merge the last line of one file and the first line of the next into one user id.
        raise Unclear("has a byte-order mark in its middle, where two files were joined; begin a new line there")
    if "\ufffd" in written:
        raise Unclear("isn't readable; save the file as UTF-8")
    text = plain(written).rstrip(f" \t{SEPARATORS}")
    user_id = canonical(_unquoted(text))
    if "/" in user_id:
        raise Unclear("has a slash; a user id is the name of the folder below media/ alone")
    if user_id and (reason := fault(user_id)):
        raise Unclear(reason)
    return user_id


def line_of(user_id: str) -> str:
    """The line that names this canonical user id, which has no `fault`."""
    try:
        if user_id_of(user_id) == user_id:
            return user_id
    except Unclear:
        pass
    return '"' + user_id.replace('"', '""') + '"'


def with_user_id(body: bytes, user_id: str) -> bytes:
    """The list, valid by `read_list`, with a line for `user_id` appended, in UTF-8."""
    text = body.decode(_encoding(body))
    separator = "\n" if text and not text.endswith(("\n", "\r")) else ""
    return f"{text}{separator}{line_of(user_id)}\n".encode()


def _encoding(body: bytes) -> str:
    return {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(body[:2], _UTF8)


def _is_utf8(line: bytes) -> bool:
    """Whether a line's bytes are text in UTF-8. In UTF-16, each ASCII character has a zero byte, which text hasn't."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return False
    return any(letter > " " for letter in text) and not any(letter < " " and letter not in "\t\r\n" for letter in text)


def _unquoted(text: str) -> str:
    """The text without a spreadsheet's surrounding quotes; the quoted text may have any characters."""
    first, last = text[:1], text[-1:]
    if first in ('"', "'") and last == first and len(text) > 1:
        # Within double quotes, a double quote is written twice.
        parts = text[1:-1].split('""') if first == '"' else [text[1:-1]]
        if any(first in part for part in parts):
            raise Unclear("has several columns or an extra quote")
        return '"'.join(parts)
    if _BETWEEN.search(text):
        raise Unclear("has something beside the user id: text after a blank, tab, comma or semicolon")
    if {first, last} & {'"', "'"}:
        raise Unclear("has a quote without its partner")
    return text


def _sentences(unclear: Mapping[int, str]) -> Iterator[str]:
    for number in sorted(unclear)[:_MOST_NAMED]:
        yield f"Line {number} {unclear[number]}."
    if len(unclear) > _MOST_NAMED:
        yield f"{len(unclear) - _MOST_NAMED} more lines are unclear."
