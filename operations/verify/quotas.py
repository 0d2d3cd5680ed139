"""Compares the account's quotas with the environment's settings.

Sources: API references of Service Quotas (ListServiceQuotas) and Lambda (GetAccountSettings). AWS doesn't document the
three services' codes and quota names in Service Quotas, so the quotas are found by words in their names.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from operations.verify.account import Account
from operations.verify.checks import Check, Seen, holds, not_seen, refuted, request_of

# 250 jobs need some 15 functions at a time, and each of ten batches needs one more (docs/quotas.md).
_JOBS_PER_FUNCTION = 250 / 15
_BATCH_FUNCTIONS = 10


class _Quota(NamedTuple):
    """The service codes to try, patterns for the quota's name (the best first), and the value that is needed."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    needed: int


def _quota(account: Account, quota: _Quota) -> Seen:
    listed = list(_quotas_of(account, quota.codes))
    for name in quota.names:
        for found in listed:
            if re.search(name, found["QuotaName"], re.IGNORECASE):
                evidence = f"{found['QuotaName']}: {found['Value']:g}; the environment uses up to {quota.needed}"
                return holds(evidence) if found["Value"] >= quota.needed else refuted(evidence)
    return not_seen(
        f"None of {len(listed)} quotas under {' or '.join(quota.codes)} has the expected name; look at the service's "
        "page in the Service Quotas console."
    )


def _quotas_of(account: Account, codes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    client = account.client("service-quotas")
    for code in codes:
        for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
            try:
                for page in client.get_paginator(operation).paginate(ServiceCode=code):
                    yield from page["Quotas"]
            except client.exceptions.NoSuchResourceException:
                break  # the service has another code


def _quota_of_transcriptions(account: Account) -> Seen:
    jobs = account.environment.transcription.concurrent_jobs
    return _quota(account, _Quota(("transcribe",), ("concurrent.*medical.*job", "concurrent.*batch.*job"), jobs))


def _quota_of_entity_detection(account: Account) -> Seen:
    return _quota(account, _Quota(("comprehendmedical",), ("(active|concurrent).*job",), 1))


def _quota_of_audiences(account: Account) -> Seen:
    if not account.has_audiences:
        return not_seen("The environment has no configured audience model.")
    cohorts = len(account.environment.audience.cohorts) + len(account.environment.audience.sql_cohorts)
    return _quota(account, _Quota(("cleanrooms-ml", "cleanrooms"), ("audience generation job",), cohorts))


def _lambda_concurrency(account: Account) -> Seen:
    answer = account.client("lambda").get_account_settings()
    available = answer["AccountLimit"]["UnreservedConcurrentExecutions"]
    jobs = account.environment.transcription.concurrent_jobs
    needed = _BATCH_FUNCTIONS + math.ceil(jobs / _JOBS_PER_FUNCTION)
    evidence = f"{available} unreserved; the environment uses up to {needed}, {request_of(answer)}"
    return holds(evidence) if available >= needed else refuted(evidence)


_RAISE = (
    "Have the quota raised in Service Quotas, or lower {setting} in cdk.json. Jobs over the quota wait; none is lost."
)
CHECKS: tuple[Check[Account], ...] = (
    Check(
        "quota-transcription",
        "The account may run as many Transcribe Medical jobs at a time as transcription.concurrent_jobs.",
        _RAISE.format(setting="transcription.concurrent_jobs"),
        _quota_of_transcriptions,
    ),
    Check(
        "quota-entity-detection",
        "The account may run Comprehend Medical jobs; each execution has one.",
        "Have the quota raised in Service Quotas; docs/quotas.md names the value.",
        _quota_of_entity_detection,
    ),
    Check(
        "quota-audiences",
        "The account may generate the audiences of all cohorts at a time.",
        "Have the quota raised in Service Quotas; docs/quotas.md names the value. Jobs over the quota wait.",
        _quota_of_audiences,
    ),
    Check(
        "lambda-concurrency",
        "Lambda runs as many functions at a time as full batches need.",
        "Ask for 1,000 concurrent executions in Service Quotas; a new account may have 10.",
        _lambda_concurrency,
    ),
)
