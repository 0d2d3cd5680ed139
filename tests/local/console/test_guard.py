"""The console's protection from other pages of the browser."""

import re
from itertools import product

import pytest

from tests.local.console.conftest import ORIGIN, Stage

STATIC = ("page.js", "uploads.js", "executions.js", "console.css", "icon.svg")
HEADERS = {"X-User-Id": "p-1", "X-File-Name": "a.wav"}


PAGES = ("/", "/executions", "/executions/drop-1/batches/drop-1/report.html")
BUTTONS = ("/recordings", "/executions/drop-1/again", "/executions/drop-1/redrive")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4567", "127.0.0.1.evil.example", "localhost.evil:80", ""]
)
def test_a_name_that_is_not_this_machine_s_is_refused(stage: Stage, host: str) -> None:
    for path in PAGES:
        assert stage.console.get(path, headers={"Host": host}).status_code in (400, 421), path


def test_this_machine_s_names_are_answered(stage: Stage) -> None:
    for host in ("127.0.0.1:4567", "localhost:4567", "127.0.0.1"):
        assert stage.console.get("/executions", headers={"Host": host}).status_code == 200, host


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:4567", "", None]
)
def test_another_page_can_change_nothing(stage: Stage, origin: str | None) -> None:
    stage.ended("drop-1", {"media": []})
    headers = HEADERS if origin is None else {**HEADERS, "Origin": origin}
    for path in BUTTONS:
        answer = stage.console.post(path, base_url=ORIGIN["Origin"], data=b"sound", headers=headers)
        assert answer.status_code == 403, path
    assert stage.keys() == []
    assert [(item["name"], item["status"]) for item in stage.executions()] == [("drop-1", "FAILED")]


def test_what_changes_something_takes_a_post(stage: Stage) -> None:
    stage.ended("drop-1", {"media": []})
    for path, method in product(("/executions/drop-1/again", "/executions/drop-1/redrive"), ("GET", "HEAD", "OPTIONS")):
        answer = stage.console.open(path, method=method, base_url=ORIGIN["Origin"], headers=ORIGIN)
        assert answer.status_code == 405 or method == "OPTIONS"
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert len(stage.executions()) == 1


def test_every_answer_is_protected(stage: Stage) -> None:
    for path in ("/", *(f"/{name}" for name in STATIC), "/executions", "/nothing", "/executions/none"):
        headers = stage.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; "), path
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(stage: Stage) -> None:
    page = stage.get("/").text
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page)) == set(STATIC) - {"page.js"}
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
    for name in STATIC:
        text = stage.get(f"/{name}").text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|url\(|@import", text)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
