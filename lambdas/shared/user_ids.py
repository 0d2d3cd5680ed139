"""A user id is the folder's name in `media/<user_id>/<file>`: one patient, however a client spells the name."""

import re
import unicodedata

from lambdas.shared.spelling import plain

# What a spreadsheet leaves behind the last column of a line.
SEPARATORS = ",;|\uff0c\uff1b\u3001\u060c\u061b"

# What is its own canonical spelling.
PLAIN = re.compile(r"[\w.-]+", re.ASCII)
# Control characters, line separators, halves of characters, and what stands for a letter that was lost.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd-\uffff]")
_LOOK_ALIKE = str.maketrans("oil", "011")


def canonical(user_id: str) -> str:
    """The one spelling of a user id. Case is significant.

    What surrounds it doesn't count: blanks, a pair of quotes, a comma at its end. A list that people write by hand
    can't tell these from the id, so two ids that differ by them are the same patient.
    """
    if PLAIN.fullmatch(user_id):
        return user_id
    text, longer = plain(user_id), None
    while text != longer:
        longer, text = text, _unquoted(text.rstrip(f" {SEPARATORS}").lstrip(" "))
    return text


def spellings(user_id: str) -> set[str]:
    """As the user id may be written: as it is, and with its letters composed or decomposed."""
    return {user_id, canonical(user_id), unicodedata.normalize("NFD", user_id)}


def fault(user_id: str) -> str | None:
    """Why no line of the suppression list could name it, None if one can; `user_id` is canonical."""
    if found := _UNUSABLE.search(user_id):
        return f"has the character U+{ord(found[0]):04X}, which can't be read or breaks a line"
    return None if user_id else "has no letter or digit"


def owner_of(key: str) -> str | None:
    """The canonical user id of the recording that has this key, None if it is nobody's."""
    parts = key.split("/", 2)
    return canonical(parts[1]) if parts[0] == "media" and len(parts) == 3 else None


def outline(user_id: str) -> str:
    """Equal for user ids that are easily taken for each other: case ignored, 0 like O, 1 like l and I."""
    return unicodedata.normalize("NFKC", user_id).casefold().translate(_LOOK_ALIKE)


def _unquoted(text: str) -> str:
    for quote in "\"'":
        if len(text) > 1 and text[0] == text[-1] == quote and quote not in text[1:-1]:
            return text[1:-1]
    return text
