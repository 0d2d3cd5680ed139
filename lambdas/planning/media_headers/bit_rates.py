"""The usual and the possible lengths of a file by its size: a claimed length that its bytes can't hold is false."""

import math
from typing import NamedTuple

from lambdas.planning.media_headers.header import Header


class _Range(NamedTuple):
    """Bits per second, as a mean over a recording; `usual` is assumed for speech."""

    lowest: float
    usual: float
    highest: float


# The bit rates of speech from common recorders and encoders. A too narrow range only makes a length uncertain.
_RANGES = {
    # The slowest codec in WAV is G.723.1 (5,300). Samples of a fixed size may have any rate.
    "wav": _Range(4_000, 512_000, math.inf),
    # The slowest and the fastest frame of the standard.
    "mp3": _Range(8_000, 96_000, 320_000),
    # HE-AAC v2 and xHE-AAC begin at 6,000 to 8,000, and pauses are below; ALAC ends with 24-bit stereo at 96 kHz.
    "mp4": _Range(4_000, 512_000, 5_000_000),
    "m4a": _Range(4_000, 96_000, 5_000_000),
    # Silence takes 14 bytes for 4,096 samples, at 16 kHz; at the most stereo with 24 bits at 192 kHz.
    "flac": _Range(400, 256_000, 10_000_000),
    # Opus begins at 6,000, and pauses may take a tenth of it; Speex begins at 2,150. FLAC in Ogg as in MP4.
    "ogg": _Range(2_000, 64_000, 5_000_000),
    "webm": _Range(2_000, 64_000, 1_024_000),
    # 50 frames a second, of one byte (no data) to 61 bytes.
    "amr": _Range(400, 16_000, 24_400),
}
# Transcribe Medical's formats (MediaFormat in its API reference), which are the endings of file names, too.
FORMATS = _RANGES.keys()
# For a file without a recognised format. The formats with lower rates are recognised by their first bytes.
_LOWEST_OF_UNKNOWN = 2_000
# The size of covers and other tags, which make a short recording look like one of a high bit rate.
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
    return min(header.longest, longest_seconds(header.format, size))


def usual_seconds(media_format: str, size: int) -> float:
    """The length of a file of `size` bytes at the usual bit rate of its format."""
    return size * 8 / _RANGES[media_format].usual


def longest_seconds(media_format: str, size: int) -> float:
    """The length of a file of `size` bytes at the lowest bit rate of its format."""
    return size * 8 / _RANGES[media_format].lowest
