"""Faults on demand: calls that are throttled, refused, broken, slow or cut off, and functions that die in a call.

    fault = aws.faults.inject("transcribe", "StartMedicalTranscriptionJob", "drop_after")
    ...
    assert fault.fired == 1

Every call over HTTP passes here: calls of functions, of the state machine's tasks, and of the three services on a
caller's behalf. Calls that moto makes inside its process (S3 to EventBridge to SQS) don't.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import botocore.session
import flask
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError
from moto.s3.exceptions import S3ClientError

from local.aws import lambda_runtime
from local.aws.fault_answers import Refusal, answer, answers, processed, unprocessed

Kind = Literal[
    "throttle", "quota", "internal_error", "access_denied", "kms_disabled", "conflict",
    "unprocessed", "error_after", "drop", "drop_after", "delay", "kill", "kill_after",
]  # fmt: skip
"""A fault of a call: an error of the service instead of the work (the first six; a conflict is with another transaction
on the item); only half of a batch processed; an internal error, or a lost connection, after the work; a lost connection
before; a slow answer; the death of the calling function's process before the call reaches the service, or after the
work."""

_READS = ("Get", "BatchGet", "Head", "List", "Describe", "Receive")
_KMS_OPERATIONS = {("s3", "GetObject"), ("s3", "PutObject"), ("transcribe", "StartMedicalTranscriptionJob")}
_BATCHES = {("dynamodb", "BatchGetItem")}
_FLAG = "local.fault"


class SeenCall(NamedTuple):
    """`caller` is the function's name, or that of another caller."""

    service: str
    operation: str
    caller: str


@dataclass
class Fault:
    """A rule, and how many calls have matched it (`seen`) and failed by it (`fired`)."""

    service: str
    operation: str
    kind: Kind
    function: str
    contains: str
    after: int
    times: int
    seconds: float
    seen: int = 0
    fired: int = 0


@dataclass
class Faults:
    """The active rules, and, while `recording`, the calls in order."""

    rules: list[Fault] = field(default_factory=list)
    calls: list[SeenCall] = field(default_factory=list)
    recording: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(
        self,
        service: str,
        operation: str,
        kind: Kind,
        *,
        function: str = "",
        contains: str = "",
        after: int = 0,
        times: int = 1,
        seconds: float = 1.0,
    ) -> Fault:
        """Inject a fault into `times` calls of boto3's `operation` of `service`, after the first `after` calls.

        `function` is the end of the calling function's name ("start_transcription"), `contains` a part of the path,
        query or body; both may be empty. `seconds` is how long a delay takes.

        Raises botocore's UnknownServiceError or OperationNotFoundError for names that boto3 doesn't know, ValueError
        for a kind that the call can't meet.
        """
        if kind not in faults_of(service, operation):
            raise ValueError(f"{operation} of {service} can't meet {kind!r}; it can {faults_of(service, operation)}")
        fault = Fault(service, operation, kind, function, contains, after, times, seconds)
        with self._lock:
            self.rules.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.rules.clear()
            self.calls.clear()

    @property
    def active(self) -> bool:
        return bool(self.rules) or self.recording

    def meet(self, call: SeenCall, text: Callable[[], str]) -> Fault | None:
        """Record the call, and return the first rule that matches it and isn't used up; `contains` searches `text`."""
        with self._lock:
            if self.recording:
                self.calls.append(call)
            for fault in self.rules:
                if (fault.service, fault.operation) != (call.service, call.operation) or fault.fired >= fault.times:
                    continue
                if not call.caller.endswith(fault.function) or fault.contains not in text():
                    continue
                fault.seen += 1
                if fault.seen > fault.after:
                    fault.fired += 1
                    return fault
        return None


def faults_of(service: str, operation: str) -> tuple[Kind, ...]:
    """The faults that a call of boto3's `operation` of `service` can have.

    An idempotent call has no faults after the work.
    """
    botocore.session.get_session().get_service_model(service).operation_model(operation)
    kinds: list[Kind] = []
    for kind in get_args(Refusal):
        if kind == "quota" and operation.startswith(_READS):
            continue
        if kind == "kms_disabled" and (service, operation) not in _KMS_OPERATIONS:
            continue
        if answers(service, operation, kind):
            kinds.append(kind)
    if (service, operation) in _BATCHES:
        kinds.append("unprocessed")
    kinds += ["drop", "delay", "kill"]
    if not operation.startswith(_READS):
        kinds += ["error_after", "drop_after"]
    return (*kinds, "kill_after")


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
            lambda_runtime.kill_caller(_access_key_id(environ.get("HTTP_AUTHORIZATION", "")))
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
    access_key_id, signed_service = _access_key_id(authorization), _signed_service(authorization)
    service = _BOTO3_NAMES.get(signed_service, signed_service)
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


# Services whose signing name, or name in moto, isn't boto3's.
_BOTO3_NAMES = {"states": "stepfunctions", "cleanrooms-ml": "cleanroomsml"}
_S3_OPERATIONS = {"ListBucket": "ListObjectsV2"}


def _access_key_id(authorization: str) -> str:
    found = re.search(r"Credential=([^/]+)/", authorization)
    return found[1] if found else ""


def _signed_service(authorization: str) -> str:
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", authorization)
    return found[1] if found else ""
