"""What is known of a recording before it is decoded."""

import math
from typing import NamedTuple


class Header(NamedTuple):
    """`format` is Transcribe's MediaFormat by content: wav, mp3, mp4, flac, ogg, amr, webm or m4a.

    `seconds` is the length of the sound, `sample_rate` in hertz that at which it is decoded (always 48,000 for Opus),
    `channels` their number. None where the header doesn't tell.
    """

    format: str
    seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None

    def plausible(self) -> "Header":
        """The same without values that no recording can have, which damaged and unfinished files do."""
        seconds = self.seconds
        if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
            seconds = None
        return Header(self.format, seconds, self.sample_rate or None, self.channels or None)
