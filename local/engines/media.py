"""Decode a recording's bytes, naming its container the way Amazon Transcribe's MediaFormat does."""

import io
import itertools
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000

_CONTAINERS = {"wav": "wav", "mp3": "mp3", "flac": "flac", "ogg": "ogg", "amr": "amr"}
# One FFmpeg demuxer reads the whole ISO base media family; brands distinguish its members.
_ISO_AUDIO_BRANDS = {"M4A ", "M4B "}
_ISO_VIDEO_BRANDS = {"isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash", "M4V ", "MSNV"}
_QUICKTIME = "qt  "


class MediaError(ValueError):
    """The bytes can't be decoded to audio."""


class NotMedia(MediaError):
    """No known container: empty, not audio at all, or damaged."""


class NoAudioTrack(MediaError):
    """A media file without sound in it, such as a silent film."""


class UnsupportedContainer(MediaError):
    """A media file of a kind that Amazon Transcribe does not take, such as AVI or QuickTime."""


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    ``format`` is Transcribe's MediaFormat (wav, mp3, mp4, m4a, flac, ogg, amr or webm), ``sample_rate`` the recording's
    own rate in hertz, ``seconds`` its length. ``samples`` is signed 16 bit at 16 kHz, shape ``(channels, frames)``.
    """

    format: str
    sample_rate: int
    samples: NDArray[np.int16]

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)

    def mono(self) -> NDArray[np.int16]:
        """The average of all channels, shape ``(frames,)``."""
        return self.samples.mean(axis=0).astype(np.int16) if self.channels > 1 else self.samples.reshape(-1)


def decode(data: bytes) -> Audio:
    """Decode the first audio track of a media file held in memory.

    Raises NotMedia, NoAudioTrack or UnsupportedContainer; a file that breaks off half way keeps what could be decoded.
    """
    if not data:
        raise NotMedia("the file is empty")
    try:
        container = av.open(io.BytesIO(data), mode="r", metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        raise NotMedia(f"{len(data)} bytes are no media file that could be opened") from error
    with container:
        media_format = _media_format(container, data)
        if not container.streams.audio:
            raise NoAudioTrack(f"the {media_format} file has no audio track")
        stream = container.streams.audio[0]
        # PyAV's types do not say so: without a decoder there is no context, nor the attributes that come from it.
        if stream.codec_context is None:
            raise NotMedia(f"the {media_format} file's audio track has an unknown codec")
        if not stream.rate or not stream.codec_context.channels:
            raise NotMedia(f"the {media_format} file's audio track has no sample rate or channels")
        samples = _samples(container, stream)
        return Audio(media_format, stream.rate, samples)


def _media_format(container: av.container.InputContainer, data: bytes) -> str:
    demuxer = container.format.name
    if demuxer in _CONTAINERS:
        return _CONTAINERS[demuxer]
    if demuxer == "matroska,webm":
        # FFmpeg doesn't return the document type, which the EBML header, at most a few dozen bytes, holds.
        if b"webm" in data[:64]:
            return "webm"
    elif "mp4" in demuxer.split(","):
        brand, compatible = (container.metadata.get(name, "") for name in ("major_brand", "compatible_brands"))
        if brand in _ISO_AUDIO_BRANDS:
            return "m4a"
        # Phones name 3GPP's brand first; a QuickTime file stays QuickTime with any compatible brands.
        brands = {brand, *(compatible[at : at + 4] for at in range(0, len(compatible), 4))}
        if brand != _QUICKTIME and brands & _ISO_VIDEO_BRANDS:
            return "mp4"
    raise UnsupportedContainer(f"{demuxer} is not a container that Amazon Transcribe takes")


def _samples(container: av.container.InputContainer, stream: av.AudioStream) -> NDArray[np.int16]:
    channels = stream.codec_context.channels
    blocks: list[NDArray[np.int16]] = []
    try:
        # Interleaved, because PyAV crashes on a frame of more than eight planes, and a header may claim 65,535.
        resampler = av.AudioResampler(format="s16", layout=stream.layout, rate=SAMPLE_RATE)
        for frame in itertools.chain(container.decode(stream), [None]):
            blocks.extend(_by_channel(block, channels) for block in resampler.resample(frame))
    except (av.error.FFmpegError, ValueError) as error:  # ValueError: a frame unlike those before it
        if not blocks:
            raise NotMedia("the audio track cannot be decoded") from error
    if not blocks:
        return np.zeros((channels, 0), np.int16)
    return np.concatenate(blocks, axis=1)


def _by_channel(block: av.AudioFrame, channels: int) -> NDArray[np.int16]:
    return np.asarray(block.to_ndarray(), dtype=np.int16).reshape(-1, channels).T
