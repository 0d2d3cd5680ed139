import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from bench import __main__ as bench
from bench.table import Row


def module(monkeypatch: pytest.MonkeyPatch, name: str, *rows: Row | Exception) -> None:
    def generate() -> Iterator[Row]:
        for item in rows:
            if isinstance(item, Exception):
                raise item
            yield item

    made = ModuleType(name)
    made.rows = generate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, made)


MET = Row("3", "asset", "1 MB", "", "", "", "", met=True)


def test_the_benchmarks_have_a_number_each() -> None:
    assert sorted(map(int, bench.NUMBERS)) == [*range(1, 15), 17, 18, 19, 20]


def test_a_benchmark_that_breaks_is_not_met_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "bench.synth", OSError("no room"))
    module(monkeypatch, "bench.asset", MET)
    first, second = bench.measure({"11", "3"})
    assert first == MET
    assert (second.number, second.what, second.met) == ("11", "not measured: OSError: no room", False)


def test_only_what_was_asked_for_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module(monkeypatch, "bench.cold_start", MET._replace(number="1"), MET._replace(number="2", met=False))
    bench.main(["1"])
    assert capsys.readouterr().out.splitlines()[-1] == "bench: 1 of 1 met"


def test_an_unknown_number_is_an_error_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["15"])
    assert "'15' is no benchmark" in capsys.readouterr().err
