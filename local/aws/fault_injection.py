"""Puts the faults of `local.aws.faults` into moto: any call over HTTP may fail.

These are the calls of functions, of the state machine's tasks, and of the three services on a caller's behalf, but not
the calls that moto makes inside its process (S3 to EventBridge to SQS).
"""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, get_args

import flask
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError
from moto.s3.exceptions import S3ClientError

from local.aws import lambda_runtime, signatures
from local.aws.fault_answers import Refusal, answer, processed, unprocessed
from local.aws.faults import Fault, Faults, SeenCall

_FLAG = "local.fault"
_S3_OPERATIONS = {
    "ListBucket": "ListObjectsV2",
    "ListBucketVersions": "ListObjectVersions",
    "GetObjectVersion": "GetObject",
}


class Middleware:
    """WSGI middleware in front of moto's server, which changes answers as the fault demands."""

    def __init__(self, application: Any, faults: Faults) -> None:
        self._application, self._faults = application, faults

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._faults.rules:
            answered: Iterable[bytes] = self._application(environ, start_response)
            return answered
        begun: list[Any] = []
        body = list(self._application(environ, lambda *arguments: begun.extend(arguments)))
        met: tuple[Fault, bytes] | None = environ.get(_FLAG)
        if met is None:
            start_response(*begun)
            return body
        fault, request = met
        if fault.kind == "unprocessed":
            status, headers, *_ = begun
            if status.startswith("200"):
                content = unprocessed(request, b"".join(body))
                headers = [header for header in headers if header[0].lower() not in ("content-length", "x-amz-crc32")]
                headers.append(("Content-Length", str(len(content))))
                body = [content]
            start_response(status, headers)
            return body
        if fault.kind in get_args(Refusal) or fault.kind == "error_after":
            refusal = "internal_error" if fault.kind == "error_after" else fault.kind
            status, headers, content = answer(fault.service, fault.operation, refusal, request)  # type: ignore[arg-type]
            start_response(status, headers)
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]
        if fault.kind == "kill_after":
            lambda_runtime.kill_caller(signatures.access_key_id(environ.get("HTTP_AUTHORIZATION", "")))
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError(f"injected: {fault.kind}")


def install(faults: Faults) -> Callable[[], None]:
    """Match every call with `faults` before its permissions are checked. Returns a function that undoes this."""
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def met(response: Any, iam_request_cls: Any, resource: str = "*") -> None:
        if faults.active:
            _meet(faults, response)
        authorize(response, iam_request_cls, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = met  # type: ignore[method-assign, assignment]

    def undo() -> None:
        ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize  # type: ignore[method-assign]

    return undo


def _meet(faults: Faults, response: Any) -> None:
    authorization = response.headers.get("Authorization", "")
    access_key_id, service = signatures.access_key_id(authorization), signatures.service_of(authorization)
    operation = response._get_action()
    if service == "s3":
        operation = "HeadObject" if response.method == "HEAD" else _S3_OPERATIONS.get(operation, operation)
    from_function = "exec-env/AWS_Lambda" in response.headers.get("User-Agent", "")
    caller = lambda_runtime.caller_of(access_key_id) if from_function else None
    call = SeenCall(service, operation, caller or access_key_id)

    def text() -> str:
        body = response.raw_body
        return f"{response.uri}\n{body.decode('utf-8', 'replace') if isinstance(body, bytes) else body}"

    fault = faults.meet(call, text)
    if fault is None:
        return
    if fault.kind == "delay":
        time.sleep(fault.seconds)
        return
    flask.request.environ[_FLAG] = (fault, response.raw_body)
    if fault.kind == "unprocessed":
        for wanted in response.params["RequestItems"].values():
            wanted["Keys"] = processed(wanted["Keys"])
        return
    if fault.kind == "kill":
        lambda_runtime.kill_caller(access_key_id)
    if not fault.kind.endswith("_after"):
        # This error prevents the work; the middleware replaces the answer.
        raise S3ClientError("InternalError", "") if service == "s3" else JsonRESTError("InternalFailure", "")
