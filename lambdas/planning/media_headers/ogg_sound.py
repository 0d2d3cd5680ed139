"""The codecs in Ogg: the data of their first packet, and the number of samples in their packets."""

from typing import NamedTuple

from lambdas.planning.media_headers import flac
from lambdas.planning.media_headers.reader import Reader

_OPUS_RATE = 48_000
# Samples of a frame by the configuration in a packet's first byte: SILK, hybrid, CELT.
_OPUS_FRAMES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4


class Sound(NamedTuple):
    """`rate` is the granules' rate; `skipped` is the number of samples that a decoder drops at the beginning.

    `packet_samples` are the fewest and the most samples of a packet; both are 0 if each packet has its own number.
    """

    codec: str
    rate: int
    channels: int
    skipped: int = 0
    packet_samples: tuple[int, int] = (0, 0)


def described(reader: Reader, packet: int) -> Sound | None:
    """The sound that the first packet describes; None if the stream isn't sound."""
    magic = reader.read(packet, 8)
    if magic == b"OpusHead":
        channels, skipped = reader.unpack("<9xBH", packet)
        return Sound("opus", _OPUS_RATE, channels, skipped)
    if magic[:7] == b"\x01vorbis":
        channels, rate, blocks = reader.unpack("<11xBI12xB", packet)
        # A packet ends half a block after the one before.
        return Sound("vorbis", rate, channels, packet_samples=(1 << (blocks & 15) >> 1, 1 << (blocks >> 4) >> 1))
    if magic[:5] == b"\x7fFLAC":
        rate, channels, _ = flac.stream_info(reader, packet + 9)
        return Sound("flac", rate, channels)
    if magic == b"Speex   ":
        rate, channels, samples, frames = reader.unpack("<36xI8xI4xI4xI", packet)
        return Sound("speex", rate, channels, packet_samples=(samples * max(frames, 1),) * 2)
    return None


def samples(sound: Sound, packet: bytes) -> tuple[int, int]:
    """The fewest and the most samples that a packet holds."""
    if sound.codec == "opus":
        exactly = _opus_samples(packet)
    elif sound.codec == "flac":
        found = flac.frame(packet)
        exactly = found.samples if found else 0
    else:
        return sound.packet_samples
    return exactly, exactly


def begins(sound: Sound, end: int, packets: list[bytes]) -> tuple[int, int]:
    """The earliest and the latest possible first sample of `packets`, which end with sample `end`."""
    fewest, most = (sum(samples(sound, packet)[place] for packet in packets) for place in (0, 1))
    if fewest == most:
        # A part of a recording may have packets from before its first time.
        return end - most, max(end - most, 0)
    earliest = max(end - most, 0)
    # A stream that may begin at 0 does so: only a part of a longer recording begins later.
    return earliest, max(end - fewest, 0) if earliest else 0


def _opus_samples(packet: bytes) -> int:
    if not packet:
        return 0
    kind = packet[0] & 3
    frames = 1 if kind == 0 else 2 if kind < 3 else packet[1] & 63 if len(packet) > 1 else 0
    return _OPUS_FRAMES[packet[0] >> 3] * frames
