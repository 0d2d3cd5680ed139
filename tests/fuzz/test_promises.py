"""The fuzzing of headers, for a few seconds and always with the same seeds; `make fuzz` goes on with others."""

import sys

import pytest

from bench.hostile_recordings import Tiled, hostile_recordings
from lambdas.planning.media_headers.header import Header
from tests.fuzz import __main__ as fuzz
from tests.fuzz import promises
from tests.fuzz.mutations import Case, case
from tests.fuzz.promises import broken


def test_no_damage_breaks_a_promise() -> None:
    assert [problem for seed in range(2500) if (problem := broken(case(seed)))] == []


def test_no_recording_made_to_hurt_breaks_a_promise() -> None:
    cases = (Case(0, what, source) for what, source in hostile_recordings())
    assert [problem for hostile in cases if (problem := broken(hostile))] == []


def test_a_seed_makes_the_same_recording_each_time() -> None:
    for seed in range(50):
        one, other = case(seed), case(seed)
        assert one.what == other.what and one.source.size == other.source.size
        if one.source.size and "fails" not in one.what:
            length = min(one.source.size, 100_000)
            assert one.source.read(0, length) == other.source.read(0, length)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (Header("wav", 2, 1), "lasts 2 to 1 s"),
        (Header("wav", float("nan")), "lasts nan to inf s"),
        (Header("wav", -1, 1), "lasts -1 to 1 s"),
        (Header("wav", float("inf")), "lasts inf to inf s"),
        (Header("avi"), "has the format 'avi'"),
        (Header("wav", sample_rate=0), "has 0 Hz"),
        (Header("wav", channels=0), "has 0 channels"),
    ],
)
def test_a_header_that_no_recording_can_have_is_reported(
    header: Header, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promises, "read_header", lambda _: header)
    assert broken(Case(7, "planted", Tiled(b"", b"\0", 10))) == f"seed 7, planted: {problem}"


@pytest.mark.parametrize(
    ("reads", "length", "problem"), [(65, 1, "was read 65 times"), (3, 5 << 20, "15728640 bytes of it were read")]
)
def test_reading_too_much_is_reported(reads: int, length: int, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "read_header", lambda source: [source.read(0, length) for _ in range(reads)] and None)
    assert broken(Case(7, "planted", Tiled(b"", b"\0", 10 << 20))) == f"seed 7, planted: {problem}"


def test_the_command_ends_with_1_and_the_seed_of_what_was_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(source: Tiled) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(sys, "argv", ["fuzz", "--seed", "41", "--count", "2"])
    monkeypatch.setattr(promises, "read_header", fails)
    assert fuzz.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("seed 41, ") and lines[0].endswith("raises KeyError: 'planted'")
    assert lines[-1].startswith("fuzz: 2 recordings from seed 41 on, 2 wrong; ")


def test_the_command_ends_with_0_if_all_was_held(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seed", "0", "--count", "20"])
    assert fuzz.main() == 0
    assert "fuzz: 20 recordings from seed 0 on, 0 wrong; " in capsys.readouterr().out
