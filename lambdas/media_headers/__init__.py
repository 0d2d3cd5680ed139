"""What a recording's own header says about it, read from a few kilobytes instead of the whole file.

Lambda has no FFmpeg, and a decoder isn't needed: each container tells its length, or where its last packet ends.
"""

from lambdas.media_headers import amr, flac, mp3, mp4, ogg, wav, webm
from lambdas.media_headers.header import Header
from lambdas.media_headers.reader import Reader, Source, Unreadable

__all__ = ["Header", "Source", "read_header"]

# mp3 last: it has no magic number, only a pattern of frames.
_CONTAINERS = (wav.read, flac.read, ogg.read, mp4.read, amr.read, webm.read, mp3.read)


def read_header(source: Source) -> Header | None:
    """The recording's header; None if it is of no container that Transcribe takes, or breaks off within the header.

    Raises only what `source` raises, whatever the bytes are. Reads once or twice for most files, five times for an MP3
    without an index, an AMR whole because it has none, and never more than 64 times.
    """
    reader = Reader(source)
    try:
        start = mp3.after_tags(reader)  # some programs put an ID3 tag before other formats, too
        for read in _CONTAINERS:
            header = read(reader, start)
            if header:
                return header.plausible()
    except Unreadable:
        pass
    return None
