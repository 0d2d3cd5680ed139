"""Each service's answers for throttling, a reached quota, an outage, a denial, and a disabled KMS key.

Codes and statuses: the services' API references and botocore's models; those of S3 from its "Error responses" page;
those of DynamoDB, for a table on demand, from TransactionCanceledException of its API reference and from
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

import json
from typing import Any, Literal

from local.aws.error_answers import ErrorAnswer, error_answer

Refusal = Literal["throttle", "quota", "internal_error", "access_denied", "kms_disabled", "conflict"]

# By service, or by service and operation if operations differ.
_ANSWERS: dict[Refusal, dict[str, tuple[str, int]]] = {
    "throttle": {
        "transcribe": ("LimitExceededException", 400),
        "comprehendmedical": ("TooManyRequestsException", 429),
        "cleanroomsml": ("ThrottlingException", 429),
        "s3": ("SlowDown", 503),
        "sqs": ("RequestThrottled", 403),
        "lambda": ("TooManyRequestsException", 429),
        "dynamodb:BatchGetItem": ("ProvisionedThroughputExceededException", 400),
        "dynamodb:TransactWriteItems": ("TransactionCanceledException", 400),
        "": ("ThrottlingException", 400),
    },
    "quota": {
        "transcribe": ("LimitExceededException", 400),
        "comprehendmedical": ("TooManyRequestsException", 429),
        "cleanroomsml": ("ServiceQuotaExceededException", 402),
        "stepfunctions": ("ExecutionLimitExceeded", 400),
        "dynamodb": ("RequestLimitExceeded", 400),
    },
    "internal_error": {
        "transcribe": ("InternalFailureException", 500),
        "comprehendmedical": ("InternalServerException", 500),
        "cleanroomsml": ("InternalServiceException", 500),
        "s3": ("InternalError", 500),
        "lambda": ("ServiceException", 500),
        "dynamodb": ("InternalServerError", 500),
        "athena": ("InternalServerException", 500),
        "cloudwatch": ("InternalServiceFault", 500),
        "events": ("InternalException", 500),
        "glue": ("InternalServiceException", 500),
        "iam": ("ServiceFailure", 500),
        "kms": ("KMSInternalException", 500),
        "organizations": ("ServiceException", 500),
        "service-quotas": ("ServiceException", 500),
        "sns": ("InternalError", 500),
        "ssm": ("InternalServerError", 500),
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
    "conflict": {
        "dynamodb:DeleteItem": ("TransactionConflictException", 400),
        "dynamodb:PutItem": ("TransactionConflictException", 400),
        "dynamodb:UpdateItem": ("TransactionConflictException", 400),
        "dynamodb:TransactWriteItems": ("TransactionCanceledException", 400),
    },
}
_CANCELLATIONS: dict[Refusal, dict[str, str]] = {
    "throttle": {
        "Code": "ThrottlingError",
        "Message": "Throughput exceeds the current capacity of your table or index.",
    },
    "conflict": {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"},
}


def answers(service: str, operation: str, refusal: Refusal) -> bool:
    """Whether the operation can give this answer."""
    return _found(service, operation, refusal) is not None


def _found(service: str, operation: str, refusal: Refusal) -> tuple[str, int] | None:
    names = (f"{service}:{operation}", service, "")
    return next((_ANSWERS[refusal][name] for name in names if name in _ANSWERS[refusal]), None)


def answer(service: str, operation: str, refusal: Refusal, request: bytes) -> ErrorAnswer:
    """The service's answer to a request with this body."""
    found = _found(service, operation, refusal)
    assert found
    code, status = found
    members: dict[str, Any] = {}
    if code == "TransactionCanceledException":
        # One reason per item of the transaction; the fault is the last item's.
        *others, _ = json.loads(request)["TransactItems"]
        members["CancellationReasons"] = [{"Code": "None"} for _ in others] + [_CANCELLATIONS[refusal]]
    return error_answer(service, code, status, f"Injected by the local AWS: {refusal}", members)


def internal_error(service: str) -> tuple[str, int]:
    """The code and HTTP status of the service's internal error."""
    return _ANSWERS["internal_error"].get(service, _ANSWERS["internal_error"][""])


def processed(keys: list[Any]) -> list[Any]:
    """The keys that a partial batch processes: half of them, at least one."""
    return keys[: max(1, len(keys) // 2)]


def unprocessed(request: bytes, answered: bytes) -> bytes:
    """BatchGetItem's answer for the processed keys, with the other keys of the request as UnprocessedKeys.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    answer = json.loads(answered)
    for table, wanted in json.loads(request)["RequestItems"].items():
        if left := wanted["Keys"][len(processed(wanted["Keys"])) :]:
            answer["UnprocessedKeys"][table] = wanted | {"Keys": left}
    return json.dumps(answer).encode()
