"""boto3 clients for the code of this process, all from one session.

Each new session reads the SDK's service models again, which takes longer than most calls here.
"""

import functools
import threading
from typing import Any

import boto3
from botocore.config import Config

from operations.clients import direct

# Clients are thread-safe, but a session may not create two at a time.
_making = threading.Lock()


def client(service: str, endpoint_url: str, region_name: str, **options: Any) -> Any:
    """The client of `service` at `endpoint_url`; `options` are those of `boto3.client`, such as credentials.

    Equal arguments (a `config` is equal to itself only) give the same client.
    """
    with _making:
        return _client(service, endpoint_url, region_name, **options)


def forget() -> None:
    """Drop all clients: the endpoint has stopped, and another may get its port."""
    with _making:
        _client.cache_clear()


@functools.lru_cache(maxsize=128)
def _client(service: str, endpoint_url: str, region_name: str, **options: Any) -> Any:
    options["config"] = options.get("config", Config()).merge(direct())
    return _session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name=region_name,
        **options,
    )


@functools.cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()
