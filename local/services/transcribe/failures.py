"""The ``FailureReason`` texts of jobs, and the checks of a recording that lead to them."""

from local.engines.media import (
    Audio,
    MediaError,
    UnsupportedContainer,
    decode,
)

# Documented: GetMedicalTranscriptionJob API reference, MedicalTranscriptionJob.FailureReason.
UNSUPPORTED_FORMAT = "Unsupported media format"
FORMAT_MISMATCH = "The media format provided does not match the detected media format"
INVALID_SAMPLE_RATE = "Invalid sample rate for audio file"
SAMPLE_RATE_MISMATCH = "The sample rate provided does not match the detected sample rate"
TOO_LARGE = "Invalid file size: file size too large"
TOO_MANY_CHANNELS = "Invalid number of channels: number of channels too large"
# Not in the reference, but reported by users (the second: awsdocs/amazon-transcribe-developer-guide issue 12).
INVALID_DATA = "The data in your input media file isn't valid. Check the media file and try your request again."
TOO_SHORT = "The input media file length is too small. Check the length of the file and try your request again."

# Quotas of Transcribe Medical: 2 GB, four hours, at least half a second, two channels.
_LARGEST_BYTES = 2 * 1024**3
_LONGEST_SECONDS = 4 * 3600
_SHORTEST_SECONDS = 0.5
_MOST_CHANNELS = 2
_SAMPLE_RATES = range(16_000, 48_001)
# An m4a is an mp4 with a different brand in its header, and phones write either, so both names are accepted.
_ISO_FORMATS = {"mp4", "m4a"}


class JobFailure(Exception):
    """The job ends as FAILED; the message is its FailureReason."""


def check_size(size: int) -> None:
    """Raise JobFailure for an object that is too large for the service, before it is read."""
    if size > _LARGEST_BYTES:
        raise JobFailure(TOO_LARGE)


def decode_checked(data: bytes, media_format: str | None, sample_rate: int | None) -> Audio:
    """Decode a recording; raise JobFailure if it exceeds the service's limits or differs from the request."""
    try:
        audio = decode(data)
    except UnsupportedContainer as error:
        raise JobFailure(UNSUPPORTED_FORMAT) from error
    except MediaError as error:
        raise JobFailure(INVALID_DATA) from error
    if media_format and media_format != audio.format and {media_format, audio.format} != _ISO_FORMATS:
        raise JobFailure(FORMAT_MISMATCH)
    if sample_rate and sample_rate != audio.sample_rate:
        raise JobFailure(SAMPLE_RATE_MISMATCH)
    if audio.sample_rate not in _SAMPLE_RATES:
        raise JobFailure(INVALID_SAMPLE_RATE)
    if audio.channels > _MOST_CHANNELS:
        raise JobFailure(TOO_MANY_CHANNELS)
    if audio.seconds > _LONGEST_SECONDS:
        raise JobFailure(TOO_LARGE)
    if audio.seconds < _SHORTEST_SECONDS:
        raise JobFailure(TOO_SHORT)
    return audio
