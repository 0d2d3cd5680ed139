"""The transcript that Transcribe Medical writes: its text, and when each part of it was said.

Shape: Amazon Transcribe guide, "Transcription output"; times in `items` are strings of seconds, punctuation has none.
"""

import math
from bisect import bisect_left, bisect_right
from typing import Any


def text_of(transcript: dict[str, Any]) -> str:
    return "".join(part["transcript"] for part in transcript["results"]["transcripts"])


def spoken_seconds(transcript: dict[str, Any]) -> float:
    """When the last word ends; the recording is at least that long."""
    return max((float(item["end_time"]) for item in transcript["results"]["items"] if "end_time" in item), default=0.0)


class WordTimes:
    """Maps character offsets of the transcript's text to seconds in the recording."""

    def __init__(self, transcript: dict[str, Any]) -> None:
        text = text_of(transcript)
        self._starts: list[int] = []
        self._words: list[tuple[int, float, float]] = []
        position = 0
        for item in transcript["results"]["items"]:
            content = item["alternatives"][0]["content"]
            found = text.find(content, position)
            if found < 0:  # an item that the text spells otherwise: its neighbours still place what is around it
                continue
            position = found + len(content)
            if "start_time" in item:
                self._starts.append(found)
                self._words.append((position, float(item["start_time"]), float(item["end_time"])))

    def between(self, begin: int, end: int) -> tuple[float | None, float | None]:
        """Start of the first and end of the last word that overlaps `[begin, end)`; None where no word does."""
        first = max(bisect_right(self._starts, begin) - 1, 0)
        last = bisect_left(self._starts, end)
        overlapping = [(started, ended) for stop, started, ended in self._words[first:last] if stop > begin]
        return (overlapping[0][0], overlapping[-1][1]) if overlapping else (None, None)


def billable_seconds(transcript: dict[str, Any]) -> int:
    """Seconds that Transcribe Medical charges at the least: whole ones, and never fewer than 15 (its price page)."""
    return max(15, math.ceil(spoken_seconds(transcript)))
