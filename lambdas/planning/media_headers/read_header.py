"""Try the containers one after the other."""

from lambdas.planning.media_headers import amr, flac, mp3, mp4, ogg, wav, webm
from lambdas.planning.media_headers.bit_rates import held_against_size
from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.reader import Reader, Source, Unreadable

# mp3 last: it has no magic number, only a pattern of frames.
_CONTAINERS = (wav.read, flac.read, ogg.read, mp4.read, amr.read, webm.read, mp3.read)


def read_header(source: Source) -> Header | None:
    """The recording's header; None if its container isn't one of Transcribe's, or the file ends within the header.

    Raises only errors of `source`, whatever the bytes are. Most files take one to three reads, an MP3 four, an AMR with
    varying frames eight of 1 MiB; no file takes more than 64 reads or 12 MiB.
    """
    reader = Reader(source)
    try:
        start = mp3.after_tags(reader)  # some programs write an ID3 tag before other formats, too
        for read in _CONTAINERS:
            header = read(reader, start)
            if header:
                return held_against_size(header, source.size)
    except Unreadable:
        pass
    return None
