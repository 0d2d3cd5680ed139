"""Clients of AWS's services, from one session.

The clients are botocore's, which boto3 uses, too. We don't need boto3's resources and file transfers, and importing
boto3 takes 5 % of a cold start.
"""

from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.utils import parse_timestamp

from lambdas.shared.sdk_data import loader


def client(service: str, config: Config | None = None) -> Any:
    """A client, e.g. of "transcribe"; Region, credentials and retries come from the environment."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", loader)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return session


def _time(value: Any) -> datetime:
    """A timestamp of an answer. botocore's own parser takes most of the time that listing objects takes."""
    if isinstance(value, str) and value[4:5] == "-" and value.endswith("Z"):
        return datetime.fromisoformat(value)
    parsed: datetime = parse_timestamp(value)
    return parsed
