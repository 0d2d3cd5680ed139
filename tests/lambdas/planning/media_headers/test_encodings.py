"""The headers of samples/encodings/, made by the encoders people use, against what a decoder hears in them."""

import json
from typing import Any

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.media_headers.read_header import read_header
from lambdas.planning.preflight import refusal
from samples.make_encodings import ENCODINGS, MANIFEST
from tests.lambdas.planning.media_headers.recordings import Memory

ENTRIES: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text("utf-8"))
NOT_TAKEN = {".aac", ".mkv", ".mov", ".caf", ".aiff", ".ismv"}
RECORDINGS = [name for name in ENTRIES if f".{name.rpartition('.')[2]}" not in NOT_TAKEN]
# By format: frames, and samples in one. Encoders put up to two frames of silence before the sound and fill the last;
# some headers count that, others don't, and FFmpeg takes it off or not. With band replication, whose filters lag, a
# frame has twice as many samples. A frame that breaks off is none to the decoder.
FRAMES = {
    "mp3": (3, 1152),
    "mp4": (3, 1024),
    "m4a": (3, 1024),
    "ogg": (3, 1024),
    "webm": (3, 1024),
    "flac": (1, 4096),
    "amr": (1, 320),
    "wav": (1, 512),
}


def header_of(name: str) -> Header | None:
    return read_header(Memory((ENCODINGS / name).read_bytes()))


def sound_of(name: str) -> dict[str, Any]:
    """What the decoder hears, or what went into the encoder if FFmpeg has no decoder for it."""
    sound: dict[str, Any] = ENTRIES[name]["decoder"] or ENTRIES[name]["encoded"]
    return sound


def tolerance(name: str) -> float:
    frames, samples = FRAMES[name.rpartition(".")[2]]
    return frames * samples * (2 if is_band_replicated(name) else 1) / float(sound_of(name)["sample_rate"])


def is_band_replicated(name: str) -> bool:
    return name.startswith(("he", "fragmented-he"))


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_a_header_says_for_certain_is_what_the_decoder_hears(name: str) -> None:
    header, sound = header_of(name), sound_of(name)
    assert header
    suffix = name.rpartition(".")[2]
    assert header.format == suffix or {header.format, suffix} == {"mp4", "m4a"}
    if ENTRIES[name]["decoder"]:
        assert header.shortest - tolerance(name) <= sound["seconds"] <= header.longest + tolerance(name)
    assert header.sample_rate in (None, sound["sample_rate"])
    # FFmpeg makes stereo of one channel of band-replicated AAC, since parametric stereo may yet come.
    either = {1, 2} if is_band_replicated(name) else {sound["channels"]}
    assert header.channels is None or header.channels in either


def is_usable(sound: dict[str, Any]) -> bool:
    return (
        0.5 <= sound["seconds"] <= 4 * 3600 and 16_000 <= sound["sample_rate"] <= 48_000 and sound["channels"] in (1, 2)
    )


@pytest.mark.parametrize("name", [name for name in RECORDINGS if is_usable(sound_of(name))])
def test_no_recording_that_can_be_used_is_refused(name: str) -> None:
    assert refusal((ENCODINGS / name).stat().st_size, header_of(name), {}) is None


# A format tag of which nobody says what its rate means.
UNTOLD = {"g726-8k.wav"}
REFUSED = {
    "Invalid sample rate": [
        name for name in RECORDINGS if not 16_000 <= sound_of(name)["sample_rate"] <= 48_000 and name not in UNTOLD
    ],
    "Invalid number of channels": [name for name in RECORDINGS if sound_of(name)["channels"] > 2],
    "seconds long": ["too-short.wav", "wb-too-short.amr"],
}


@pytest.mark.parametrize(("reason", "name"), [(reason, name) for reason, names in REFUSED.items() for name in names])
def test_a_recording_that_plainly_cannot_be_used_is_refused(reason: str, name: str) -> None:
    found = refusal((ENCODINGS / name).stat().st_size, header_of(name), {})
    assert found and reason in found


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - set(RECORDINGS)))
def test_a_container_that_transcribe_does_not_take_has_no_header(name: str) -> None:
    assert header_of(name) is None
