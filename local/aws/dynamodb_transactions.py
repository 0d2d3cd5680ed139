"""ClientRequestToken: a transaction that is sent again within ten minutes changes nothing more, where moto repeats it.

The SDK puts a token into every request that has none, so that its own retry of a lost answer is the same request.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException
from moto.dynamodb.responses import DynamoHandler

VALID_SECONDS = 600
"""Of real time, as the waits between the SDK's attempts are."""

_moto_transact_write_items = DynamoHandler.transact_write_items


class IdempotentParameterMismatchException(DynamodbException):
    """The token of an earlier request with something else in this one."""

    def __init__(self) -> None:
        super().__init__(
            f"{ERROR_TYPE_PREFIX}IdempotentParameterMismatchException",
            "DynamoDB rejected the request because you retried a request with a different payload but with an "
            "idempotent token that was already used.",
        )


def transact_write_items(self: DynamoHandler) -> ActionResult:
    """DynamoHandler.transact_write_items. Raises IdempotentParameterMismatchException.

    What the token of a transaction that was cancelled is worth isn't documented: here such a transaction is tried
    again.
    """
    request = dict(self.body)
    token, now = request.pop("ClientRequestToken", None), time.monotonic()
    # Kept by moto's backend, which forgets them with the tables. The oldest is the first.
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
