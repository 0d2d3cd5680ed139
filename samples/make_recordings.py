"""Make every sample recording again: `python -m samples.make_recordings` (needs Debian's flite and libvo-amrwbenc0).

Writes samples/media/<user_id>/<file> and samples/recordings.json. The same versions of flite and PyAV write the same
bytes. AMR is wideband, because Transcribe Medical needs at least 16 kHz; libvo-amrwbenc encodes it, PyAV can't.
"""

import ctypes
import ctypes.util
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from samples.dictations import DICTATIONS, Dictation

SAMPLES = Path(__file__).parent
_RATE = 16_000
# Container, codec and bit rate by file name suffix. ipod is FFmpeg's name of the m4a flavour of MP4.
_ENCODINGS = {
    ".wav": ("wav", "pcm_s16le", 0),
    ".flac": ("flac", "flac", 0),
    ".mp3": ("mp3", "libmp3lame", 48_000),
    ".m4a": ("ipod", "aac", 48_000),
    ".mp4": ("mp4", "aac", 48_000),
    ".ogg": ("ogg", "libopus", 24_000),
    ".webm": ("webm", "libopus", 24_000),
}
_BAD_RECORDINGS: list[dict[str, str | bool | None]] = [
    {"user_id": "p-050", "file": "empty.wav", "text": "", "audience_consent": True},
    {"user_id": "p-051", "file": "notes.mp3", "text": "", "audience_consent": True},
    {"user_id": "p-052", "file": "silence.wav", "text": "", "audience_consent": True},
    {"user_id": "p-053", "file": "visit.docx", "text": "This recording has the wrong name.", "audience_consent": None},
    {"user_id": "p-054", "file": "truncated.m4a", "text": "", "audience_consent": True},
]
_AMR_WB_MODE = 4  # 15.85 kbit/s
_AMR_WB_FRAME = 320
_LONGEST_AMR_WB_FRAME_BYTES = 61


def main() -> None:
    if shutil.which("flite") is None or ctypes.util.find_library("vo-amrwbenc") is None:
        sys.exit("flite and libvo-amrwbenc0 are needed: apt-get install flite libvo-amrwbenc0")
    media = SAMPLES / "media"
    shutil.rmtree(media, ignore_errors=True)
    for dictation in DICTATIONS:
        _write(media / dictation.user_id / dictation.file, encode(speak(dictation), Path(dictation.file).suffix))
    for bad in _BAD_RECORDINGS:
        _write(media / str(bad["user_id"]) / str(bad["file"]), _bad_bytes(str(bad["file"]), str(bad["text"])))
    recordings = [
        {
            "user_id": dictation.user_id,
            "file": dictation.file,
            "text": dictation.text,
            "audience_consent": dictation.consent,
            "expected": "transcribed",
        }
        for dictation in DICTATIONS
    ] + [bad | {"expected": "rejected"} for bad in _BAD_RECORDINGS]
    text = json.dumps(recordings, indent=1, ensure_ascii=False)
    (SAMPLES / "recordings.json").write_text(text + "\n", "utf-8")
    size = sum(file.stat().st_size for file in media.rglob("*") if file.is_file())
    print(f"{len(recordings)} recordings, {size / 1e6:.1f} MB")


def speak(dictation: Dictation) -> NDArray[np.int16]:
    """Say a dictation's text with its voice: 16 kHz mono samples."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", dictation.voice, "-t", dictation.text, "-o", str(file)], check=True)
        with wave.open(str(file)) as sound:
            if (sound.getframerate(), sound.getnchannels()) != (_RATE, 1):
                raise ValueError(f"flite's voice {dictation.voice} is not 16 kHz mono: use another")
            return np.frombuffer(sound.readframes(sound.getnframes()), np.int16)


def encode(samples: NDArray[np.int16], suffix: str) -> bytes:
    """A file of the format that ``suffix`` (".mp3") names, from 16 kHz mono samples."""
    if suffix == ".amr":
        return _amr_wb(samples)
    container_name, codec, bit_rate = _ENCODINGS[suffix]
    with tempfile.TemporaryDirectory() as folder:
        # A real file, because the MP4 writer seeks back to fill in sizes. bitexact: no random ids, no encoder version.
        file = Path(folder) / f"recording{suffix}"
        with av.open(str(file), "w", format=container_name, container_options={"fflags": "+bitexact"}) as container:
            stream = cast(av.AudioStream, container.add_stream(codec, rate=_RATE, layout="mono"))
            if bit_rate:
                stream.bit_rate = bit_rate
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = _RATE
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file.read_bytes()


def _amr_wb(samples: NDArray[np.int16]) -> bytes:
    """RFC 4867 storage format: a magic line, then the encoder's frames of 20 ms."""
    library = ctypes.CDLL(ctypes.util.find_library("vo-amrwbenc"))
    library.E_IF_init.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(library.E_IF_init())
    padded = np.pad(samples, (0, -len(samples) % _AMR_WB_FRAME))
    frame_bytes = ctypes.create_string_buffer(_LONGEST_AMR_WB_FRAME_BYTES)
    encoded = bytearray(b"#!AMR-WB\n")
    for frame in padded.reshape(-1, _AMR_WB_FRAME):
        pcm = np.ascontiguousarray(frame).ctypes.data_as(ctypes.c_void_p)
        size = library.E_IF_encode(encoder, _AMR_WB_MODE, pcm, frame_bytes, 0)
        encoded += frame_bytes.raw[:size]
    library.E_IF_exit(encoder)
    return bytes(encoded)


def _bad_bytes(file: str, text: str) -> bytes:
    match file:
        case "empty.wav":
            return b""
        case "notes.mp3":
            return b"Call the laboratory about the missing result.\n" * 40
        case "silence.wav":
            return encode(np.zeros(_RATE * 3, np.int16), ".wav")
        case "visit.docx":
            return encode(speak(Dictation("p-053", file, "slt", text)), ".wav")
        case "truncated.m4a":
            # The index of an m4a is at its end; without it the file can't be played.
            whole = encode(speak(Dictation("p-054", file, "slt", "The upload broke off half way.")), ".m4a")
            return whole[: len(whole) // 2]
    raise ValueError(f"no recipe for {file}")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    main()
