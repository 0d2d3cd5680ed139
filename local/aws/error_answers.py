"""An error's answer in the shape of its service's protocol.

https://smithy.io/2.0/aws/protocols/index.html; S3's: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

# They speak botocore's protocol "query", whose errors are XML.
_QUERY_SERVICES = ("cloudformation", "iam", "sns", "sts")


class ErrorAnswer(NamedTuple):
    """A WSGI answer: status line, headers and body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def error_answer(
    service: str, code: str, status: int, message: str, members: Mapping[str, Any] | None = None, query: bool = False
) -> ErrorAnswer:
    """The error `code` of boto3's `service` with this HTTP status.

    `members` are the error's other members, which only JSON has. `query` says that the call came as a form, for
    services that also speak JSON.
    """
    if service == "s3" or service in _QUERY_SERVICES or query:
        kind = "Receiver" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Sender"
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        if service == "s3":
            text = f"<Error>{inner}</Error>"
        else:
            text = f"<ErrorResponse><Error><Type>{kind}</Type>{inner}</Error></ErrorResponse>"
        body, headers = text.encode(), [("Content-Type", "application/xml")]
    else:
        body = json.dumps({"__type": code, "message": message, **(members or {})}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    return ErrorAnswer(f"{status} {HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(body)))], body)
