"""Verifies from end to end: checks the account, rehearses in the environment, and forgets the test patient."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambdas.shared.pricing import (
    COMPREHEND_MEDICAL_PER_UNIT,
    TRANSCRIBE_MEDICAL_PER_SECOND,
    entity_detection_units,
)
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.verify import (
    arrivals,
    athena,
    audiences,
    executions,
    ledger,
    notifications,
    outputs,
    preflight,
    storage,
)
from operations.verify.account import Account
from operations.verify.checks import Check, Finding, Seen, Subject, Verdict, finding, holds, left_out, refuted
from operations.verify.observed import Observed
from operations.verify.rehearsal import TEST_PATIENT, Say, forget, nothing_yet, rehearse, usable_seconds

# The sample's transcript has 116 characters; Athena charges for at least 10 MB (Athena pricing page: 5 USD per TB).
_SPOKEN_CHARACTERS = 120
_MOST_NAMED = 3
_ATHENA_USD = 10e6 / 1e12 * 5


class Verification(NamedTuple):
    """One finding for each point, in the order of docs/aws.md."""

    environment: str
    region: str
    began: datetime
    ended: datetime
    findings: list[Finding]

    @property
    def refuted(self) -> list[Finding]:
        return [found for found in self.findings if found.verdict is Verdict.REFUTED]


def _forgotten(observed: Observed) -> Seen:
    if observed.outcome is None:
        return refuted(observed.trouble.get("forget", "The removal was not tried."))
    removed, left = sum(observed.outcome.removed.values()), len(observed.outcome.left)
    evidence = f"{removed} removed, {observed.outcome.looked_at} looked at, {left} left"
    if left:
        return refuted(f"{evidence}: {', '.join(observed.outcome.left[:_MOST_NAMED])}")
    return holds(evidence)


_ENVIRONMENT = (
    *storage.CHECKS,
    *ledger.CHECKS,
    *executions.CHECKS,
    *outputs.CHECKS,
    *arrivals.CHECKS,
    *notifications.CHECKS,
    *athena.CHECKS,
    *audiences.CHECKS,
)
_FORGOTTEN = Check(
    "forgotten",
    "A patient can be forgotten, and the proof finds nothing left.",
    f"Run `python -m operations forget {TEST_PATIENT} --env …`, and send us this report if it fails again.",
    _forgotten,
)
CHECKS: tuple[Check[Any], ...] = (*preflight.CHECKS, *_ENVIRONMENT, _FORGOTTEN)
POINTS = tuple(check.point for check in CHECKS)


def cost_usd() -> float:
    """The most that a verification costs at list prices, in USD: one transcription, its entities, two queries."""
    units = entity_detection_units(_SPOKEN_CHARACTERS)
    return usable_seconds() * TRANSCRIBE_MEDICAL_PER_SECOND + units * COMPREHEND_MEDICAL_PER_UNIT + 2 * _ATHENA_USD


def announcement(prefix: str) -> str:
    """The steps and their costs, for the question whether to go on."""
    return (
        f"In {prefix} this will\n"
        f"- upload two samples of {TEST_PATIENT}, one of which must be rejected, without consent to audiences;\n"
        "- follow their execution; stop and redrive it, unless it has other patients' recordings; start it again;\n"
        "- start an execution that must fail: its input names another bucket;\n"
        "- try writes that must be refused, set one alarm off and back, put a message into the dead-letter queue and\n"
        "  read it, have changed records compacted, and run two queries. The alarms' addresses get a few mails;\n"
        f"- forget {TEST_PATIENT} and prove it, which searches all buckets of the environment.\n"
        "If a cohort has changed enough since its last audience, the execution generates a new one, as any execution.\n"
        f"This takes some 25 minutes and costs at most {cost_usd():.2f} USD at list prices, apart from\n"
        "the search for the proof (0.40 USD after a million recordings)."
    )


def check_points(names: Collection[str]) -> None:
    """Raises OperationError for a name that isn't a point's."""
    if unknown := sorted(set(names) - set(POINTS)):
        raise OperationError(f"There is no point {unknown[0]}; the points are {', '.join(POINTS)}.")


def verify_account(subject: Account, name: str, without: Collection[str]) -> Verification:
    """Check the account only, which changes nothing and costs nothing."""
    began = datetime.now(UTC)
    return _verification(name, subject, began, _findings(preflight.CHECKS, subject, without))


def verify(
    subject: Account, deployed: Deployed, name: str, without: Collection[str], patience_seconds: float, say: Say
) -> Verification:
    """Check the account and the environment; the test patient is forgotten even if a check fails.

    Raises:
        OperationError: the samples can't be uploaded.
        botocore.exceptions.ClientError: the permission to upload or to list executions is missing.
    """
    began = datetime.now(UTC)
    say("Checking the account")
    findings = _findings(preflight.CHECKS, subject, without)
    observed = nothing_yet(deployed, subject.environment)
    try:
        rehearse(observed, patience_seconds, say)
        say("Checking the environment")
        findings += _findings(_ENVIRONMENT, observed, without)
    finally:
        forget(observed, say)
    findings += _findings((_FORGOTTEN,), observed, without)
    return _verification(name, subject, began, findings)


def _findings(checks: Sequence[Check[Subject]], subject: Subject, without: Collection[str]) -> list[Finding]:
    return [left_out(check) if check.point in without else finding(check, subject) for check in checks]


def _verification(name: str, subject: Account, began: datetime, findings: list[Finding]) -> Verification:
    region = subject.connection.session.region_name or "none"
    return Verification(name, region, began, datetime.now(UTC), findings)
