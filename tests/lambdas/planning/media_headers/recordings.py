"""Recordings in memory: made by FFmpeg, or taken from the samples."""

import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_PIECE = 4096
SAMPLES = Path(__file__).parents[4] / "samples" / "media"


class Memory:
    """A source that keeps a list of what was read, as (offset, length), and refuses what lies outside of the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.reads: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        assert offset >= 0 and length > 0 and offset + length <= self.size
        self.reads.append((offset, length))
        return self.data[offset : offset + length]


class Unseekable(io.BytesIO):
    """A pipe: what was written can't be corrected."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError("a pipe")


def encode(
    container_format: str,
    codec: str,
    *,
    seconds: float = 3,
    rate: int = 16_000,
    layout: str = "mono",
    bit_rate: int = 0,
    options: dict[str, str] | None = None,
    streamed: bool = False,
    loudness: int = 9000,
) -> bytes:
    """A recording of noise; `streamed`: through a pipe, so with no size or duration that is known only at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        pipe = Unseekable()
        target = pipe if streamed else str(path)
        with av.open(target, "w", format=container_format, container_options=options or {}) as container:
            # FFmpeg's own Vorbis encoder calls itself experimental.
            stream = container.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
            assert isinstance(stream, av.AudioStream)
            if bit_rate:
                stream.bit_rate = bit_rate
            channels = av.AudioLayout(layout).nb_channels
            noise = (
                np.random.default_rng(1)
                .integers(-loudness, loudness + 1, (round(seconds * rate), channels))
                .astype(np.int16)
            )
            # In pieces with their times: the Vorbis encoder goes by them.
            for begin in range(0, len(noise), _PIECE):
                frame = av.AudioFrame.from_ndarray(noise[begin : begin + _PIECE].reshape(1, -1), "s16", layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return pipe.getvalue() if streamed else path.read_bytes()


def cut(data: bytes, container_format: str, begin: float, end: float) -> bytes:
    """A part of a recording that isn't encoded again, as `ffmpeg -c copy -f segment` writes it: its times go on."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part"
        with av.open(io.BytesIO(data), "r") as whole, av.open(str(path), "w", format=container_format) as part:
            source = whole.streams.audio[0]
            target = part.add_stream_from_template(source)
            for packet in whole.demux(source):
                if packet.pts is not None and packet.time_base and begin <= packet.pts * packet.time_base < end:
                    packet.stream = target
                    part.mux(packet)
        return path.read_bytes()
