"""Clients on a machine with a proxy: its environment variables, and the pages that it answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ProxyConnectionError

from operations import clients
from operations.clients import NotAws
from operations.refusals import sentence

NOWHERE = "http://127.0.0.1:9"
PROXIES = [spelled for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for spelled in (name, name.lower())]
CONFIG = Config(retries={"total_max_attempts": 1})
ANSWERS: dict[str, tuple[int, str, dict[str, str]]] = {
    "us": (
        200,
        "<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>",
        {"x-amzn-RequestId": "1"},
    ),
    "page": (200, "<html>Log in</html>", {"content-type": "text/html"}),
    "proxy": (407, "", {}),
    "gateway": (502, "<!DOCTYPE html><html>{}</html>", {"content-type": "text/html"}),
    "report": (200, "<html>A report of ours</html>", {"content-type": "text/html", "x-amz-request-id": "1"}),
}


class Handler(BaseHTTPRequestHandler):
    answer = "us"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text, headers = ANSWERS[self.answer]
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "answer", "us")
    for name in (*PROXIES, "NO_PROXY", "no_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def made(service: str, endpoint_url: str | None) -> Any:
    return clients.make(boto3.Session(), service, endpoint_url, "us-east-1", CONFIG)


@pytest.mark.parametrize("name", PROXIES)
def test_what_is_on_this_machine_is_asked_for_directly(
    name: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, NOWHERE)
    assert made("sts", endpoint).get_caller_identity()["Account"] == "1"
    assert made("sts", endpoint.replace("127.0.0.1", "localhost")).get_caller_identity()["Account"] == "1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert made("sts", None).get_caller_identity()["Account"] == "1"


def test_what_is_elsewhere_is_asked_for_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    with pytest.raises(ProxyConnectionError) as raised:
        made("sts", "http://sts.example").get_caller_identity()
    assert sentence(raised.value).startswith(f"The proxy {NOWHERE} lets nothing through; look at")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://127.1.2.3/", True),
        ("http://[::1]:4566", True),
        ("http://LOCALHOST:4566", True),
        ("http://bucket.localhost:4566", True),
        ("http://10.0.0.1:4566", False),
        ("https://sts.us-east-1.amazonaws.com", False),
        ("http://localhost.example.com", False),
        ("nonsense", False),
    ],
)
def test_this_machine_has_many_names(url: str, expected: bool) -> None:
    assert clients.is_loopback(url) is expected


@pytest.mark.parametrize(("answer", "status"), [("page", 200), ("proxy", 407)])
@pytest.mark.parametrize("service", ["sts", "stepfunctions", "s3"])
def test_a_page_in_the_place_of_an_answer_is_known_for_one(
    service: str, answer: str, status: int, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "answer", answer)
    client = made(service, endpoint)
    calls = {
        "sts": lambda: client.get_caller_identity(),
        "stepfunctions": lambda: client.list_state_machines(),
        "s3": lambda: client.get_object(Bucket="bucket", Key="report.html"),
    }
    with pytest.raises(NotAws) as raised:
        calls[service]()
    assert f"(HTTP {status}, " in str(raised.value)


@pytest.mark.parametrize("service", ["sts", "stepfunctions"])
def test_a_gateway_that_fails_is_told_without_its_page(
    service: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "answer", "gateway")
    client = made(service, endpoint)
    with pytest.raises(ClientError) as raised:
        client.get_caller_identity() if service == "sts" else client.list_state_machines()
    assert raised.value.response["Error"] == {"Code": "502", "Message": "Bad Gateway"}


def test_a_page_of_ours_in_a_bucket_is_read(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "answer", "report")
    answer = made("s3", endpoint).get_object(Bucket="bucket", Key="report.html")
    assert answer["Body"].read() == b"<html>A report of ours</html>"
