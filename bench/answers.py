"""Answers of AWS made in the process: the functions run with their own clients, and without a network."""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

Answer = Callable[..., AWSResponse]


class Body(BytesIO):
    """A response's body as urllib3 gives it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def respond(request: Any, status: int, body: bytes, more: Mapping[str, str] | None = None) -> AWSResponse:
    """A response with these headers besides its length."""
    headers = HTTPHeaders()
    for name, value in {"content-length": str(len(body)), **(more or {})}.items():
        headers[name] = value
    return AWSResponse(request.url, status, headers, Body(b"" if request.method == "HEAD" else body))


def answering(answer: Answer, *clients: Any) -> Callable[[], None]:
    """Let `answer` answer the clients' requests, until the returned function is called."""
    for client in clients:
        client.meta.events.register("before-send", answer)

    def stop() -> None:
        for client in clients:
            client.meta.events.unregister("before-send", answer)

    return stop
