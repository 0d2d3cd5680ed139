import math
from typing import Any

import pytest

from lambdas.planning.media_headers.header import Header
from lambdas.planning.preflight import may_be_too_long, refusal

GOOD = Header("wav", 60.0, 60.0, 16_000, 1)


def lasting(shortest: float, longest: float | None = None) -> Header:
    return GOOD._replace(shortest=shortest, longest=shortest if longest is None else longest)


def refused(header: Header | None = GOOD, size: int = 1000, **parameters: Any) -> str:
    return refusal(size, header, parameters) or ""


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (GOOD, 2 * 1024**3),
        (lasting(14_400.0), 1000),
        (lasting(0.5), 1000),
        (GOOD._replace(sample_rate=48_000), 1000),
        (GOOD._replace(channels=2), 1000),
        (lasting(0.0, math.inf), 1000),
        (lasting(0.1, 18_000.0), 1000),
        (Header("amr"), 1000),
        (None, 1000),
    ],
)
def test_a_recording_within_the_limits_or_unknown_passes(header: Header | None, size: int) -> None:
    assert refusal(size, header, {}) is None


@pytest.mark.parametrize(
    ("header", "size", "begin", "told"),
    [
        (None, 2 * 1024**3 + 1, "Invalid file size: file size too large", "2147483649 bytes"),
        (GOOD._replace(sample_rate=15_999), 1, "Invalid sample rate for audio file", "15999 Hz"),
        (GOOD._replace(sample_rate=48_001), 1, "Invalid sample rate for audio file", "48001 Hz"),
        (GOOD._replace(channels=3), 1, "Invalid number of channels: number of channels too large", "has 3;"),
        (
            lasting(14_400.01),
            1,
            "The recording is 14400.01 seconds long",
            "14400 (4 hours). Split it.",
        ),
        (lasting(0.499), 1, "The recording is 0.499 seconds long", "0.5 seconds or more"),
        (lasting(0.0), 1, "The recording is 0.000 seconds long", "0.5 seconds or more"),
    ],
)
def test_a_recording_outside_the_limits_is_refused_with_its_value(
    header: Header | None, size: int, begin: str, told: str
) -> None:
    reason = refused(header, size)
    assert reason.startswith(begin) and told in reason


def test_the_media_format_has_to_be_the_detected_one() -> None:
    assert refused(MediaFormat="wav") == ""
    reason = refused(MediaFormat="mp3")
    assert reason.startswith("The media format provided does not match the detected media format")
    assert "'mp3'" in reason and "'wav'" in reason


def test_mp4_and_m4a_are_the_same_format() -> None:
    assert refused(GOOD._replace(format="m4a"), MediaFormat="mp4") == ""
    assert refused(GOOD._replace(format="mp4"), MediaFormat="m4a") == ""
    assert refused(GOOD._replace(format="m4a"), MediaFormat="mp3") != ""


def test_the_sample_rate_has_to_be_the_detected_one() -> None:
    assert refused(MediaSampleRateHertz=16_000) == ""
    reason = refused(MediaSampleRateHertz=16_001)
    assert reason.startswith("The sample rate provided does not match the detected sample rate")
    assert "16001" in reason and "16000" in reason


def test_what_is_given_is_not_held_against_an_unknown_recording() -> None:
    assert refused(None, MediaFormat="mp3", MediaSampleRateHertz=44_100) == ""
    assert refused(Header("mp3"), MediaFormat="mp3", MediaSampleRateHertz=44_100) == ""


def test_other_parameters_do_not_matter() -> None:
    assert refused(Type="DICTATION", Settings={"ShowSpeakerLabels": True}) == ""


@pytest.mark.parametrize(
    ("header", "size", "possible"),
    [
        (None, 220_000, False),
        (None, 4_000_000, True),
        (lasting(60.0), 2 * 1024**3, False),
        (Header("m4a"), 6_000_000, False),
        (Header("m4a"), 8_000_000, True),
        (Header("mp3"), 14_000_000, False),
        (Header("mp3"), 15_000_000, True),
        (lasting(60.0, 18_000.0), 1000, False),
        (lasting(60.0, 18_000.0), 500_000_000, True),
    ],
)
def test_a_recording_may_be_too_long_if_its_header_leaves_it_open_and_its_size_can_hold_it(
    header: Header | None, size: int, possible: bool
) -> None:
    assert may_be_too_long(size, header) is possible
