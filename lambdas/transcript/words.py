"""Time, speaker and confidence of each part of a transcript's text."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lambdas.transcript.transcribed_words import Word, described, placed, segments_of
from lambdas.transcript.transcripts import text_of

# The begin and the end of a part of the text, in code points; the end is excluded.
Span = tuple[int, int]


class Said(NamedTuple):
    """Transcribe's data about a part of the text: its time, and the speaker and the channel of most of it.

    `confidence` is the lowest of its words; `alternatives` are the other transcripts of its segments.
    """

    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None
    confidence: float | None
    alternatives: Sequence[str]


# The data about a part of the text without words.
NOTHING = Said(None, None, None, None, None, ())


def spelling(text: str) -> str:
    """The letters and digits of `text`, without punctuation and blanks."""
    return "".join(filter(str.isalnum, text))


class Words:
    """Maps places in the transcript's text to Transcribe's data about the words there."""

    def __init__(self, transcript: dict[str, Any]) -> None:
        results = transcript["results"]
        self.text = text_of(transcript)
        segments = segments_of(results)
        self.words = list(described(placed(self.text, results), results, segments))
        self._begins = [word.begin for word in self.words]
        spoken: list[list[str]] = [[] for _ in segments]
        for word in self.words:
            if word.segment is not None:
                spoken[word.segment].append(word.text)
        # Only the strings stay in memory: with their items, the alternatives are most of a transcript.
        self._alternatives: list[Sequence[str]] = [
            [text for text in segment.transcripts if spelling(text) != spelling("".join(texts))]
            for segment, texts in zip(segments, spoken, strict=True)
        ]

    def overlapping(self, begin: int, end: int) -> list[Word]:
        """The words that overlap `[begin, end)`."""
        first = max(bisect_right(self._begins, begin) - 1, 0)
        last = bisect_left(self._begins, end)
        return [word for word in self.words[first:last] if word.end > begin]

    def at(self, *spans: Span) -> Said:
        """Transcribe's data about the words that overlap any of `spans`; NOTHING if no word does."""
        return self._said_of([word for begin, end in spans for word in self.overlapping(begin, end)])

    def at_place(
        self, begin: int, end: int
    ) -> tuple[float | None, float | None, str | None, str | None, float | None, Sequence[str]]:
        """The members of `at` for one span; faster, for the millions of entities of a batch."""
        first = bisect_right(self._begins, begin) - 1
        if first < 0 or self.words[first].end <= begin:
            first += 1
        elif end <= self.words[first].end and begin < end:
            # Within one word, as most places are; the slice has start_seconds to confidence.
            word = self.words[first]
            return *word[3:8], () if word.segment is None else self._alternatives[word.segment]
        return self._said_of(self.words[first : bisect_left(self._begins, end, first)])

    def _said_of(self, words: Sequence[Word]) -> Said:
        if not words:
            return NOTHING
        _, _, _, start_seconds, end_seconds, speaker, channel, confidence, segment = words[0]
        one_speaker = one_channel = one_segment = True
        for _, _, _, start, end, speaker_too, channel_too, sure, segment_too in words:
            if start < start_seconds:
                start_seconds = start
            if end > end_seconds:
                end_seconds = end
            if sure is not None and (confidence is None or sure < confidence):
                confidence = sure
            one_speaker = one_speaker and speaker_too == speaker
            one_channel = one_channel and channel_too == channel
            one_segment = one_segment and segment_too == segment
        if one_segment:
            alternatives = self._alternatives[segment] if segment is not None else ()
        else:
            segments = dict.fromkeys(word.segment for word in words if word.segment is not None)
            alternatives = [text for number in segments for text in self._alternatives[number]]
        return Said(
            start_seconds,
            end_seconds,
            speaker if one_speaker else longest((word.speaker, word) for word in words),
            channel if one_channel else longest((word.channel, word) for word in words),
            confidence,
            alternatives,
        )


def longest(labelled: Iterable[tuple[str | None, Word]]) -> str | None:
    """The label whose words have the longest total time."""
    seconds: dict[str, float] = defaultdict(float)
    for label, word in labelled:
        if label is not None:
            seconds[label] += word.end_seconds - word.start_seconds
    return max(seconds, key=lambda label: seconds[label], default=None)
