"""What is known of a recording before it is decoded."""

import math
from collections.abc import Iterable
from typing import NamedTuple

# Encoders add up to a fifth of a second of silence, which some sources count and others don't.
_SAME_SECONDS, _SAME_SHARE = 0.25, 0.01


class Header(NamedTuple):
    """What is certain: a header is a claim, so the length has bounds, and what sources disagree on is left open.

    `format` is Transcribe's MediaFormat by content: wav, mp3, mp4, flac, ogg, amr, webm or m4a. The recording has
    `shortest` seconds of sound at the least and `longest` at the most. `sample_rate` in hertz is that at which it is
    decoded (always 48,000 for Opus), `channels` their number; both are None unless they are certain.
    """

    format: str
    shortest: float = 0.0
    longest: float = math.inf
    sample_rate: int | None = None
    channels: int | None = None

    @property
    def seconds(self) -> float | None:
        """The middle of the bounds if they differ by a quarter of a second or a hundredth at the most, else None."""
        if self.longest - self.shortest <= max(_SAME_SECONDS, _SAME_SHARE * self.longest) < math.inf:
            return (self.shortest + self.longest) / 2
        return None

    def lasting(self, claims: Iterable[float]) -> "Header":
        """The same with a length between the claims of several sources; a claim that no recording can have is none."""
        possible = [seconds for seconds in claims if math.isfinite(seconds) and seconds >= 0]
        return self._replace(shortest=min(possible), longest=max(possible)) if possible else self
