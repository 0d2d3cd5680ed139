"""The console on its port."""

import socket
import urllib.request

import pytest

from local.console.serving import ConsoleServer
from local.ports import listen
from tests.local.console.conftest import Stage


def test_it_answers_on_the_loopback_interface_until_it_is_stopped(stage: Stage) -> None:
    server = ConsoleServer(stage.deployed, listen(0, "the console"))
    assert server.url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(server.url) as answer:
        assert b"Clinical media" in answer.read()
    server.stop()
    with pytest.raises(OSError):
        urllib.request.urlopen(server.url, timeout=1)


def test_nothing_that_is_asked_for_is_written_to_the_terminal(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    server = ConsoleServer(stage.deployed, listen(0, "the console"))
    host, _, port = server.url.removeprefix("http://").strip("/").partition(":")
    try:
        upload = (
            f"POST /recordings HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\n"
            "X-User-Id: p-secret\r\nX-File-Name: secret.wav\r\nContent-Length: {}\r\n\r\nsound"
        )
        cut_off = upload.format(500)
        for request in (
            upload.format(5),
            cut_off,
            "GET /p-secret HTTP/1.1\r\nHost: x\r\n\r\n",
            "p-secret nonsense\r\n\r\n",
        ):
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(request.encode())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
    finally:
        server.stop()
    assert stage.keys() == ["media/p-secret/secret.wav"], "what was cut off is not there"
    assert stage.deployed.client("s3").get_object(Bucket="media", Key=stage.keys()[0])["Body"].read() == b"sound"
    assert "secret" not in "".join(capfd.readouterr())
