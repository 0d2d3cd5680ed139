"""Reads the suppression list, and puts patients on it."""

from collections.abc import Set
from typing import Any

from botocore.exceptions import ClientError

from lambdas.cohorts import suppression_list
from lambdas.shared.errors import InvalidSuppressionList
from lambdas.shared.layout import SUPPRESSION_LIST
from lambdas.shared.uris import uri_of
from lambdas.shared.user_ids import fault
from operations.deployed import Deployed
from operations.errors import OperationError

_MAXIMUM_ATTEMPTS = 10


def list_uri(deployed: Deployed) -> str:
    return uri_of(deployed.audience, SUPPRESSION_LIST)


def suppressed(deployed: Deployed, user_ids: Set[str]) -> frozenset[str]:
    """Those of the canonical user ids that a line of the list names.

    Raises:
        OperationError: a line is ambiguous.
    """
    return frozenset(user_ids & _listed(deployed, _read(deployed)[0]))


def suppress(deployed: Deployed, user_id: str) -> bool:
    """Put the user id on the list, so that no later seed has it; False if it was there, or no line can name it.

    Raises:
        OperationError: a line is ambiguous, or other writers change the list again and again.
    """
    if fault(user_id):
        return False
    for _ in range(_MAXIMUM_ATTEMPTS):
        body, condition = _read(deployed)
        if user_id in _listed(deployed, body):
            return False
        try:
            deployed.client("s3").put_object(
                Bucket=deployed.audience,
                Key=SUPPRESSION_LIST,
                Body=suppression_list.with_user_id(body, user_id),
                ContentType="text/plain",
                **condition,
            )
            return True
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
                raise
    raise OperationError(f"{SUPPRESSION_LIST} was changed {_MAXIMUM_ATTEMPTS} times; forget again later.")


def _read(deployed: Deployed) -> tuple[bytes, dict[str, Any]]:
    """The list, and the condition for replacing it."""
    try:
        answer = deployed.client("s3").get_object(Bucket=deployed.audience, Key=SUPPRESSION_LIST)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return b"", {"IfNoneMatch": "*"}
    return answer["Body"].read(), {"IfMatch": answer["ETag"]}


def _listed(deployed: Deployed, body: bytes) -> set[str]:
    try:
        return set(suppression_list.read_list(body, list_uri(deployed)).values())
    except InvalidSuppressionList as error:
        raise OperationError(f"{error} Then forget again.") from None
