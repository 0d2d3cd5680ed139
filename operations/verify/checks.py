"""One point of docs/aws.md, how it is looked at, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from operations.causes import plain
from operations.errors import OperationError
from operations.executions import Failure
from operations.refusals import AWS_ERRORS, sentence

Subject = TypeVar("Subject")

SEND = "Send us this report: it decides a point that AWS's documents leave open. "
_MOST_OF_A_CAUSE = 300


class Verdict(StrEnum):
    """`REFUTED` is what was seen to be otherwise; what could not be seen is neither."""

    HOLDS = "holds"
    REFUTED = "refuted"
    NOT_SEEN = "not seen"


class Seen(NamedTuple):
    """What a look has shown. The evidence is for people: request ids, ARNs, headers, counts; no word of a recording."""

    verdict: Verdict
    evidence: str


class Finding(NamedTuple):
    """A point with its verdict; `remedy` says what to change where it is refuted, and is None elsewhere."""

    point: str
    claim: str
    verdict: Verdict
    evidence: str
    remedy: str | None


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """`point` is the name in docs/aws.md, `claim` what has to be so, `remedy` what to do where it isn't.

    `look` raises what AWS raises: a call that fails shows nothing, unless the look itself makes it a refutation.
    """

    point: str
    claim: str
    remedy: str
    look: Callable[[Subject], Seen]


def holds(evidence: str) -> Seen:
    return Seen(Verdict.HOLDS, evidence)


def refuted(evidence: str) -> Seen:
    return Seen(Verdict.REFUTED, evidence)


def not_seen(reason: str) -> Seen:
    return Seen(Verdict.NOT_SEEN, reason)


def finding(check: Check[Subject], subject: Subject) -> Finding:
    """What `check` finds; a call that AWS refuses, or doesn't answer, makes it `NOT_SEEN` with the reason."""
    try:
        seen = check.look(subject)
    except (OperationError, *AWS_ERRORS) as error:
        seen = not_seen(sentence(error))
    except Exception as error:
        # An answer of another shape than documented; one point's fault stays its own, and the patient is forgotten.
        seen = not_seen(f"The check itself failed: {type(error).__name__}: {plain(str(error))}. Send us this report.")
    return _found(check, seen)


def left_out(check: Check[Subject]) -> Finding:
    """The finding of a point that nobody wants looked at."""
    return _found(check, not_seen("Left out, as --without says."))


def _found(check: Check[Subject], seen: Seen) -> Finding:
    remedy = check.remedy if seen.verdict is Verdict.REFUTED else None
    return Finding(check.point, check.claim, seen.verdict, seen.evidence, remedy)


def said(failure: Failure) -> str:
    """An execution's failure, with as much of its cause as fits into a line."""
    return str(failure._replace(cause=failure.cause[:_MOST_OF_A_CAUSE]))


def request_of(answer: Any) -> str:
    """The request's id, by which AWS finds it."""
    return f"request {answer.get('ResponseMetadata', {}).get('RequestId', 'without an id')}"


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
