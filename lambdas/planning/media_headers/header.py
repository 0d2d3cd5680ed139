"""The properties of a recording that are known before it is decoded."""

import math
from collections.abc import Iterable
from typing import NamedTuple

# Encoders add up to a fifth of a second of silence, which some sources count and others don't.
_SAME_SECONDS, _SAME_SHARE = 0.25, 0.01


class Header(NamedTuple):
    """The certain properties. A file's header may be wrong, so the length has bounds, and conflicting data are unknown.

    `format` is Transcribe's MediaFormat by content: wav, mp3, mp4, flac, ogg, amr, webm or m4a. `shortest` and
    `longest` are the bounds of the length in seconds. `sample_rate` is the rate in hertz after decoding (always 48,000
    for Opus), `channels` the number of channels; both are None if uncertain.
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
        """This header with a length between several sources' claims, in seconds; impossible claims are ignored."""
        possible = [seconds for seconds in claims if math.isfinite(seconds) and seconds >= 0]
        return self._replace(shortest=min(possible), longest=max(possible)) if possible else self
