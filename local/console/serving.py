"""The console on a port of the loopback interface, in a thread of this process."""

import socket
import threading
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from local.console.app import application
from local.ports import HOST
from operations.deployed import Deployed


class _Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: lines of requests have ids of executions, and whatever a stranger asks for."""


class ConsoleServer:
    """A running console of `deployed`; it takes over `listener` and closes it. `url` is its page's."""

    def __init__(self, deployed: Deployed, listener: socket.socket) -> None:
        self.url = f"http://{HOST}:{listener.getsockname()[1]}/"
        self._listener = listener
        self._server = make_server(
            HOST, 0, application(deployed), threaded=True, request_handler=_Handler, fd=listener.fileno()
        )
        self._serving = threading.Thread(target=self._server.serve_forever, name="console", daemon=True)
        self._serving.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._serving.join()
        self._listener.close()
