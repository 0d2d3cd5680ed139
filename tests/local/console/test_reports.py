"""Report pages and recordings, as the console serves them from the buckets."""

import re
from urllib.parse import urljoin

import pytest

from tests.local.console.conftest import Stage

KEY = "media/p-1/visit.wav"
BELOW = "/executions/drop-1"


def test_a_batch_s_page_is_served_where_its_links_lead_to_the_recordings(stage: Stage) -> None:
    stage.recorded(KEY, b"sound", "t1")
    stage.clinical("batches/drop-1/report.html", '<a href="../../reports/t1.html">visit</a>')
    page = f"{BELOW}/batches/drop-1/report.html"
    (link,) = re.findall('href="(.+)"', stage.get(page).text)
    linked = urljoin(page, link)
    assert stage.get(urljoin(linked, stage.get(linked).headers["Location"])).text == "<p>a transcript</p>"


@pytest.mark.parametrize("path", [f"{BELOW}/batches/drop-1/report.html", f"{BELOW}/reports/t1.html?audio=t1.audio"])
def test_a_page_is_kept_from_what_the_console_may_do(stage: Stage, path: str) -> None:
    stage.recorded(KEY, b"sound", "t1")
    stage.clinical("batches/drop-1/report.html", "<p>a batch</p>")
    answer = stage.get(path)
    directives = answer.headers["Content-Security-Policy"].split("; ")
    assert answer.content_type == "text/html; charset=utf-8"
    assert "sandbox allow-scripts allow-forms" in directives, "an origin of its own"
    assert {"default-src 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(directives)
    assert not any(directive.startswith("connect-src") for directive in directives)
    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "no-store")


def test_a_recording_s_page_is_told_where_the_recording_is_without_its_name(stage: Stage) -> None:
    stage.recorded(KEY, b"sound", "t1")
    answer = stage.get(f"{BELOW}/reports/t1.html")
    assert (answer.status_code, answer.headers["Location"]) == (302, "t1.html?audio=t1.audio")


def test_a_recording_is_served_whole_or_in_part(stage: Stage) -> None:
    stage.recorded(KEY, b"0123456789", "t1")
    whole = stage.get(f"{BELOW}/reports/t1.audio")
    assert (whole.status_code, whole.data, whole.content_type) == (200, b"0123456789", "audio/wav")
    assert (whole.headers["Accept-Ranges"], whole.headers["Content-Length"]) == ("bytes", "10")
    part = stage.get(f"{BELOW}/reports/t1.audio", Range="bytes=4-6")
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (206, b"456", "bytes 4-6/10")
    assert stage.get(f"{BELOW}/reports/t1.audio", Range="bytes=-2").data == b"89"
    assert stage.get(f"{BELOW}/reports/t1.audio", Range="bytes=50-").status_code == 416
    assert stage.get(f"{BELOW}/reports/t1.audio", Range="lines=1-2").data == b"0123456789"


def test_a_recording_that_was_replaced_is_served_as_it_was_when_it_was_transcribed(stage: Stage) -> None:
    stage.recorded(KEY, b"first", "t1")
    stage.deployed.client("s3").put_object(Bucket="media", Key=KEY, Body=b"second")
    assert stage.get(f"{BELOW}/reports/t1.audio").data == b"first"
    versions = stage.deployed.client("s3").list_object_versions(Bucket="media")["Versions"]
    (first,) = [item["VersionId"] for item in versions if not item["IsLatest"]]
    stage.deployed.client("s3").delete_object(Bucket="media", Key=KEY, VersionId=first)
    gone = stage.get(f"{BELOW}/reports/t1.audio")
    assert (gone.status_code, gone.text) == (404, "This version of the recording is no longer in the media bucket.")


def test_a_recording_that_says_it_is_a_page_is_none(stage: Stage) -> None:
    stage.recorded(KEY, b"<script>alert(1)</script>", "t1", "text/html")
    answer = stage.get(f"{BELOW}/reports/t1.audio")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_the_execution_has_not_is_not_found(stage: Stage) -> None:
    stage.recorded(KEY, b"sound", "t1")
    stage.clinical("reports/t2.html", "of another batch")
    stage.clinical("batches/drop-2/report.html", "of another batch")
    for path in (
        f"{BELOW}/reports/t2.audio",
        f"{BELOW}/reports/t2.html?audio=x",
        "/executions/drop-2/reports/t1.audio",
        f"{BELOW}/batches/drop-2/report.html",
        f"{BELOW}/batches/drop-1/report.html",
    ):
        assert stage.get(path).status_code == 404, path
