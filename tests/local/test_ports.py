import socket

import pytest

from local.ports import listen


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with listen(0, "the console") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"^Port {port} cannot be used for the console \(.+\): free it, or use 0"):
            listen(port, "the console")


def test_it_listens_on_the_loopback_interface_only() -> None:
    with listen(0, "the console") as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.family == socket.AF_INET
