"""When, by whom and how surely each part of a transcript's text was said."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lambdas.transcript.transcribed_words import Word, described, placed, segments_of
from lambdas.transcript.transcripts import text_of

# Where a part of the text begins and ends: code points, the end excluded.
Span = tuple[int, int]


class Said(NamedTuple):
    """What Transcribe says of a part of the text: when it was said, who says most of it, on which channel.

    `confidence` is the least of its words', `alternatives` what else the segments that it lies in may have been.
    """

    start_seconds: float | None
    end_seconds: float | None
    speaker: str | None
    channel: str | None
    confidence: float | None
    alternatives: Sequence[str]


# Of a part of the text without words.
NOTHING = Said(None, None, None, None, None, ())


def spelling(text: str) -> str:
    """The letters and digits of `text`: what stays the same however it is punctuated or spaced."""
    return "".join(filter(str.isalnum, text))


class Words:
    """Maps places in the transcript's text to what Transcribe says of the words there."""

    def __init__(self, transcript: dict[str, Any]) -> None:
        results = transcript["results"]
        self.text = text_of(transcript)
        segments = segments_of(results)
        self.words = list(described(placed(self.text, results), results, segments))
        self._begins = [word.begin for word in self.words]
        said: list[list[str]] = [[] for _ in segments]
        for word in self.words:
            if word.segment is not None:
                said[word.segment].append(word.text)
        # Only the strings are kept: with their items, the alternatives are most of a transcript.
        self._alternatives: list[Sequence[str]] = [
            [text for text in segment.transcripts if spelling(text) != spelling("".join(texts))]
            for segment, texts in zip(segments, said, strict=True)
        ]

    def overlapping(self, begin: int, end: int) -> list[Word]:
        """The words of which at least a part is in `[begin, end)`."""
        first = max(bisect_right(self._begins, begin) - 1, 0)
        last = bisect_left(self._begins, end)
        return [word for word in self.words[first:last] if word.end > begin]

    def at(self, *spans: Span) -> Said:
        """What is said of the words that overlap any of `spans`; None and no alternatives where no word does."""
        return self._said_of([word for begin, end in spans for word in self.overlapping(begin, end)])

    def at_place(
        self, begin: int, end: int
    ) -> tuple[float | None, float | None, str | None, str | None, float | None, Sequence[str]]:
        """The members of what `at` gives, of one span: quicker, for the millions of entities of a batch."""
        first = bisect_right(self._begins, begin) - 1
        if first < 0 or self.words[first].end <= begin:
            first += 1
        elif end <= self.words[first].end and begin < end:
            # Within one word, as most are: from its start_seconds to its confidence.
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
    """The label whose words last longest."""
    seconds: dict[str, float] = defaultdict(float)
    for label, word in labelled:
        if label is not None:
            seconds[label] += word.end_seconds - word.start_seconds
    return max(seconds, key=lambda label: seconds[label], default=None)
