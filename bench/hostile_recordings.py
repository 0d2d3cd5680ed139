"""Recordings that cost a header reader as much as possible: the smallest parts of a format, over and over.

Each has Transcribe's maximum size (2 GiB), so that following all its parts takes hours. The bytes are generated when
they are read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

ENCODINGS = Path(__file__).parents[1] / "samples" / "encodings"
_LONGEST = 2 << 30
_BLOCK = 1 << 16
_DEPTHS = {b"moov": 1, b"moof": 1, b"trak": 2, b"traf": 2, b"mdia": 3, b"edts": 3, b"minf": 4, b"elst": 4, b"stbl": 5}
_DEPTHS |= {b"stts": 6, b"stsz": 6, b"stsd": 6}


class Tiled:
    """A source of `size` bytes: `head`, `tile` over and over, and `tail` at the end. Counts its reads and bytes."""

    def __init__(self, head: bytes, tile: bytes, size: int = _LONGEST, tail: bytes = b"") -> None:
        self.size = size
        self.reads = self.bytes = 0
        self._head, self._period, self._tail = head, len(tile), tail
        self._tiles = tile * (_BLOCK // len(tile) + 1)

    def read(self, offset: int, length: int) -> bytes:
        """Refuses, as S3 does, a range outside of the file."""
        if offset < 0 or length <= 0 or offset + length > self.size:
            raise ValueError(f"{length} bytes at {offset} of {self.size} were asked for")
        self.reads += 1
        self.bytes += length
        pieces = [self._head[offset : offset + length]]
        tail_at = max(self.size - len(self._tail), len(self._head))
        begin, end = max(offset, len(self._head)), min(offset + length, tail_at)
        if begin < end:
            phase = (begin - len(self._head)) % self._period
            whole = self._tiles * ((phase + end - begin) // len(self._tiles) + 1)
            pieces.append(whole[phase : phase + end - begin])
        if offset + length > tail_at:
            pieces.append(self._tail[max(offset - tail_at, 0) : offset + length - tail_at])
        return b"".join(pieces)


def hostile_recordings() -> Iterator[tuple[str, Tiled]]:
    """Each recording's description, and a fresh source of its bytes."""
    yield from _webm()
    yield from _mp4()
    yield from _ogg()
    yield "AMR of frames of one byte", Tiled(b"#!AMR\n", b"\x7c")
    yield "AMR-WB of frames of one byte", Tiled(b"#!AMR-WB\n", b"\x7c")
    yield "AMR of all kinds of frames", Tiled(b"#!AMR\n", bytes(range(4, 256, 8)))
    yield "WAV of chunks without content", Tiled(_wav(), b"JUNK\0\0\0\0")
    yield "WAV with such chunks behind its sound", Tiled(_wav() + b"data\x10\0\0\0" + bytes(16), b"JUNK\0\0\0\0")
    yield "WAV of format chunks", Tiled(_wav(), _wav()[12:])
    yield "FLAC of metadata blocks without content", Tiled(_flac(), b"\x01\0\0\0")
    yield "FLAC of sync codes", Tiled(_flac(), b"\xff\xf8")
    head, later_frame = _flac_frames()
    yield "FLAC of frames that don't follow each other", Tiled(head, later_frame)
    yield "ID3 tags without content", Tiled(b"", b"ID3\x04\0\0\0\0\0\0")
    yield "ID3 tags of 64 KiB", Tiled(b"", (b"ID3\x04\0\0\0\x03\x7f\x76").ljust(1 << 16, b"\0"))
    yield "MP3 of nothing but sync codes", Tiled(b"", b"\xff\xfb")
    yield "MP3 of the smallest frames", Tiled(b"", b"\xff\xf3\x18\xc4".ljust(36, b"\0"))
    yield "MP3 with two fitting frames in a row", Tiled(b"", _two_frames())
    yield "MP3 of frames of every bit rate", Tiled(b"", b"".join(_mp3_frame(index) for index in range(1, 15)))
    yield "zeros", Tiled(b"", b"\0")


def _webm() -> Iterator[tuple[str, Tiled]]:
    ebml = bytes.fromhex("1a45dfa3 87 4282 84") + b"webm"
    segment, tracks, cluster = (bytes.fromhex(name) + b"\xff" for name in ("18538067", "1654ae6b", "1f43b675"))
    void, block, group = b"\xec\x80", bytes.fromhex("a3848100 0000"), bytes.fromhex("a080")
    track = bytes.fromhex("ae 89 83 81 02 86 84") + b"A_OP"
    yield "WebM of elements without content", Tiled(ebml + segment, void)
    yield "WebM with such elements in its header", Tiled(bytes.fromhex("1a45dfa3ff"), void)
    yield "WebM of tracks without end", Tiled(ebml + segment + tracks, track)
    yield "WebM with such elements in its tracks", Tiled(ebml + segment + tracks, void)
    yield "WebM with such elements in its info", Tiled(ebml + segment + bytes.fromhex("1549a966ff"), void)
    yield "WebM of the smallest blocks", Tiled(ebml + segment + cluster + b"\xe7\x81\0", block)
    yield "WebM of block groups without content", Tiled(ebml + segment + cluster + b"\xe7\x81\0", group)
    yield "WebM of clusters without content", Tiled(ebml + segment, bytes.fromhex("1f43b675 80"))
    yield "WebM of clusters of a block each", Tiled(ebml + segment, bytes.fromhex("1f43b675 89 e78100") + block)
    yield "WebM of clusters that never end", Tiled(ebml + segment, cluster)


def _box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _endless(*names: bytes) -> bytes:
    """The headers of nested boxes that extend nearly to the end of the file."""
    return b"".join(struct.pack(">I4s", 0x7FFFFF00 - 0x100 * _DEPTHS[name], name) for name in names)


def _mp4() -> Iterator[tuple[str, Tiled]]:
    kind, empty = _box(b"ftyp", b"isom\0\0\0\0"), _box(b"free")
    handler = _box(b"hdlr", bytes(8) + b"soun" + bytes(12))
    media = _box(b"mdia", _box(b"mdhd", bytes(12) + struct.pack(">II", 16_000, 0)) + handler)
    movie = _endless(b"moov") + _box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 0))
    yield "MP4 of boxes without content", Tiled(kind, empty)
    yield "MP4 with such boxes in its moov", Tiled(kind + movie, empty)
    yield "MP4 with such boxes in a track", Tiled(kind + movie + _endless(b"trak"), empty)
    yield "MP4 with such boxes in a track's media", Tiled(kind + movie + _endless(b"trak", b"mdia"), empty)
    yield "MP4 of tracks without content", Tiled(kind + movie, _box(b"trak"))
    yield "MP4 of tracks that have a handler only", Tiled(kind + movie, _box(b"trak", media))
    yield "MP4 of boxes within boxes", Tiled(kind, _endless(b"moov", b"trak", b"mdia"))
    tables = kind + movie + _endless(b"trak", b"mdia") + media[8:] + _endless(b"minf", b"stbl")
    for name, entry in ((b"stts", 8), (b"stsz", 4), (b"stsd", 16)):
        count = 0x7FFFFF00 // entry
        table = _endless(name) + bytes(4 if name != b"stsz" else 8) + struct.pack(">I", count)
        yield f"MP4 of one {name.decode()} without end", Tiled(tables + table, struct.pack(">IIII", 1, 1, 1, 1)[:entry])
    edits = kind + movie + _endless(b"trak") + media + _endless(b"edts", b"elst") + struct.pack(">II", 0, 0x7FFFFFF)
    yield "MP4 of one elst without end", Tiled(edits, struct.pack(">III", 1, 0, 1 << 16))
    # A real beginning, without which the reader would stop.
    whole = (ENCODINGS / "fragmented.mp4").read_bytes()
    head, fragment = whole[: whole.index(b"moof") - 4], whole[whole.index(b"moof") - 4 : whole.index(b"mdat") - 4]
    track = _box(b"traf", _box(b"tfhd", struct.pack(">II", 0, 1)))
    run = _box(b"trun", struct.pack(">II", 0, 0xFFFFFFFF))
    yield "MP4 of moofs without content", Tiled(head, _box(b"moof"))
    yield "MP4 of moofs of one track without sound", Tiled(head, _box(b"moof", track))
    yield "MP4 of real moofs without sound", Tiled(head, fragment)
    yield "MP4 of real moofs and boxes without content", Tiled(head, fragment + empty * 1000)
    yield "MP4 of a moof of tracks without end", Tiled(head + _endless(b"moof"), track)
    yield "MP4 of a moof of runs without end", Tiled(head + _endless(b"moof", b"traf") + track[8:], run)
    yield "MP4 of sidx without references", Tiled(head, _box(b"sidx", bytes(24)))
    references = struct.pack(">HH", 0, 0xFFFF) + struct.pack(">III", 1 << 20, 1, 0) * 0xFFFF
    index = _box(b"sidx", struct.pack(">IIIII", 0, 1, 16_000, 0, 0) + references)
    yield "MP4 of sidx with the most references", Tiled(head, index)
    yield "MP4 with an index of nothing but zeros at its end", Tiled(head, fragment, tail=_mfra(1 << 20))


def _mfra(length: int) -> bytes:
    offset = _box(b"mfro", struct.pack(">II", 0, length))
    return _box(b"mfra", _box(b"tfra", bytes(length - 16 - len(offset))) + offset)


def _ogg_page(flags: int, serial: int, content: bytes = b"", granule: int = 0) -> bytes:
    lacing = bytes([len(content)]) if content else b""
    return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, 0, 0, len(lacing)) + lacing + content


def _ogg() -> Iterator[tuple[str, Tiled]]:
    opus = _ogg_page(2, 1, b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0))
    yield "Ogg of first pages", Tiled(b"", _ogg_page(2, 1))
    yield "Ogg of pages without content", Tiled(opus, _ogg_page(0, 1))
    yield "Ogg of pages that end nothing", Tiled(opus, _ogg_page(0, 1, granule=-1))
    yield "Ogg of another stream's pages", Tiled(opus, _ogg_page(0, 2))
    yield "Ogg of chains of one page", Tiled(b"", opus)
    yield "Ogg of nothing but magic", Tiled(opus, b"OggS")
    yield "Ogg of pages with the most segments", Tiled(opus, _ogg_page(0, 1)[:-1] + b"\xff" + bytes(255))


def _wav() -> bytes:
    return b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def _flac() -> bytes:
    packed = 16_000 << 44 | 15 << 36
    return b"fLaC\0\0\0\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + struct.pack(">Q", packed) + bytes(16)


def _flac_frames() -> tuple[bytes, bytes]:
    """A real file's beginning with its first frame's header, and the header of its second frame."""
    whole = (ENCODINGS / "normal.flac").read_bytes()
    first = whole.index(b"\xff\xf8")
    second = whole.index(whole[first : first + 4] + b"\1", first)
    return whole[: first + 6], whole[second : second + 6]


def _mp3_frame(bit_rate_index: int) -> bytes:
    """A frame of MPEG-2 at 16 kHz, which has half of the 72 bytes for each 8 kbit/s at 8 kHz."""
    bit_rate = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[bit_rate_index]
    return bytes((0xFF, 0xF3, bit_rate_index << 4 | 8, 0xC4)).ljust(72 * bit_rate * 1000 // 16_000, b"\0")


def _two_frames() -> bytes:
    return _mp3_frame(1) * 2 + b"\0"
