from pathlib import Path

import pytest

from bench import set_up


@pytest.mark.parametrize(("seconds", "size", "met"), [(40.0, 1000.0, [True, True]), (60.0, 1900.0, [False, False])])
def test_a_row_is_for_the_time_and_one_for_the_megabytes(
    monkeypatch: pytest.MonkeyPatch, seconds: float, size: float, met: list[bool]
) -> None:
    monkeypatch.setattr(set_up, "by_make", lambda what, folder: (seconds, size))
    monkeypatch.setattr(set_up, "by_pip", lambda folder: (100.0, 2000.0))
    rows = list(set_up.rows())
    assert [row.number for row in rows] == ["14", "14"]
    assert [row.met for row in rows] == met


def test_a_file_with_two_names_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0" * 1_000_000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert set_up.megabytes(tmp_path) == 1.0
