"""Match the models' regular expressions, which are written for Java, with Java's semantics.

Source of Java's syntax and classes: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html
"""

import re
import unicodedata
from collections.abc import Callable

# The parts of a pattern with another meaning in Python: an escape, a dot, a bracket, or a run of surrogates.
_PART = re.compile(
    r"(?P<surrogates>\\u[dD][89a-fA-F][0-9a-fA-F]{2}(?:-?\\u[dD][89a-fA-F][0-9a-fA-F]{2})*)"
    r"|\\(?P<negated>[pP])\{(?P<category>[A-Za-z]+)\}"
    r"|(?P<escape>\\.)|(?P<dot>\.)|(?P<open>\[)|(?P<close>\])",
    re.DOTALL,
)
_CATEGORIES = re.compile("[CLMNPSZ][a-z]?")


def matches(pattern: str, text: str) -> bool:
    r"""Whether the whole `text` matches.

    A class of a Unicode category, such as `\p{L}`, is replaced by those of its characters that occur in `text`. UTF-16
    surrogates in a class are replaced by all characters beyond U+FFFF.

    Raises:
        ValueError: the pattern has a class that isn't a Unicode category.
        re.error: the pattern isn't a regular expression.
    """
    # In Java, \d, \s and \w are ASCII.
    return re.fullmatch(_translated(pattern, text), text, re.ASCII) is not None


def _translated(pattern: str, text: str) -> str:
    # A character that isn't in the text. It prevents empty classes and never matches.
    filler = next(character for character in map(chr, range(0xE000, 0x110000)) if character not in text)
    inside = False

    def python(part: re.Match[str]) -> str:
        nonlocal inside
        if part["surrogates"]:
            return "\\U00010000-\\U0010FFFF" if inside else "[\\U00010000-\\U0010FFFF]"
        if part["category"]:
            in_category = _membership(part["category"], wanted=part["negated"] == "p")
            characters = "".join(re.escape(character) for character in sorted(set(text)) if in_category(character))
            return characters + filler if inside else f"[{characters}{filler}]"
        if part["dot"] and not inside:
            return "[^\\n\\r\\u0085\\u2028\\u2029]"
        if part["open"] or part["close"]:
            inside = bool(part["open"])
        return part[0]

    return _PART.sub(python, pattern)


def _membership(category: str, wanted: bool) -> Callable[[str], bool]:
    if not _CATEGORIES.fullmatch(category):
        raise ValueError(f"{category} is no Unicode category")
    return lambda character: unicodedata.category(character).startswith(category) is wanted
