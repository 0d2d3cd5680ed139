"""Words of a text with their places, and the form under which a word is looked up."""

import re
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W\d_]+)*")
_JOINT = re.compile(r"[ \t\r\n]*[-/]?[ \t\r\n]*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|;|\n\s*\n")
_ABBREVIATION = re.compile(
    r"\b(?:dr|mr|mrs|ms|st|vs|prof|approx|no|b\.i\.d|t\.i\.d|q\.i\.d|p\.o|p\.r\.n|e\.g|i\.e)$", re.I
)
_DIGITS = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "twelve": "12",
    "nineteen": "19",
}
_SHORTEST_PLURAL = 4


class Token(NamedTuple):
    """A word: its lookup key, its code point offsets, and whether only a space or hyphen parts it from the last one."""

    key: str
    begin: int
    end: int
    joined: bool


@lru_cache(maxsize=100_000)
def lookup_key(word: str) -> str:
    """The form in which vocabulary and text are compared: lower case, singular, no possessive, digits for numbers."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    if word in _DIGITS:
        return _DIGITS[word]
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1]


def tokenize(text: str) -> list[Token]:
    """The words of `text` in order."""
    tokens = []
    end = 0
    for word in _WORD.finditer(text):
        joined = _JOINT.fullmatch(text, end, word.start()) is not None
        tokens.append(Token(lookup_key(word.group()), word.start(), word.end(), joined))
        end = word.end()
    return tokens


def phrase_key(phrase: str) -> str:
    """The lookup key of a whole phrase of the vocabulary."""
    return " ".join(lookup_key(word) for word in _WORD.findall(phrase))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(begin, end) of each sentence. Speech-to-text output without punctuation is one long sentence."""
    spans = []
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        if end.group() == "." and _ABBREVIATION.search(text, max(begin, end.start() - 8), end.start()):
            continue
        spans.append((begin, end.end()))
        begin = end.end()
    if begin < len(text):
        spans.append((begin, len(text)))
    return spans
