"""Whose credentials a call is made with."""

from typing import Any

import botocore.credentials
import botocore.session
from botocore.config import Config

from local.aws.credentials import operator_credentials
from local.server import REGION

_CONFIG = Config(
    retries={"total_max_attempts": 1}, parameter_validation=False, s3={"addressing_style": "path"}, read_timeout=120
)


class Actor:
    """One set of clients whose calls are signed by whoever it is told to be; clients take longer than their calls."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = botocore.session.Session()
        self._credentials = botocore.credentials.Credentials("", "")
        self._session._credentials = self._credentials  # type: ignore[attr-defined]
        self._clients: dict[str, Any] = {}
        self.become(operator_credentials())

    def become(self, credentials: dict[str, str]) -> None:
        """`credentials` are the credential arguments of `boto3.client`."""
        self._credentials.access_key = credentials["aws_access_key_id"]
        self._credentials.secret_key = credentials["aws_secret_access_key"]
        self._credentials.token = credentials.get("aws_session_token")

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service, region_name=REGION, endpoint_url=self._endpoint, config=_CONFIG
            )
        return self._clients[service]
