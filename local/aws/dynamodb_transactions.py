"""ClientRequestToken: a transaction that is sent again within ten minutes has no effect; moto would repeat it.

The SDK adds a token to every request without one, so that its own retry is the same request.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException
from moto.dynamodb.responses import DynamoHandler

VALID_SECONDS = 600
"""Real seconds, because the SDK's retries wait in real time."""

_moto_transact_write_items = DynamoHandler.transact_write_items


class IdempotentParameterMismatchException(DynamodbException):
    """The token belongs to an earlier request with other parameters."""

    def __init__(self) -> None:
        super().__init__(
            f"{ERROR_TYPE_PREFIX}IdempotentParameterMismatchException",
            "DynamoDB rejected the request because you retried a request with a different payload but with an "
            "idempotent token that was already used.",
        )


def transact_write_items(self: DynamoHandler) -> ActionResult:
    """DynamoHandler.transact_write_items. Raises IdempotentParameterMismatchException.

    AWS doesn't document whether the token of a cancelled transaction counts: here the transaction is tried again.
    """
    request = dict(self.body)
    token, now = request.pop("ClientRequestToken", None), time.monotonic()
    # Stored on moto's backend, so that a reset deletes them with the tables. The oldest comes first.
    done: dict[str, tuple[float, Any]] = self.dynamodb_backend.__dict__.setdefault("request_tokens", {})
    while done and now - next(iter(done.values()))[0] > VALID_SECONDS:
        del done[next(iter(done))]
    if token in done:
        if done[token][1] != request:
            raise IdempotentParameterMismatchException()
        return ActionResult({})
    answer = _moto_transact_write_items(self)
    if token:
        done[token] = (time.monotonic(), request)
    return answer
