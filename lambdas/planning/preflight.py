"""The reasons why Transcribe Medical would refuse a recording, found before a job is started.

The check also separates too long recordings from throttled calls: the service has LimitExceededException for both.
Sources: GetMedicalTranscriptionJob API reference (FailureReason), Transcribe guide (quotas of Transcribe Medical).
"""

from collections.abc import Mapping
from typing import Any

from lambdas.planning.media_headers.bit_rates import most_seconds
from lambdas.planning.media_headers.header import Header

MAXIMUM_BYTES = 2 * 1024**3
MAXIMUM_SECONDS = 4 * 3600
MINIMUM_SECONDS = 0.5
MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE = 16_000, 48_000
MAXIMUM_CHANNELS = 2
# The two differ only in a brand in the header, and programs mix them up.
_SAME_FORMAT = {"mp4", "m4a"}


def refusal(size: int, header: Header | None, parameters: Mapping[str, Any]) -> str | None:
    """The rejection reason, in the service's words if it documents them; None if the recording may be accepted.

    `size` is in bytes; `parameters` are those of StartMedicalTranscriptionJob. Only certain facts refuse a recording. A
    recording without a readable header is accepted, because the service reads all of it and decides.
    """
    if size > MAXIMUM_BYTES:
        return (
            f"Invalid file size: file size too large: the recording has {size} bytes; Transcribe Medical takes up to "
            f"{MAXIMUM_BYTES}. Compress or split it."
        )
    if header is None:
        return None
    return _mismatch(header, parameters) or _sound_refusal(header) or _length_refusal(header)


def _mismatch(header: Header, parameters: Mapping[str, Any]) -> str | None:
    media_format, rate = parameters.get("MediaFormat"), parameters.get("MediaSampleRateHertz")
    if media_format and media_format != header.format and {media_format, header.format} != _SAME_FORMAT:
        return (
            "The media format provided does not match the detected media format: MediaFormat is "
            f"{media_format!r}, the recording is {header.format!r}. Correct MediaFormat or leave it out."
        )
    if rate and header.sample_rate and rate != header.sample_rate:
        return (
            f"The sample rate provided does not match the detected sample rate: MediaSampleRateHertz is {rate}, the "
            f"recording has {header.sample_rate} (Opus always has 48000). Correct MediaSampleRateHertz or leave it out."
        )
    return None


def _sound_refusal(header: Header) -> str | None:
    rate, channels = header.sample_rate, header.channels
    if rate is not None and not MINIMUM_SAMPLE_RATE <= rate <= MAXIMUM_SAMPLE_RATE:
        return (
            f"Invalid sample rate for audio file: the recording has {rate} Hz; Transcribe Medical takes "
            f"{MINIMUM_SAMPLE_RATE} to {MAXIMUM_SAMPLE_RATE}. Record or convert it at such a rate."
        )
    if channels is not None and channels > MAXIMUM_CHANNELS:
        return (
            f"Invalid number of channels: number of channels too large: the recording has {channels}; Transcribe "
            f"Medical takes up to {MAXIMUM_CHANNELS}. Mix it down or split it."
        )
    return None


def _length_refusal(header: Header) -> str | None:
    if header.shortest > MAXIMUM_SECONDS:
        at_least = "" if header.seconds else "at least "
        return (
            f"The recording is {at_least}{header.shortest:.2f} seconds long; Transcribe Medical takes up to "
            f"{MAXIMUM_SECONDS} (4 hours). Split it."
        )
    if header.longest < MINIMUM_SECONDS:
        at_most = "" if header.shortest == header.longest else "at most "
        return (
            f"The recording is {at_most}{header.longest:.3f} seconds long; Transcribe Medical takes {MINIMUM_SECONDS} "
            "seconds or more. Check that all of it was recorded and uploaded."
        )
    return None


def may_be_too_long(size: int, header: Header | None) -> bool:
    """Whether a recording that isn't refused may still be too long for the service, by its header and its size."""
    return most_seconds(header, size) > MAXIMUM_SECONDS
