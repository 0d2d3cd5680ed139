"""Checks a request against botocore's model of the service; boto3 itself checks only types."""

from collections.abc import Mapping
from typing import Any

from local.services.comprehendmedical.errors import InvalidRequestException, ValidationException
from local.services.shapes import request_violations


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raise the operation's documented error with all violations of the model of its input."""
    if found := request_violations("comprehendmedical", operation, request):
        # Only the list operation has ValidationException among its errors.
        error = ValidationException if operation.startswith("List") else InvalidRequestException
        raise error("; ".join(map(str, found)))


def check_locations(request: Mapping[str, Any]) -> None:
    """Raise InvalidRequestException for an input path with an empty part.

    Source: "Batch operations" in the Comprehend Medical developer guide: no consecutive slashes in paths.
    """
    for config in ("InputDataConfig", "OutputDataConfig"):
        if "//" in request[config].get("S3Key", ""):
            raise InvalidRequestException(f"{config}.S3Key has consecutive slashes; leave out the empty part")
