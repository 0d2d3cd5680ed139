"""WAVE: Multimedia Programming Interface and Data Specifications 1.0 (RIFF), and EBU Tech 3306 (RF64, above 4 GiB)."""

from typing import NamedTuple

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader

# Format tags with samples of a fixed size: PCM, floating point, A-law and mu-law.
_FIXED_SIZE = {1, 3, 6, 7}
# Format tags with blocks of a fixed size, whose samples the format's extension has: both ADPCM, and GSM 6.10.
_FIXED_BLOCKS = {2, 0x11, 0x31}
_EXTENSIBLE = 0xFFFE
_SIZE_ELSEWHERE = 0xFFFFFFFF


class _Format(NamedTuple):
    """`samples` per channel in a block of `block` bytes, 0 if unknown; `by_bits` is a sample's bytes by its bits."""

    rate: int
    channels: int
    block: int
    samples: int
    by_bits: int

    def seconds(self, size: int) -> list[float]:
        """The lengths of `size` bytes by the format's own numbers."""
        if not self.rate or not self.samples:
            return []
        return [size // block * self.samples / self.rate for block in {self.block, self.by_bits} if block]


def read(reader: Reader, start: int) -> Header | None:
    magic = reader.read(start, 12)
    if magic[:4] not in (b"RIFF", b"RF64", b"BW64") or magic[8:] != b"WAVE":
        return None
    offset, long_size, frames, sound = start + 12, 0, 0, None
    header = Header("wav")
    while offset + 8 <= reader.size:
        name, size = reader.unpack("<4sI", offset)
        body = offset + 8
        if name == b"ds64":
            (long_size,) = reader.unpack("<8xQ", body)
        elif name == b"fmt ":
            sound = _format(reader, body, size)
            if sound:
                header = Header("wav", sample_rate=sound.rate or None, channels=sound.channels or None)
        elif name == b"fact":
            (frames,) = reader.unpack("<I", body)
        elif name == b"data":
            if not sound:
                return header
            there = _there(reader, body, long_size if size == _SIZE_ELSEWHERE else size)
            claims = [seconds for size in there for seconds in sound.seconds(size)]
            # The average of bytes per second isn't used: some encoders write twice the real value.
            if frames and sound.rate and not sound.by_bits:
                claims.append(frames / sound.rate)
            return header.lasting(claims)
        offset = body + size + size % 2
    return header


def _format(reader: Reader, body: int, size: int) -> _Format | None:
    """The format; None for a codec with a header of its own within the sound."""
    tag, channels, rate, block, bits = reader.unpack("<HHI4xHH", body)
    if tag == _EXTENSIBLE:
        (tag,) = reader.unpack("<24xH", body)
    if tag in _FIXED_SIZE:
        return _Format(rate, channels, block, 1, channels * -(-bits // 8))
    if tag in _FIXED_BLOCKS:
        (samples,) = reader.unpack("<18xH", body) if size >= 20 else (0,)
        return _Format(rate, channels, block, samples, 0)
    return None


def _there(reader: Reader, body: int, size: int) -> set[int]:
    """The number of bytes of sound; both the announced and the real number if they contradict each other."""
    rest = reader.size - body
    # A streaming program can't fill in the size afterwards; the sound then continues to the end.
    if size == 0 or size >= rest:
        return {rest}
    following = reader.read(body + size + size % 2, 8)
    if len(following) < 8:
        return {size}
    next_size = int.from_bytes(following[4:], "little")
    is_chunk = following[:4].isascii() and following[:4].decode("ascii").isprintable()
    return {size} if is_chunk and body + size + next_size <= reader.size else {size, rest}
