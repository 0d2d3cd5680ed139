import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.aws import clients

CREDENTIALS = {"aws_access_key_id": "A", "aws_secret_access_key": "S"}


def client(**changes: Any) -> Any:
    return clients.client("sqs", **{"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"} | changes)


def test_whoever_calls_the_same_with_the_same_rights_shares_a_client() -> None:
    assert client(**CREDENTIALS) is client(**CREDENTIALS)


def test_other_rights_another_place_or_another_region_take_another_client() -> None:
    mine = client(**CREDENTIALS)
    assert client(**CREDENTIALS | {"aws_access_key_id": "B"}) is not mine
    assert client(**CREDENTIALS, endpoint_url="http://127.0.0.1:2") is not mine
    assert client(**CREDENTIALS, region_name="eu-west-1") is not mine
    assert client(**CREDENTIALS, aws_session_token="T") is not mine


def test_a_client_is_forgotten_with_the_server() -> None:
    before = client(**CREDENTIALS)
    clients.forget()
    assert client(**CREDENTIALS) is not before


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        direct = client(**CREDENTIALS, endpoint_url=f"http://127.0.0.1:{server.server_port}")
        assert "QueueUrls" not in direct.list_queues()
    clients.forget()
