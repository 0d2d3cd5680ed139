"""Find Transcribe Medical's labels of personal health information (PHI) in the transcript's text.

Shape: Amazon Transcribe guide, "Identifying PHI in a transcription": `results.entities`, each with `content`,
`category`, `startTime`, `endTime` (numbers) and `confidence`. A label has no offsets in the text, and its `content` may
be spelled differently there. In doubt, too much is masked rather than too little.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from lambdas.transcript.transcribed_words import Word
from lambdas.transcript.words import Span, Words, spelling

# A run of characters without blanks or surrounding punctuation: "O'Brien", "555-1234", "j.doe@example.com".
WORD = re.compile(r"""[^\s.,;:!?"'()\[\]](?:\S*[^\s.,;:!?"'()\[\]])?""")


class PhiLabel(NamedTuple):
    """A labelled entity. `places` are its words in the text, empty if the whole label isn't found.

    `suspected` are further possible places: identical phrases, or the label's single words elsewhere.
    """

    category: str
    text: str
    score: float | None
    start_seconds: float | None
    end_seconds: float | None
    places: tuple[Span, ...]
    suspected: tuple[Span, ...]

    @property
    def begin_offset(self) -> int | None:
        return min((begin for begin, _ in self.places), default=None)

    @property
    def end_offset(self) -> int | None:
        return max((end for _, end in self.places), default=None)


class WordsByTime:
    """Finds the words within a time of the recording, on all channels."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._words = sorted(words, key=lambda word: word.start_seconds)
        self._starts = [word.start_seconds for word in self._words]
        # Words of two channels may end in another order than they start. The running maximum of the ends is sorted.
        self._latest_ends = list(accumulate((word.end_seconds for word in self._words), max))

    def between(self, start_seconds: float, end_seconds: float) -> list[Word]:
        first = bisect_right(self._latest_ends, start_seconds)
        last = bisect_left(self._starts, end_seconds)
        return [word for word in self._words[first:last] if word.end_seconds > start_seconds]


class WordsOfText:
    """Finds words in the text by their letters and digits, ignoring case and punctuation."""

    def __init__(self, text: str) -> None:
        self._spans = [match.span() for match in WORD.finditer(text)]
        self._keys = [key(text[begin:end]) for begin, end in self._spans]
        self._numbers: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self._keys):
            self._numbers[word].append(number)

    def places_of(self, word: str) -> list[Span]:
        return [self._spans[number] for number in self._numbers.get(word, ())]

    def phrases(self, words: list[str]) -> list[Span]:
        """The places where `words` follow one another."""
        length = len(words)
        return [
            (self._spans[number][0], self._spans[number + length - 1][1])
            for number in (self._numbers.get(words[0], ()) if words else ())
            if self._keys[number : number + length] == words
        ]


def phi_labels(transcript: dict[str, Any], words: Words) -> list[PhiLabel]:
    """The labels of `transcript`, whose words are `words`; empty if no labels were requested."""
    entities = transcript["results"].get("entities") or []
    if not entities:
        return []
    by_time, by_text = WordsByTime(words.words), WordsOfText(words.text)
    return [placed_label(entity, by_time, by_text) for entity in entities]


def placed_label(entity: dict[str, Any], by_time: WordsByTime, by_text: WordsOfText) -> PhiLabel:
    content = entity.get("content", "")
    start = float(entity["startTime"]) if "startTime" in entity else None
    end = float(entity["endTime"]) if "endTime" in entity else start
    heard = [] if start is None or end is None else by_time.between(start, end)
    places, suspected = place(content, heard, by_text)
    score = float(entity["confidence"]) if "confidence" in entity else None
    return PhiLabel(entity.get("category", "PHI"), content, score, start, end, tuple(places), tuple(suspected))


def place(content: str, heard: list[Word], by_text: WordsOfText) -> tuple[list[Span], list[Span]]:
    """The places and the suspected places of `content`; `heard` are the words at its time, on all channels."""
    exact = spelled_by(heard, key(content))
    if exact:
        return spans_of(exact), []
    wanted = [word for word in (key(match.group()) for match in WORD.finditer(content)) if word]
    phrases = by_text.phrases(wanted)
    channels = {word.channel for word in heard if resembles(key(word.text), key(content))}
    # Another person may speak at the same time on another channel.
    near = [word for word in heard if word.channel in channels]
    if near:
        # The label's time misses some of its words, or its content has another spelling.
        places = spans_of(near)
        whole = [phrase for phrase in phrases if any(touches(phrase, span) for span in places)]
        found = set(wanted) if whole else {key(word.text) for word in near}
        return places + whole, [span for word in wanted if word not in found for span in by_text.places_of(word)]
    if len(phrases) == 1 and not heard:
        return phrases, []
    if phrases:
        return [], phrases + spans_of(heard)
    # The spelling is completely different ("three" for "3"), or the words were said at another time.
    return spans_of(heard), [span for word in wanted for span in by_text.places_of(word)]


def spans_of(words: Iterable[Word]) -> list[Span]:
    return [(word.begin, word.end) for word in words]


def resembles(word: str, content: str) -> bool:
    return bool(word) and bool(content) and (word in content or content in word)


def key(text: str) -> str:
    return spelling(text).casefold()


def touches(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def spelled_by(heard: Iterable[Word], content: str) -> list[Word]:
    """The adjacent words of one channel that spell exactly `content`; empty if there are none."""
    channels: dict[str | None, list[Word]] = defaultdict(list)
    for word in heard:
        channels[word.channel].append(word)
    spelled: list[Word] = []
    for words in channels.values():
        keys = [key(word.text) for word in words]
        ends = list(accumulate(map(len, keys)))
        joined = "".join(keys)
        for first, own in enumerate(keys):
            begin = ends[first] - len(own)
            last = bisect_left(ends, begin + len(content))
            if content and own and joined.startswith(content, begin) and ends[last] == begin + len(content):
                spelled += [word for word in words[first : last + 1] if word not in spelled]
    return spelled
