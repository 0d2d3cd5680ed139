"""Check a request against botocore's model of the service: what boto3 leaves to the service, which is all but types."""

from collections.abc import Mapping
from typing import Any

from local.services.comprehendmedical.errors import InvalidRequestException, ValidationException
from local.services.shapes import request_violations


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise the operation's documented error with everything in which `request` departs from the model of its input."""
    if found := request_violations("comprehendmedical", operation, request):
        # Of these operations only the list has ValidationException among its errors.
        error = ValidationException if operation.startswith("List") else InvalidRequestException
        raise error("; ".join(map(str, found)))
