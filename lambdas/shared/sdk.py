"""The SDK: clients of AWS's services, all of one session, and the models of the services' requests.

The clients are botocore's, as boto3's are; what boto3 adds, resources and file transfers, isn't used, and importing it
takes a twentieth of a start.
"""

import os
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

# Beside the package in the functions' zip only (infra/sdk_models.py).
_MODELS = os.path.join(os.path.dirname(__file__), "..", "..", "sdk_models")  # noqa: PTH118, PTH120


class _BundledFirst(Loader):
    """Takes a service from the zip; all else, as paginators, retries and what a later botocore wants, from the SDK.

    Before it loads a service, botocore lists those that there are: it goes through the folders of four hundred.
    """

    def __init__(self) -> None:
        super().__init__([_MODELS])

    def list_available_services(self, type_name: str) -> list[str]:
        if type_name in ("service-2", "endpoint-rule-set-1"):
            return os.listdir(_MODELS)  # noqa: PTH208
        return super().list_available_services(type_name)


loader = _BundledFirst() if os.path.isdir(_MODELS) else Loader()  # noqa: PTH112


def client(service: str, config: Config | None = None) -> Any:
    """A client, e.g. of "transcribe"; the Region, credentials and retries are those of the environment."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", loader)
    return session
