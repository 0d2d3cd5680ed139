"""A moto server with one of our services and with IAM enforced, for the tests of that service."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer

from local.aws import iam
from local.aws.backends import register


@contextlib.contextmanager
def serving(service: str) -> Iterator[str]:
    """The endpoint of the server, which starts empty; at the end moto is reset."""
    BackendDict.reset()
    iam.install()
    register(service, f"local.services.{service}")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        endpoint = f"http://{host}:{port}"
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        yield endpoint
    server.stop()
    iam.stop()
    BackendDict.reset()


def policy(statements: list[dict[str, Any]]) -> str:
    """The text of a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
