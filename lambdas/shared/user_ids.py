"""User ids: the folder names in `media/<user_id>/<file>`. All spellings of one id are the same patient."""

import re
import unicodedata

from lambdas.shared.spelling import plain

# Separators that a spreadsheet may leave behind a line's last column.
SEPARATORS = ",;|\uff0c\uff1b\u3001\u060c\u061b"

# A user id of these characters is its own canonical spelling.
PLAIN = re.compile(r"[\w.-]+", re.ASCII)
# Control characters, line separators, surrogates, and replacement characters of lost letters.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd-\uffff]")
_LOOK_ALIKE = str.maketrans("oil", "011")


def canonical(user_id: str) -> str:
    """The canonical spelling of a user id. Case is significant.

    Surrounding blanks, a pair of quotes and a trailing separator are removed. In a list that people write by hand they
    can't be distinguished from the id, so two ids that differ only in them are the same patient.
    """
    if PLAIN.fullmatch(user_id):
        return user_id
    text, longer = plain(user_id), None
    while text != longer:
        longer, text = text, _unquoted(text.rstrip(f" {SEPARATORS}").lstrip(" "))
    return text


def spellings(user_id: str) -> set[str]:
    """Possible spellings of the user id: unchanged, canonical, and with decomposed letters."""
    return {user_id, canonical(user_id), unicodedata.normalize("NFD", user_id)}


def fault(user_id: str) -> str | None:
    """Why no line of the suppression list could name this canonical user id; None if one can."""
    if found := _UNUSABLE.search(user_id):
        return f"has the character U+{ord(found[0]):04X}, which can't be read or breaks a line"
    return None if user_id else "has no letter or digit"


def owner_of(key: str) -> str | None:
    """The canonical user id in a recording's key, None if the key has none."""
    parts = key.split("/", 2)
    return canonical(parts[1]) if parts[0] == "media" and len(parts) == 3 else None


def outline(user_id: str) -> str:
    """A text that is equal for easily confused user ids: case is ignored, O is 0, l and I are 1."""
    return unicodedata.normalize("NFKC", user_id).casefold().translate(_LOOK_ALIKE)


def _unquoted(text: str) -> str:
    for quote in "\"'":
        if len(text) > 1 and text[0] == text[-1] == quote and quote not in text[1:-1]:
            return text[1:-1]
    return text
