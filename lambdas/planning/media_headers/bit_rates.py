"""What a file of some size can hold: a length that its bytes can't carry is a false claim."""

import math
from typing import NamedTuple

from lambdas.planning.media_headers.header import Header


class _Range(NamedTuple):
    """Bits per second, as a mean over a recording."""

    lowest: float
    highest: float


# Of speech as recorders and encoders write it. A range that is too narrow leaves a length open, no more.
_RANGES = {
    # The slowest codec in WAV is G.723.1 (5,300). Samples of a fixed size are counted, at whatever rate.
    "wav": _Range(4_000, math.inf),
    # The slowest and the fastest frame of the standard.
    "mp3": _Range(8_000, 320_000),
    # HE-AAC v2 and xHE-AAC begin at 6,000 to 8,000, and pauses are below; ALAC ends with 24-bit stereo at 96 kHz.
    "mp4": _Range(4_000, 5_000_000),
    "m4a": _Range(4_000, 5_000_000),
    # Silence takes 14 bytes for 4,096 samples, at 16 kHz; at the most stereo with 24 bits at 192 kHz.
    "flac": _Range(400, 10_000_000),
    # Opus begins at 6,000, and pauses may take a tenth of it; Speex begins at 2,150. FLAC in Ogg as in MP4.
    "ogg": _Range(2_000, 5_000_000),
    "webm": _Range(2_000, 1_024_000),
    # 50 frames of one byte, which say nothing, and of 61 bytes.
    "amr": _Range(400, 24_400),
}
# A file in which no format was found could be any; those that can be slower than this have a beginning that tells them.
_LOWEST_OF_UNKNOWN = 2_000
# Covers and other tags aside, which make a short recording look like one of a high bit rate.
_BESIDES_SOUND = 64 * 1024


def held_against_size(header: Header, size: int) -> Header:
    """The header without the bounds that `size` bytes contradict."""
    bit_rate = _RANGES[header.format]
    least, most = (size - _BESIDES_SOUND) * 8 / bit_rate.highest, size * 8 / bit_rate.lowest
    return header._replace(
        shortest=header.shortest if header.shortest <= most else 0.0,
        longest=header.longest if header.longest >= least else math.inf,
    )


def most_seconds(header: Header | None, size: int) -> float:
    """The most seconds that a file of `size` bytes with this header is likely to have."""
    if not header:
        return size * 8 / _LOWEST_OF_UNKNOWN
    return min(header.longest, size * 8 / _RANGES[header.format].lowest)
