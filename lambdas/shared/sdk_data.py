"""The SDK's service models: from the functions' zip if they are there, else from the SDK."""

import os

from botocore.loaders import Loader

# infra/sdk_models.py writes it.
_MODELS = os.path.join(os.path.dirname(__file__), "..", "..", "sdk_models")  # noqa: PTH118, PTH120


class _BundledFirst(Loader):
    """Loads models from the zip, and data that the zip lacks, such as paginators, from the SDK.

    Before it loads a service's data, botocore lists all services by reading some 400 folders; listing the zip's few is
    faster.
    """

    def __init__(self) -> None:
        super().__init__([_MODELS])

    def list_available_services(self, type_name: str) -> list[str]:
        return os.listdir(_MODELS)  # noqa: PTH208


loader = _BundledFirst() if os.path.isdir(_MODELS) else Loader()  # noqa: PTH112
