"""An AWS with a given answer to every request, before anything is sent: refusals, pages, broken connections."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
from moto.core.botocore_stubber import MockRawResponse

Answer = Callable[[AWSPreparedRequest], AWSResponse]

MEDIA, CLINICAL, AUDIENCE = "media-bucket", "clinical-bucket", "audience-bucket"
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:clinical-media-dev"
_OUTPUTS = {
    "MediaBucketName": MEDIA,
    "ClinicalBucketName": CLINICAL,
    "AudienceBucketName": AUDIENCE,
    "OperationsBucketName": "operations-bucket",
    "AccessLogsBucketName": "logs-bucket",
    "LedgerTableName": "ledger-table",
    "MembersTableName": "members-table",
    "StateMachineArn": STATE_MACHINE,
    "BackfillStateMachineArn": f"{STATE_MACHINE}-backfill",
    "SearchStateMachineArn": f"{STATE_MACHINE}-search",
    "AnalysisStateMachineArn": f"{STATE_MACHINE}-analysis",
}
_REQUEST_ID = {"x-amzn-RequestId": "5a8c0f1e-0000-4000-8000-000000000000"}


def install(patch: pytest.MonkeyPatch, answer: Answer) -> None:
    """Every client gets this answer; the SDK retries without waiting."""
    patch.setattr(URLLib3Session, "send", lambda self, request: answer(request))
    patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)


def refusal(code: str, message: str | None, status: int) -> Answer:
    """AWS's refusal, in the service's own protocol."""

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        headers = {"content-type": "application/x-amz-json-1.0", **_REQUEST_ID}
        if b"Version=" in _body(request):
            detail = f"<Message>{escape(message)}</Message>" if message is not None else ""
            text = f"<ErrorResponse><Error><Code>{code}</Code>{detail}</Error></ErrorResponse>"
        elif ".s3." in request.url or "//s3." in request.url:
            detail = f"<Message>{escape(message)}</Message>" if message is not None else ""
            text = "" if request.method == "HEAD" else f"<Error><Code>{code}</Code>{detail}</Error>"
            headers["x-amz-bucket-region"] = "eu-west-1"
        else:
            text = json.dumps({"__type": code, "message": message})
        return response(request, status, text, headers)

    return answer


def page(status: int, text: str = "<!DOCTYPE html><html><body>{Blocked}</body></html>") -> Answer:
    """The page of a proxy instead of AWS's answer."""
    return lambda request: response(request, status, text, {"content-type": "text/html; charset=utf-8"})


def raising(error: Exception) -> Answer:
    def answer(request: AWSPreparedRequest) -> AWSResponse:
        raise error

    return answer


def after_the_stack(answer: Answer) -> Answer:
    """An environment that is found, and whose other requests get this answer."""

    def found(request: AWSPreparedRequest) -> AWSResponse:
        action = parse_qs(_body(request).decode("latin-1")).get("Action", [""])[0]
        if action == "DescribeStacks":
            outputs = "".join(
                f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
                for key, value in _OUTPUTS.items()
            )
            inner = f"<Stacks><member><StackName>clinical-media-dev</StackName><Outputs>{outputs}</Outputs></member>"
            return _query(request, action, inner + "</Stacks>")
        if action == "ListStackResources":
            buckets = "".join(
                f"<member><PhysicalResourceId>{name}</PhysicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType>"
                "</member>"
                for name in (MEDIA, CLINICAL, AUDIENCE)
            )
            return _query(request, action, f"<StackResourceSummaries>{buckets}</StackResourceSummaries>")
        return answer(request)

    return found


def response(request: AWSPreparedRequest, status: int, text: str, headers: dict[str, str]) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), MockRawResponse(text.encode()))


def _query(request: AWSPreparedRequest, action: str, inner: str) -> AWSResponse:
    text = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
    return response(request, 200, text, {"content-type": "text/xml", **_REQUEST_ID})


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b""
