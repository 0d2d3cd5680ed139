"""boto3 clients for what runs in this process, all from one session.

A session of its own reads the SDK's descriptions of the services anew, which takes longer than most calls here.
"""

import functools
import threading
from typing import Any

import boto3
from botocore.config import Config

# A client may be used by several threads; a session may not make two at a time.
_making = threading.Lock()


def client(service: str, endpoint_url: str, region_name: str, config: Config | None = None, **credentials: str) -> Any:
    """The client of `service` at `endpoint_url` with these credentials, the arguments of `boto3.client` for them.

    Equal arguments (a `config` is equal to itself only) give the same client.
    """
    with _making:
        return _client(service, endpoint_url, region_name, config, **credentials)


def forget() -> None:
    """Drop all clients: the endpoint is gone, and another may come to its port."""
    with _making:
        _client.cache_clear()


@functools.lru_cache(maxsize=128)
def _client(service: str, endpoint_url: str, region_name: str, config: Config | None, **credentials: str) -> Any:
    return _session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name=region_name,
        config=config,
        **credentials,
    )


@functools.cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()
