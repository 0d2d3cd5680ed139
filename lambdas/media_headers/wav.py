"""WAVE: Multimedia Programming Interface and Data Specifications 1.0 (RIFF), and EBU Tech 3306 (RF64, above 4 GiB)."""

from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader

# Format tags with samples of a fixed size: PCM, floating point, A-law and mu-law. Others hold compressed blocks.
_FIXED_SIZE = {1, 3, 6, 7}
_EXTENSIBLE = 0xFFFE
_SIZE_ELSEWHERE = 0xFFFFFFFF


def read(reader: Reader, start: int) -> Header | None:
    magic = reader.read(start, 12)
    if magic[:4] not in (b"RIFF", b"RF64", b"BW64") or magic[8:] != b"WAVE":
        return None
    offset, long_size, bytes_per_second, frames = start + 12, 0, 0, 0
    header = Header("wav")
    while offset + 8 <= reader.size:
        name, size = reader.unpack("<4sI", offset)
        body = offset + 8
        if name == b"ds64":
            (long_size,) = reader.unpack("<8xQ", body)
        elif name == b"fmt ":
            tag, channels, rate, bytes_per_second, block = reader.unpack("<HHIIH", body)
            if tag == _EXTENSIBLE:
                (tag,) = reader.unpack("<24xH", body)
            if tag in _FIXED_SIZE:
                bytes_per_second = rate * block
            header = Header("wav", None, rate, channels)
        elif name == b"fact":
            (frames,) = reader.unpack("<I", body)
        elif name == b"data":
            there = reader.size - body
            if size == _SIZE_ELSEWHERE:
                size = long_size
            # A program that streams can't go back to fill in the size: the sound goes on to the end.
            size = min(size, there) if size else there
            if bytes_per_second:
                return header._replace(seconds=size / bytes_per_second)
            return header._replace(seconds=frames / header.sample_rate if frames and header.sample_rate else None)
        offset = body + size + size % 2
    return header
