"""A point of docs/aws.md, the check of it, and the finding."""

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
    """`NOT_SEEN` if nothing was observed that would confirm or refute the point."""

    HOLDS = "holds"
    REFUTED = "refuted"
    NOT_SEEN = "not seen"


class Seen(NamedTuple):
    """An observation. The evidence is for people: request ids, ARNs, headers, counts; no word of a recording."""

    verdict: Verdict
    evidence: str


class Finding(NamedTuple):
    """A point with its verdict; `remedy` says what to change if it is refuted, and else is None."""

    point: str
    claim: str
    verdict: Verdict
    evidence: str
    remedy: str | None


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """`point` is the name in docs/aws.md, `claim` is the expected behaviour, `remedy` says what to do if it is refuted.

    `run` may raise AWS's errors, which count as not seen; a check that takes an error for a refutation catches it.
    """

    point: str
    claim: str
    remedy: str
    run: Callable[[Subject], Seen]


def holds(evidence: str) -> Seen:
    return Seen(Verdict.HOLDS, evidence)


def refuted(evidence: str) -> Seen:
    return Seen(Verdict.REFUTED, evidence)


def not_seen(reason: str) -> Seen:
    return Seen(Verdict.NOT_SEEN, reason)


def finding(check: Check[Subject], subject: Subject) -> Finding:
    """Run `check`; if AWS refuses a call, or doesn't answer, the verdict is `NOT_SEEN` with the reason."""
    try:
        seen = check.run(subject)
    except (OperationError, *AWS_ERRORS) as error:
        seen = not_seen(sentence(error))
    except Exception as error:
        # For instance an answer of an undocumented shape. The other checks must run, and the patient be forgotten.
        seen = not_seen(f"The check itself failed: {type(error).__name__}: {plain(str(error))}. Send us this report.")
    return _found(check, seen)


def left_out(check: Check[Subject]) -> Finding:
    """The finding of a point that --without names."""
    return _found(check, not_seen("Left out by --without."))


def _found(check: Check[Subject], seen: Seen) -> Finding:
    remedy = check.remedy if seen.verdict is Verdict.REFUTED else None
    return Finding(check.point, check.claim, seen.verdict, seen.evidence, remedy)


def shortened(failure: Failure) -> str:
    """An execution's failure, with its cause cut to a line."""
    return str(failure._replace(cause=failure.cause[:_MOST_OF_A_CAUSE]))


def request_of(answer: Any) -> str:
    """The id by which AWS finds the request."""
    return f"request {answer.get('ResponseMetadata', {}).get('RequestId', 'without an id')}"


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
