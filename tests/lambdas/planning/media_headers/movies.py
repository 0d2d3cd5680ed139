"""MP4 files made of their boxes, so that each can say something else."""

import struct
from collections.abc import Sequence


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


M4A = box(b"ftyp", b"M4A \0\0\0\0isom")
BYTES_PER_SECOND = 8_000


def audio_config(bits: str) -> bytes:
    """An AudioSpecificConfig, written in its fields."""
    bits = bits.replace(" ", "")
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def esds(config: bytes, *, padded: bool = False, kind: int = 0x40) -> bytes:
    """The box around it; `padded`: lengths in four bytes."""

    def descriptor(tag: int, body: bytes) -> bytes:
        return bytes([tag]) + (b"\x80\x80\x80" if padded else b"") + bytes([len(body)]) + body

    decoder = descriptor(4, bytes([kind, 0x15]) + bytes(11) + descriptor(5, config))
    return box(b"esds", bytes(4), descriptor(3, bytes(3) + decoder + descriptor(6, b"\x02")))


# AAC-LC at 44,100 Hz, stereo.
LC_44100 = esds(audio_config("00010 0100 0010 000"))


def mp4a(*parts: bytes, name: bytes = b"mp4a") -> bytes:
    """A sample entry that says 22,050 Hz and two channels, whatever is in it."""
    return box(name, bytes(16), struct.pack(">HHHHI", 2, 16, 0, 0, 22_050 << 16), *parts)


def track(
    *,
    seconds: float = 2.5,
    played: float | None = None,
    table: float | None = None,
    frames: int = 0,
    edits: Sequence[tuple[float, int]] = (),
    entry: bytes | None = None,
    handler: bytes = b"soun",
    chunk: int = 0,
    long: bool = False,
) -> bytes:
    """`seconds` in its own times (44,100 Hz), `played` in the movie's (1,000 Hz), `table` by its samples' lengths."""
    ticks, shown = round(seconds * 44_100), round((seconds if played is None else played) * 1000)
    times = box(b"mdhd", struct.pack(">I16xIQ4x" if long else ">I8xII4x", long << 24, 44_100, ticks))
    head = box(b"tkhd", struct.pack(">I16xIIQ" if long else ">I8xIII", long << 24, 1, 0, shown))
    ticks = ticks if table is None else round(table * 44_100)
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), mp4a(LC_44100) if entry is None else entry),
        box(b"stts", struct.pack(">IIII", 0, 1, 1, ticks)),
        box(b"stsz", struct.pack(">III", 0, 100, frames)),
        box(b"stco", struct.pack(">III", 0, 1, chunk)),
    )
    layout = ">QqI" if long else ">IiI"
    listed = b"".join(struct.pack(layout, round(length * 1000), begin, 1 << 16) for length, begin in edits)
    edited = box(b"edts", box(b"elst", struct.pack(">II", long << 24, len(edits)), listed)) if edits else b""
    media = box(b"mdia", times, box(b"hdlr", bytes(8), handler, bytes(12)), box(b"minf", stbl))
    return box(b"trak", head, edited, media)


def movie(*tracks: bytes, extra: bytes = b"", duration: float = 2.5, long: bool = False) -> bytes:
    layout = ">I16xIQ" if long else ">I8xII"
    times = box(b"mvhd", struct.pack(layout, long << 24, 1000, round(duration * 1000)))
    return box(b"moov", times, *(tracks or (track(long=long),)), extra)


def sound(seconds: float = 2.5) -> bytes:
    return box(b"mdat", bytes(round(seconds * BYTES_PER_SECOND)))
