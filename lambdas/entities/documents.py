"""How a transcript is cut into documents that Comprehend Medical takes."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A sentence's end, and failing that a blank, as places to cut. Each match is made by its own first character alone.
SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+")
BLANK = re.compile(r"\s+")
# Where a sentence's end is looked for first: nearly every one is shorter.
SOUGHT_CHARACTERS = 1000


class Document(NamedTuple):
    """A part of a transcript: `text` begins at character `offset` of it."""

    text: str
    offset: int


def cut(text: str, limit: int) -> Iterator[Document]:
    """Cut `text` into documents of fewer than `limit` bytes in UTF-8, at sentence ends where there are any.

    Nothing is lost or added: the texts joined are `text`.
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
    """Where the last match of `place` ends in `piece`: looked for from the end on, where it mostly is."""
    for length in (SOUGHT_CHARACTERS, len(piece)):
        ends = [match.end() for match in place.finditer(piece, max(len(piece) - length, 0))]
        if ends:
            return ends[-1]
    return None


def longest_prefix(text: str, offset: int, limit: int) -> int:
    """How many characters from `offset` on fit into `limit` bytes, at least one."""
    piece = text[offset : offset + limit].encode()[:limit]
    return max(1, len(piece.decode(errors="ignore")))
