"""The words of a transcript, with their places in the text, times, speakers, channels and confidences.

Shapes: Amazon Transcribe guide, "Transcription output", "Partitioning speakers", "Transcribing multi-channel audio" and
"Alternative transcriptions". Times and confidences are strings; punctuation has no times. Only `transcripts` is always
present.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

# An item is searched within this distance: farther on, the same word is probably another occurrence.
LOOK_AHEAD_CHARACTERS = 200


class Word(NamedTuple):
    """A spoken word. `begin` and `end` are its place in the text; `segment` is the index of its Segment."""

    begin: int
    end: int
    text: str
    start_seconds: float
    end_seconds: float
    speaker: str | None
    channel: str | None
    confidence: float | None
    segment: int | None


class Segment(NamedTuple):
    """Speech between two pauses, and its alternative transcripts, the likeliest first."""

    start_seconds: float
    end_seconds: float
    transcripts: list[str]


# An item, the label of its channel, and its offset in the text.
Placed = tuple[dict[str, Any], str | None, int]


def placed(text: str, results: dict[str, Any]) -> list[Placed]:
    """The items found in the text, in the order of the text.

    With several channels, the text is either in the order of time or one channel after another; the order that places
    more items is taken.
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
        if begin < 0:  # the text spells this item differently; its neighbours are still found
            skipped += len(content) + 1
            continue
        found.append((item, channel, begin))
        position, skipped = begin + len(content), 0
    return found


def in_time(results: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """`results.items` with their channels. Newer outputs name the channel in the item; older ones list items twice."""
    channels: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item, label in channel_by_channel(results):
        if "start_time" in item:
            channels[item_key(item)].append(label)
    for item in results.get("items", ()):
        channel: str | None = item.get("channel_label")
        if channel is None and "start_time" in item:
            same = channels.get(item_key(item))
            # Two channels may have the same word at the same time; each of the two items gets one of the channels.
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
    """The index of the last of the sorted `starts` at or before `seconds`, None if there is none."""
    return bisect_right(starts, seconds) - 1 if starts and starts[0] <= seconds else None


def speakers_of(results: dict[str, Any]) -> tuple[dict[tuple[float, float], str], list[tuple[float, float, str]]]:
    """(Start, end) of a word -> its speaker; and the sorted (start, end, speaker) of all turns."""
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
    """The segments in the order of their starts; empty if no alternatives were requested."""
    return [
        Segment(
            float(segment["start_time"]),
            float(segment["end_time"]),
            [alternative["transcript"] for alternative in segment.get("alternatives", ())],
        )
        for segment in sorted_segments(results)
    ]


def segments_of_words(results: dict[str, Any]) -> dict[tuple[float, float, str], int]:
    """(Start, end, content) of a word -> index of its segment. Time isn't enough: segments of two channels overlap."""
    return {
        (float(item["start_time"]), float(item["end_time"]), item["content"]): number
        for number, segment in enumerate(sorted_segments(results))
        for alternative in segment.get("alternatives", ())[:1]
        for item in alternative.get("items", ())
        if "start_time" in item
    }
