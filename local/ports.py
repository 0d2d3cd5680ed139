"""Ports of the loopback interface, which all servers here use."""

import socket

HOST = "127.0.0.1"


def listen(port: int, purpose: str) -> socket.socket:
    """A socket that listens on `port` (0: a free one).

    Raises:
        OSError: the port can't be used; the text names the port, the `purpose` and what to do.
    """
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "ports are 0 to 65535"
        message = f"Port {port} cannot be used for {purpose} ({reason}): free it, or use 0 for any port"
        raise OSError(message) from None
