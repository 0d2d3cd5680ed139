"""The transcript that Transcribe Medical writes: its text, and the least length of the recording."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import msgspec

# The end of an item. It can't match within a text, where quotes have backslashes.
_END_TIME = re.compile(rb'"end_time"\s*:\s*"?([0-9.]+)')
# The last item, and hundreds before it, are within this many bytes.
_TAIL_BYTES = 1 << 16

_one_parsed_at_a_time = Lock()


class _Part(msgspec.Struct):
    transcript: str


class _Results(msgspec.Struct):
    transcripts: list[_Part]
    items: msgspec.Raw = msgspec.Raw()
    channel_labels: msgspec.Raw = msgspec.Raw()


class _Spoken(msgspec.Struct):
    """The members of a transcript that give its text and its length; the decoder skips the rest, which is most."""

    results: _Results


_spoken = msgspec.json.Decoder(_Spoken)


class Speech(NamedTuple):
    """The text of a transcript, and the end of its last word; the recording is at least that long."""

    text: str
    spoken_seconds: float


def read_speech(body: bytes) -> Speech:
    """Text and length of the transcript in a file; some 40 times as fast as parsing the whole file.

    Raises:
        msgspec.DecodeError: the file isn't a transcript.
    """
    results = _spoken.decode(body).results
    text = "".join(part.transcript for part in results.transcripts)
    items, channels = memoryview(results.items), memoryview(results.channel_labels)
    # Without channels, items are in the order of time; with channels, their order isn't documented.
    ends = [] if channels else _END_TIME.findall(items[-_TAIL_BYTES:])
    ends = ends or [*_END_TIME.findall(items), *_END_TIME.findall(channels)]
    return Speech(text, max(map(float, ends), default=0.0))


@contextmanager
def parsed(body: bytes) -> Iterator[dict[str, Any]]:
    """The parsed transcript, for one thread at a time; don't keep a reference to it after the block.

    Parsing four hours with speakers and alternatives takes 200 MB, and parallel threads would not be faster.
    """
    with _one_parsed_at_a_time:
        yield msgspec.json.decode(body)


def text_of(transcript: dict[str, Any]) -> str:
    return "".join(part["transcript"] for part in transcript["results"]["transcripts"])
