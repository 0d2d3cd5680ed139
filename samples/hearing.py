"""Decodes a whole recording with FFmpeg, independently of its header."""

import io
from typing import Any

import av


def heard(data: bytes) -> dict[str, Any] | None:
    """Seconds, sample rate and channels of the decoded sound of the first audio track; None if there is none.

    The rate and the channels are those of the first decoded frame, and each frame counts with its own rate. A
    truncated recording counts as far as it can be decoded.
    """
    seconds, first = 0.0, None
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            for packet in container.demux(audio=0):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    continue
                for frame in frames:
                    assert isinstance(frame, av.AudioFrame)
                    first = first or frame
                    seconds += frame.samples / frame.sample_rate
    except (av.error.FFmpegError, IndexError):
        pass
    if first is None:
        return None
    return {"seconds": round(seconds, 4), "sample_rate": first.sample_rate, "channels": first.layout.nb_channels}
