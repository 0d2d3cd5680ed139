"""The Lambda Runtime API, in process, for one sandbox.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: the runtime asks for the next invocation, which blocks
until there is one, and posts back its response or its error, or an error of its initialization.
"""

import queue
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal


@dataclass(frozen=True)
class Invocation:
    """An invocation for the runtime. `timeout` is how many seconds the handler then has."""

    request_id: str
    event: bytes
    function_arn: str
    timeout: float


@dataclass(frozen=True)
class Outcome:
    """What the runtime did: took the invocation, posted the handler's response or error, failed to import the handler,
    or ended. The payload, except for "started", is JSON; an error's has errorType and errorMessage."""

    kind: Literal["started", "response", "error", "init_error", "exit"]
    payload: bytes = b""


class RuntimeApi:
    """Serves one runtime process at `address` ("127.0.0.1:port")."""

    def __init__(self) -> None:
        self._invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name=f"runtime-api-{self.address}", daemon=True).start()

    def submit(self, invocation: Invocation) -> None:
        """Hand out `invocation` when the runtime next asks for one."""
        self._invocations.put(invocation)

    def next_invocation(self) -> Invocation | None:
        """Block until there is an invocation; None when the API is closed."""
        return self._invocations.get()

    def close(self) -> None:
        """Stop serving; a runtime still waiting for an invocation loses its connection."""
        self._invocations.put(None)
        # `shutdown` waits for the server's next poll, up to half a second.
        threading.Thread(target=self._shut_down, daemon=True).start()

    def _shut_down(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler_for(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without these two, Nagle's algorithm and delayed acknowledgements cost 40 ms or more per invocation.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            """/2018-06-01/runtime/invocation/next"""
            invocation = api.next_invocation()
            if invocation is None:
                self.close_connection = True
                return
            api.outcomes.put(Outcome("started"))
            self._respond(
                200,
                invocation.event,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(round((time.time() + invocation.timeout) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                },
            )

        def do_POST(self) -> None:
            """/2018-06-01/runtime/init/error, .../invocation/<id>/response, .../invocation/<id>/error"""
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            self._respond(202, b'{"status":"OK"}', {"Content-Type": "application/json"})
            if self.path.endswith("/init/error"):
                api.outcomes.put(Outcome("init_error", payload))
            else:
                api.outcomes.put(Outcome("response" if self.path.endswith("/response") else "error", payload))

        def _respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: http.server would write every request to stderr."""

    return Handler
