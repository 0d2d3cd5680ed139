"""Clients of AWS's services, all of one session.

They are botocore's, as boto3's are; what boto3 adds, resources and file transfers, isn't used, and importing it takes a
twentieth of a start.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from lambdas.shared.sdk_data import loader


def client(service: str, config: Config | None = None) -> Any:
    """A client, e.g. of "transcribe"; Region, credentials and retries are those of the environment."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", loader)
    return session
