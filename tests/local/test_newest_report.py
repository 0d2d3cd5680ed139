import os
import webbrowser
from pathlib import Path

import pytest

from local.newest_report import ReportError, open_newest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for age, name in enumerate(("drop-b", "drop-a", "drop-c")):
        page = tmp_path / "batches" / name / "report.html"
        page.parent.mkdir(parents=True)
        page.touch()
        os.utime(page, (1000 - age, 1000 - age))
    return tmp_path


def test_the_newest_page_is_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_it(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_it)
    page = folder / "batches/drop-b/report.html"
    assert open_newest(folder) == page
    assert opened == [page.as_uri()]


def test_without_a_page_it_is_told_where_one_comes_from(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"There is no report in .*; make demo writes one\."):
        open_newest(tmp_path / "out")


def test_without_a_browser_the_page_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    with pytest.raises(ReportError, match=r"No browser is found; open .*drop-b/report\.html"):
        open_newest(folder)
