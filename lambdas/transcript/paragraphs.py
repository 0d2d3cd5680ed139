"""Cut a transcript's text into readable paragraphs: a turn of a speaker, or a few sentences of a long turn."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lambdas.transcript.transcribed_words import Word
from lambdas.transcript.words import Words

SENTENCE_END = re.compile(r"[.!?]")
# After the end of a sentence, a pause of this length or this many words begin a new paragraph.
PAUSE_SECONDS = 2.0
PARAGRAPH_WORDS = 80
# Without ends of sentences, a paragraph has at most this many words.
MOST_WORDS = 200


class Paragraph(NamedTuple):
    """The part `[begin, end)` of the text, its words and its speaker. The paragraphs joined are the whole text."""

    begin: int
    end: int
    words: Sequence[Word]
    speaker: str | None
    channel: str | None


def paragraphs(words: Words) -> Iterator[Paragraph]:
    begin = first = 0
    said_by = speaker_of(words.words[0]) if words.words else (None, None)
    for number in range(1, len(words.words)):
        word = words.words[number]
        speaker = (word.speaker or said_by[0], word.channel or said_by[1])
        if speaker != said_by or is_break(words, first, number):
            yield Paragraph(begin, word.begin, words.words[first:number], *said_by)
            begin, first, said_by = word.begin, number, speaker
    if words.text:
        yield Paragraph(begin, len(words.text), words.words[first:], *said_by)


def speaker_of(word: Word) -> tuple[str | None, str | None]:
    return word.speaker, word.channel


def is_break(words: Words, first: int, number: int) -> bool:
    """Whether the paragraph that begins with word `first` should end before word `number`."""
    length = number - first
    if length >= MOST_WORDS:
        return True
    before, word = words.words[number - 1], words.words[number]
    if length < PARAGRAPH_WORDS and word.start_seconds - before.end_seconds < PAUSE_SECONDS:
        return False
    return bool(SENTENCE_END.search(words.text, before.end, word.begin))
