"""The transcript that Transcribe Medical writes: its text, and when, by whom and how surely each part of it was said.

Shapes: Amazon Transcribe guide, "Transcription output", "Partitioning speakers", "Transcribing multi-channel audio" and
"Alternative transcriptions". Times and confidences are strings; punctuation has no times. Only `transcripts` is always
there.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from threading import Lock
from typing import Any, NamedTuple

import msgspec

# How far behind its place an item is looked for: farther on, the same word is likely to be another one.
LOOK_AHEAD_CHARACTERS = 200

_one_parsed_at_a_time = Lock()

# Where a part of the text begins and ends: code points, the end excluded.
Span = tuple[int, int]


class Word(NamedTuple):
    """A spoken word. `begin` and `end` are its place in the text; `segment` says where its alternatives are."""

    begin: int
    end: int
    text: str
    start_seconds: float
    end_seconds: float
    speaker: str | None
    channel: str | None
    confidence: float | None
    segment: int | None


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


class Segment(NamedTuple):
    """A stretch of speech between two pauses, and its transcripts, the likeliest first."""

    start_seconds: float
    end_seconds: float
    transcripts: list[str]


class _Part(msgspec.Struct):
    transcript: str


class _Item(msgspec.Struct, gc=False):
    end_time: float = 0.0


class _Channel(msgspec.Struct):
    items: list[_Item] = []


class _ChannelLabels(msgspec.Struct):
    channels: list[_Channel] = []


class _Results(msgspec.Struct):
    transcripts: list[_Part]
    items: list[_Item] = []
    channel_labels: _ChannelLabels = msgspec.field(default_factory=_ChannelLabels)


class _Spoken(msgspec.Struct):
    """What is read of a transcript for its text and its length; the rest, which is most of it, is skipped unbuilt."""

    results: _Results


# Not strict: times are strings of a number.
_spoken = msgspec.json.Decoder(_Spoken, strict=False)


class Speech(NamedTuple):
    """What was said, and the seconds that Transcribe Medical charges for it at the least."""

    text: str
    billable_seconds: int


def read_speech(body: bytes) -> Speech:
    """Text and length of the transcript in a file, without the rest: some 20 times as fast as parsing all of it.

    Raises:
        msgspec.DecodeError: the file isn't a transcript.
    """
    results = _spoken.decode(body).results
    items = results.items or [item for channel in results.channel_labels.channels for item in channel.items]
    last = max(map(attrgetter("end_time"), items), default=0.0)
    return Speech("".join(part.transcript for part in results.transcripts), billable_seconds(last))


@contextmanager
def parsed(body: bytes) -> Iterator[dict[str, Any]]:
    """The transcript in a file, and no other thread's meanwhile: keep what is needed of it, not the whole.

    Four hours with speakers and alternatives take 200 MB while they are parsed; together, threads would be no faster.
    """
    with _one_parsed_at_a_time:
        yield msgspec.json.decode(body)


def text_of(transcript: dict[str, Any]) -> str:
    return "".join(part["transcript"] for part in transcript["results"]["transcripts"])


def billable_seconds(spoken_seconds: float) -> int:
    """Seconds that Transcribe Medical charges at the least: whole ones, and never fewer than 15 (its price page).

    `spoken_seconds` is when the last word ends; the recording is at least that long.
    """
    return max(15, math.ceil(spoken_seconds))


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

    def at_place(self, begin: int, end: int) -> Said:
        """As `at`, of one span, and quicker: a batch has millions of entities, most of them a word or two."""
        first = bisect_right(self._begins, begin) - 1
        if first < 0 or self.words[first].end <= begin:
            first += 1
        elif end <= self.words[first].end and begin < end:
            _, _, _, start_seconds, end_seconds, speaker, channel, confidence, segment = self.words[first]
            alternatives = self._alternatives[segment] if segment is not None else ()
            return Said(start_seconds, end_seconds, speaker, channel, confidence, alternatives)
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


# An item, the label of its channel, and where it is in the text.
Placed = tuple[dict[str, Any], str | None, int]


def placed(text: str, results: dict[str, Any]) -> list[Placed]:
    """The items that are found in the text, in its order.

    With several channels the text may follow the clock or one channel after the other: the order that fits is taken.
    """
    in_order = place(text, in_time(results))
    if "channel_labels" not in results or (results.get("items") and len(in_order) == len(results["items"])):
        return in_order
    return max(in_order, place(text, channel_by_channel(results)), key=len)


def place(text: str, items: Iterable[tuple[dict[str, Any], str | None]]) -> list[Placed]:
    found: list[Placed] = []
    position = skipped = 0
    for item, channel in items:
        content = item["alternatives"][0]["content"]
        begin = text.find(content, position, position + skipped + LOOK_AHEAD_CHARACTERS + len(content))
        if begin < 0:  # an item that the text spells otherwise: its neighbours still place what is around it
            skipped += len(content) + 1
            continue
        found.append((item, channel, begin))
        position, skipped = begin + len(content), 0
    return found


def in_time(results: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """`results.items`, each with its channel: newer outputs name it in the item, older ones list it again below it."""
    channels: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item, label in channel_by_channel(results):
        if "start_time" in item:
            channels[item_key(item)].append(label)
    for item in results.get("items", ()):
        channel: str | None = item.get("channel_label")
        if channel is None and "start_time" in item:
            same = channels.get(item_key(item))
            # Two channels may have the same word at the same time: each stands for one of them.
            channel = same.pop(0) if same else None
        yield item, channel


def item_key(item: dict[str, Any]) -> tuple[str, str, str]:
    return item["start_time"], item["end_time"], item["alternatives"][0]["content"]


def channel_by_channel(results: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for channel in results.get("channel_labels", {}).get("channels", ()):
        for item in channel.get("items", ()):
            yield item, channel["channel_label"]


def described(items: Iterable[Placed], results: dict[str, Any], segments: Sequence[Segment]) -> Iterator[Word]:
    """The words among the items, with speaker, confidence and segment."""
    speakers, turns = speakers_of(results)
    turn_starts = [start for start, _, _ in turns]
    own_segment = segments_of_words(results)
    segment_starts = [segment.start_seconds for segment in segments]
    for item, channel, begin in items:
        if "start_time" not in item:
            continue
        start, end = float(item["start_time"]), float(item["end_time"])
        best = item["alternatives"][0]
        speaker = item.get("speaker_label") or speakers.get((start, end))
        if speaker is None:
            turn = latest(turn_starts, (start + end) / 2)
            if turn is not None and turns[turn][1] > start:
                speaker = turns[turn][2]
        segment = own_segment.get((start, end, best["content"]))
        if segment is None:
            segment = latest(segment_starts, (start + end) / 2)
            if segment is not None and segments[segment].end_seconds <= start:
                segment = None
        confidence = float(best["confidence"]) if "confidence" in best else None
        text = best["content"]
        yield Word(begin, begin + len(text), text, start, end, speaker, channel, confidence, segment)


def latest(starts: Sequence[float], seconds: float) -> int | None:
    """The index of the last of the sorted `starts` that isn't after `seconds`."""
    return bisect_right(starts, seconds) - 1 if starts and starts[0] <= seconds else None


def speakers_of(results: dict[str, Any]) -> tuple[dict[tuple[float, float], str], list[tuple[float, float, str]]]:
    """Start and end of a word -> its speaker; and start, end and speaker of every turn, sorted."""
    by_word: dict[tuple[float, float], str] = {}
    turns: list[tuple[float, float, str]] = []
    for segment in results.get("speaker_labels", {}).get("segments", ()):
        label = segment.get("speaker_label")
        if label is not None:
            turns.append((float(segment["start_time"]), float(segment["end_time"]), label))
        for item in segment.get("items", ()):
            by_word[float(item["start_time"]), float(item["end_time"])] = item.get("speaker_label", label)
    return by_word, sorted(turns)


def sorted_segments(results: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(results.get("segments", ()), key=lambda segment: float(segment["start_time"]))


def segments_of(results: dict[str, Any]) -> list[Segment]:
    """The segments in the order in which they start; none where no alternatives were asked for."""
    return [
        Segment(
            float(segment["start_time"]),
            float(segment["end_time"]),
            [alternative["transcript"] for alternative in segment.get("alternatives", ())],
        )
        for segment in sorted_segments(results)
    ]


def segments_of_words(results: dict[str, Any]) -> dict[tuple[float, float, str], int]:
    """Start, end and content of a word -> its segment: those of two channels overlap, so that the time won't do."""
    return {
        (float(item["start_time"]), float(item["end_time"]), item["content"]): number
        for number, segment in enumerate(sorted_segments(results))
        for alternative in segment.get("alternatives", ())[:1]
        for item in alternative.get("items", ())
        if "start_time" in item
    }
