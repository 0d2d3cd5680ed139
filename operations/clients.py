"""boto3 clients for a user's machine, where a proxy may be needed to reach AWS, or may answer in its place.

Sources: Lambda, S3 and Step Functions API references, "Common response headers" (every answer of AWS has a request id
in a header that begins with x-amz); Python's urllib.request, "getproxies", which botocore follows.
"""

import ipaddress
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from operations.causes import plain
from operations.errors import OperationError

_FOR_PEOPLE = ("text/html", "text/plain")
_PROXY_WANTS_LOGIN = 407


class NotAws(BotoCoreError):
    """A proxy or a login page has answered instead of AWS."""

    fmt = "A proxy or a login page answered for {endpoint_url} instead of AWS (HTTP {status}, {content_type})"


def make(session: Any, service: str, endpoint_url: str | None, region: str | None, config: Config) -> Any:
    """A client of `service` that uses no proxy for an endpoint on this machine.

    Its calls raise `NotAws` for an answer that isn't AWS's.

    Raises:
        OperationError: the endpoint is no URL, or the credentials can't be read.
    """
    if endpoint_url and is_loopback(endpoint_url):
        config = config.merge(direct())
    try:
        client = session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    except BotoCoreError:
        raise
    except (OSError, ValueError) as error:
        # A profile's credential_process that is missing or prints no JSON raises these.
        what = "--endpoint-url or AWS_ENDPOINT_URL" if "endpoint" in str(error) else "it (aws configure list)"
        raise OperationError(f"The AWS configuration can't be used ({plain(str(error))}); correct {what}.") from None
    url = client.meta.endpoint_url
    if not endpoint_url and is_loopback(url):
        # An environment variable or the profile names the endpoint, which only the client reads.
        client = session.client(service, region_name=region, config=config.merge(direct()))
    client.meta.events.register("before-parse", partial(_check_answer, url))
    return client


def direct() -> Config:
    """For an endpoint on the loopback interface: no proxy, even if the environment names one."""
    return Config(proxies={})


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_answer(endpoint_url: str, response_dict: dict[str, Any], **_: Any) -> None:
    headers: Mapping[str, str] = response_dict["headers"]
    status: int = response_dict["status_code"]
    content_type = headers.get("content-type", "no content type").partition(";")[0]
    if any(name.lower().startswith("x-amz") for name in headers):
        return
    if status == _PROXY_WANTS_LOGIN or (status < 500 and content_type in _FOR_PEOPLE):
        raise NotAws(endpoint_url=endpoint_url, status=status, content_type=content_type)
    if status >= 500 and content_type in _FOR_PEOPLE:
        # botocore takes an answer without a body for a gateway's, and retries.
        response_dict["body"] = b""
