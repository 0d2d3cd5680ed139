"""Refusals of calls that the caller may not make, each in the words that the service's clients can read."""

import json
from typing import NoReturn

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.s3.exceptions import S3ClientError

from local.aws.calls import Permission

_XML_SERVICES = ("iam", "sts", "sns", "cloudformation")
"""Services whose errors are XML: they keep moto's own exception, the others get one that their clients can read."""


class AccessDeniedException(JsonRESTError):
    """The refusal of services that answer with JSON."""

    code = 403

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)
        # moto sends no header with the error's name for a refused call; clients then read "code".
        self.description = json.dumps({"__type": self.error_type, "code": self.error_type, "message": message})


class S3AccessDenied(S3ClientError):
    """S3's refusal of a call."""

    code = "AccessDenied"


def refuse(service: str, caller: str, permission: Permission) -> NoReturn:
    """Refuse a call of `service`, moto's name of it, for want of a permission of `caller`, an ARN."""
    # The wording of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    message = (
        f"User: {caller} is not authorized to perform: {permission.action} on resource: {permission.resource} "
        f"because no policy allows the {permission.action} action or a policy denies it"
    )
    if service == "s3":
        raise S3AccessDenied(message)
    if service in _XML_SERVICES:
        raise AccessDeniedError(caller, f"{permission.action} on resource: {permission.resource}")
    raise AccessDeniedException(message)


def refuse_unsigned(service: str, operation: str) -> NoReturn:
    """Refuse a call without a signature."""
    message = "Anonymous requests are refused by the local AWS"
    if service in _XML_SERVICES:
        raise AccessDeniedError("anonymous", operation)
    raise S3AccessDenied(message) if service == "s3" else AccessDeniedException(message)
