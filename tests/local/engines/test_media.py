import io
import struct
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from local.engines.media import NoAudioTrack, NotMedia, UnsupportedContainer, decode

MEDIA = Path(__file__).parents[3] / "samples" / "media"


def wav(samples: "np.ndarray[tuple[int, int], np.dtype[np.int16]]", rate: int = 16_000) -> bytes:
    """A WAV file of samples of shape (frames, channels)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(samples.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def _container(container_format: str, codec: str, *, video: bool = False) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container_format) as container:
        if video:
            pictures = container.add_stream("mpeg4", rate=5)
            assert isinstance(pictures, av.VideoStream)
            pictures.width = pictures.height = 32
            pictures.pix_fmt = "yuv420p"
            for _ in range(5):
                container.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
            container.mux(pictures.encode(None))
        else:
            sound = container.add_stream(codec, rate=16_000, layout="mono")
            assert isinstance(sound, av.AudioStream)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
            frame.sample_rate = 16_000
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()


def test_samples_of_a_16_khz_wav_come_back_unchanged() -> None:
    samples = np.random.default_rng(1).integers(-20_000, 20_000, (1600, 1)).astype(np.int16)
    audio = decode(wav(samples))
    assert (audio.format, audio.sample_rate, audio.channels, audio.seconds) == ("wav", 16_000, 1, 0.1)
    assert np.array_equal(audio.mono(), samples[:, 0])


def test_another_rate_is_reported_and_resampled() -> None:
    audio = decode(wav(np.zeros((44_100, 1), np.int16), 44_100))
    assert audio.sample_rate == 44_100
    assert audio.seconds == pytest.approx(1, abs=0.01)


def test_channels_are_kept_apart_and_averaged_on_demand() -> None:
    audio = decode(wav(np.tile(np.array([[1000, -400]], np.int16), (800, 1))))
    assert audio.channels == 2
    assert (audio.samples[0] == 1000).all() and (audio.samples[1] == -400).all()
    assert (audio.mono() == 300).all()


@pytest.mark.parametrize(("container_format", "expected"), [("ipod", "m4a"), ("mp4", "mp4"), ("3gp", "mp4")])
def test_m4a_and_mp4_are_told_apart(container_format: str, expected: str) -> None:
    assert decode(_container(container_format, "aac")).format == expected


@pytest.mark.parametrize("container_format", ["avi", "matroska", "mov", "aiff"])
def test_containers_that_transcribe_does_not_take_are_named(container_format: str) -> None:
    codec = "pcm_s16be" if container_format == "aiff" else "pcm_s16le"
    with pytest.raises(UnsupportedContainer):
        decode(_container(container_format, codec))


def test_a_silent_film_has_no_audio_track() -> None:
    with pytest.raises(NoAudioTrack):
        decode(_container("mp4", "", video=True))


@pytest.mark.parametrize("data", [b"", b"Dear colleague, " * 200, b"\x00" * 5000, b"RIFF\x00\x00"])
def test_what_is_no_media_is_refused(data: bytes) -> None:
    with pytest.raises(NotMedia):
        decode(data)


@pytest.mark.parametrize("format_tag", [0x7777, 0x0133])
def test_a_codec_that_nobody_knows_is_refused(format_tag: int) -> None:
    data = bytearray(wav(np.zeros((16_000, 1), np.int16)))
    struct.pack_into("<H", data, 20, format_tag)
    with pytest.raises(NotMedia, match="unknown codec"):
        decode(bytes(data))


@pytest.mark.parametrize("channels", [9, 64])
def test_a_header_that_claims_many_channels_does_not_end_the_process(tmp_path: Path, channels: int) -> None:
    file = tmp_path / "many.wav"
    file.write_bytes(wav(np.zeros((16_000, channels), np.int16)))
    code = f"from local.engines.media import decode; print(decode(open({str(file)!r}, 'rb').read()).samples.shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"({channels}, 16000)", done.stderr


def test_a_recording_that_breaks_off_keeps_its_beginning() -> None:
    whole = (MEDIA / "p-007" / "visit.mp3").read_bytes()
    audio = decode(whole[: len(whole) // 2])
    assert audio.seconds == pytest.approx(decode(whole).seconds / 2, rel=0.1)
