"""One spelling for texts that clients, editors and spreadsheets write in different ways."""

import re
import unicodedata

# Byte-order marks, zero-width blanks and joiners, direction marks, soft hyphens, variation selectors.
INVISIBLE = "\u00ad\u034f\u061c\u180e" + "".join(
    chr(code) for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F))
    for code in range(first, last + 1)
) + "\ufeff"  # fmt: skip
# Unicode's space separators, which don't include the tab.
BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DOUBLE_QUOTES = "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u301d\u301e\uff02"
_SINGLE_QUOTES = "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201a\u201b\u2032\u2039\u203a\uff07"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_BLANKS = re.compile(f"[{BLANKS}]+")
_STRAIGHT = str.maketrans(
    dict.fromkeys(_DOUBLE_QUOTES, '"') | dict.fromkeys(_SINGLE_QUOTES, "'") | dict.fromkeys(_DASHES, "-")
)


def plain(text: str) -> str:
    """The text with composed letters, straight quotes, hyphens for dashes, single blanks and nothing invisible.

    NFKC isn't used, because it changes meanings: it turns 10² into 102.
    """
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _BLANKS.sub(" ", composed.translate(_STRAIGHT))


def caseless(text: str) -> str:
    """As `plain`, in lower case, with any white space as one blank."""
    if text.isascii():  # a fast path, which nearly all texts take
        return " ".join(text.lower().replace("`", "'").split())
    return " ".join(plain(unicodedata.normalize("NFD", text).casefold()).split())
