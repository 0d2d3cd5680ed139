"""What a recording's own header says about it, read from a few kilobytes instead of the whole file.

Lambda has no FFmpeg, and a decoder isn't needed: each container tells its length, or where its last packet ends.
"""

from lambdas.planning.media_headers import amr, flac, mp3, mp4, ogg, wav, webm
from lambdas.planning.media_headers.bit_rates import held_against_size, most_seconds
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader, Source, Unreadable

__all__ = ["Header", "Source", "most_seconds", "read_header"]

# mp3 last: it has no magic number, only a pattern of frames.
_CONTAINERS = (wav.read, flac.read, ogg.read, mp4.read, amr.read, webm.read, mp3.read)


def read_header(source: Source) -> Header | None:
    """The recording's header; None if it is of no container that Transcribe takes, or breaks off within the header.

    Raises only what `source` raises, whatever the bytes are. Reads once to three times for most files, four times for
    an MP3, eight times a mebibyte of an AMR whose frames vary, and never more than 64 times or 12 MiB.
    """
    reader = Reader(source)
    try:
        start = mp3.after_tags(reader)  # some programs put an ID3 tag before other formats, too
        for read in _CONTAINERS:
            header = read(reader, start)
            if header:
                return held_against_size(header, source.size)
    except Unreadable:
        pass
    return None
