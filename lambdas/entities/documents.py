"""Cut a transcript into documents that Comprehend Medical takes."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Places to cut: the end of a sentence or, if there is none, a blank. A match depends only on the text from its first
# character on, so a search may begin anywhere.
SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+")
BLANK = re.compile(r"\s+")
# The search for the last sentence's end begins this many characters before the limit: nearly all sentences are shorter.
SOUGHT_CHARACTERS = 1000


class Document(NamedTuple):
    """A part of a transcript; `offset` is the index of its first character in the transcript."""

    text: str
    offset: int


def cut(text: str, limit: int) -> Iterator[Document]:
    """Cut `text` into documents of fewer than `limit` bytes in UTF-8, at the ends of sentences if possible.

    The documents' texts joined are `text`.
    """
    offset = 0
    while offset < len(text):
        end = offset + longest_prefix(text, offset, limit - 1)
        if end < len(text):
            piece = text[offset:end]
            end = offset + (last_end(SENTENCE_END, piece) or last_end(BLANK, piece) or len(piece))
        yield Document(text[offset:end], offset)
        offset = end


def last_end(place: re.Pattern[str], piece: str) -> int | None:
    """The index at which the last match of `place` in `piece` ends; the end of `piece` is searched first."""
    for length in (SOUGHT_CHARACTERS, len(piece)):
        ends = [match.end() for match in place.finditer(piece, max(len(piece) - length, 0))]
        if ends:
            return ends[-1]
    return None


def longest_prefix(text: str, offset: int, limit: int) -> int:
    """The number of characters from `offset` on that fit into `limit` bytes of UTF-8, at least one."""
    piece = text[offset : offset + limit].encode()[:limit]
    return max(1, len(piece.decode(errors="ignore")))
