"""The SDK's data about the services: beside this package in the functions' zip, elsewhere the SDK's own."""

import os

from botocore.loaders import Loader

# infra/sdk_models.py writes it.
_MODELS = os.path.join(os.path.dirname(__file__), "..", "..", "sdk_models")  # noqa: PTH118, PTH120


class _BundledFirst(Loader):
    """Takes models from the zip; what isn't there, as paginators and what a later botocore wants, from the SDK.

    Before it loads anything of a service, botocore lists those that there are: it would go through the folders of four
    hundred. Here there are the zip's.
    """

    def __init__(self) -> None:
        super().__init__([_MODELS])

    def list_available_services(self, type_name: str) -> list[str]:
        return os.listdir(_MODELS)  # noqa: PTH208


loader = _BundledFirst() if os.path.isdir(_MODELS) else Loader()  # noqa: PTH112
