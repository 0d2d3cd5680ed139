from collections.abc import Iterator

import pytest

from bench import media_headers
from bench.hostile_recordings import Tiled
from lambdas.planning.media_headers.read_header import read_header


def one_recording() -> Iterator[tuple[str, Tiled]]:
    yield "zeros", Tiled(b"", b"\0")


@pytest.mark.parametrize(("seconds", "met"), [(0.32, True), (0.34, False)])
def test_a_recording_that_takes_a_function_more_than_a_second_is_not_met(
    monkeypatch: pytest.MonkeyPatch, seconds: float, met: bool
) -> None:
    monkeypatch.setattr(media_headers, "hostile_recordings", one_recording)
    monkeypatch.setattr(media_headers, "least", lambda run: seconds)
    ordinary, hostile = media_headers.rows()
    assert (ordinary.number, hostile.number) == ("13", "13")
    assert (hostile.met, hostile.goal) == (met, "<= 0.33 s")
    assert hostile.what.endswith("the worst of 1: zeros")


def test_a_cost_has_the_reads_and_bytes_of_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_headers, "hostile_recordings", one_recording)
    (cost,) = media_headers.hostile_costs()
    source = Tiled(b"", b"\0")
    read_header(source)
    assert (cost.reads, cost.bytes) == (source.reads, source.bytes)
