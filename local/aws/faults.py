"""Faults on demand: calls that are throttled, refused, broken, slow or cut off, and functions that die in a call.

    fault = aws.faults.inject("transcribe", "StartMedicalTranscriptionJob", "drop_after")
    ...
    assert fault.fired == 1

`local.aws.fault_injection` puts them into moto.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import botocore.session

from local.aws.fault_answers import Refusal, answers

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

    A read has neither an error nor a lost connection after its work: repeating it makes no difference.
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
