"""Serves the console on a port of the loopback interface, in a thread of this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from local.console.app import application
from local.ports import HOST
from operations.deployed import Deployed


class _Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: request lines hold execution names and any text of a sender."""


@contextmanager
def serving(deployed: Deployed, listener: socket.socket) -> Iterator[str]:
    """Serve the console of `deployed` on `listener` as long as the context lasts. What it gives is the page's URL."""
    server = make_server(HOST, 0, application(deployed), threaded=True, request_handler=_Handler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, name="console", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.port}/"
    finally:
        server.shutdown()
        # It closes the server's socket itself, after `shutdown` returns.
        thread.join()
        listener.close()
