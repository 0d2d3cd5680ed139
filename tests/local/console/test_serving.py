"""The console on its port."""

import socket
import urllib.request

import pytest

from local.console.serving import serving
from local.ports import listen
from tests.local.console.conftest import Stage


def test_it_answers_on_the_loopback_interface_until_it_is_stopped(stage: Stage) -> None:
    with serving(stage.deployed, listen(0, "the console")) as url:
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url) as answer:
            assert b"Clinical media" in answer.read()
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=1)


def test_nothing_that_is_asked_for_is_written_to_the_terminal(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(stage.deployed, listen(0, "the console")) as url:
        address = url.removeprefix("http://").strip("/")
        host, _, port = address.partition(":")
        upload = (
            f"POST /recordings HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nX-User-Id: p-secret\r\n"
            "X-File-Name: secret-{0}.wav\r\nContent-Length: {0}\r\n\r\nsound"
        )
        stranger = "GET /p-secret HTTP/1.1\r\nHost: x\r\n\r\n"
        for request in (upload.format(5), upload.format(500), stranger, "p-secret nonsense\r\n\r\n"):
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(request.encode())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
    assert stage.keys() == ["media/p-secret/secret-5.wav"], "what was cut off is not there"
    assert stage.deployed.client("s3").get_object(Bucket="media", Key=stage.keys()[0])["Body"].read() == b"sound"
    assert "secret" not in "".join(capfd.readouterr())
