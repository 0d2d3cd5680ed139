"""The transcript that Transcribe Medical writes: its text, and how long the recording is at the least."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import msgspec

# The end of an item; in a text, the quotes would have backslashes.
_END_TIME = re.compile(rb'"end_time"\s*:\s*"?([0-9.]+)')
# So many bytes at the end of the items have the last of them, and hundreds more.
_TAIL_BYTES = 1 << 16

_one_parsed_at_a_time = Lock()


class _Part(msgspec.Struct):
    transcript: str


class _Results(msgspec.Struct):
    transcripts: list[_Part]
    items: msgspec.Raw = msgspec.Raw()
    channel_labels: msgspec.Raw = msgspec.Raw()


class _Spoken(msgspec.Struct):
    """What is read of a transcript for its text and its length; the rest, which is most of it, is skipped unbuilt."""

    results: _Results


_spoken = msgspec.json.Decoder(_Spoken)


class Speech(NamedTuple):
    """What was said, and the seconds that Transcribe Medical charges for it at the least."""

    text: str
    billable_seconds: int


def read_speech(body: bytes) -> Speech:
    """Text and length of the transcript in a file, without the rest: some 40 times as fast as parsing all of it.

    Raises:
        msgspec.DecodeError: the file isn't a transcript.
    """
    results = _spoken.decode(body).results
    text = "".join(part.transcript for part in results.transcripts)
    items, channels = memoryview(results.items), memoryview(results.channel_labels)
    # Without channels one item follows the other in time; with them, nothing says in what order they are.
    ends = [] if channels else _END_TIME.findall(items[-_TAIL_BYTES:])
    ends = ends or [*_END_TIME.findall(items), *_END_TIME.findall(channels)]
    return Speech(text, billable_seconds(max(map(float, ends), default=0.0)))


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
