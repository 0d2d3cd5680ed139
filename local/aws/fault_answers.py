"""What each service answers when it throttles, is at a quota, breaks down, refuses, or finds its KMS key disabled.

Codes and statuses: the services' API references and botocore's models; those of S3 from its "Error responses" page.
"""

import json
from http import HTTPStatus
from typing import Literal

Refusal = Literal["throttle", "quota", "internal_error", "access_denied", "kms_disabled"]

_ANSWERS: dict[Refusal, dict[str, tuple[str, int]]] = {
    "throttle": {
        "transcribe": ("LimitExceededException", 400),
        "comprehendmedical": ("TooManyRequestsException", 429),
        "cleanroomsml": ("ThrottlingException", 429),
        "s3": ("SlowDown", 503),
        "sqs": ("RequestThrottled", 403),
        "lambda": ("TooManyRequestsException", 429),
        "": ("ThrottlingException", 400),
    },
    "quota": {
        "transcribe": ("LimitExceededException", 400),
        "comprehendmedical": ("TooManyRequestsException", 429),
        "cleanroomsml": ("ServiceQuotaExceededException", 402),
        "stepfunctions": ("ExecutionLimitExceeded", 400),
    },
    "internal_error": {
        "transcribe": ("InternalFailureException", 500),
        "comprehendmedical": ("InternalServerException", 500),
        "cleanroomsml": ("InternalServiceException", 500),
        "s3": ("InternalError", 500),
        "lambda": ("ServiceException", 500),
        "": ("InternalFailure", 500),
    },
    "access_denied": {
        "cleanroomsml": ("AccessDeniedException", 403),
        "lambda": ("AccessDeniedException", 403),
        "s3": ("AccessDenied", 403),
        "sts": ("AccessDenied", 403),
        "": ("AccessDeniedException", 400),
    },
    "kms_disabled": {
        "s3": ("KMS.DisabledException", 400),
        "transcribe": ("BadRequestException", 400),
        "sqs": ("KMS.DisabledException", 400),
        "lambda": ("KMSDisabledException", 502),
    },
}


# They speak botocore's protocol "query", whose errors are XML.
_QUERY_SERVICES = ("cloudformation", "iam", "sns", "sts")


def answers(service: str, refusal: Refusal) -> bool:
    """Whether the service ever answers so."""
    return service in _ANSWERS[refusal] or "" in _ANSWERS[refusal]


def answer(service: str, refusal: Refusal) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status line, headers and body of the service's answer."""
    code, status = _ANSWERS[refusal].get(service) or _ANSWERS[refusal][""]
    message = f"Injected by the local AWS: {refusal}"
    if service == "s3" or service in _QUERY_SERVICES:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        body = (error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>").encode()
        headers = [("Content-Type", "application/xml")]
    else:
        body = json.dumps({"__type": code, "message": message}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    return f"{status} {HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(body)))], body
