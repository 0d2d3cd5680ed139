"""Quotas of the account beside what the environment is set to use.

Sources: API references of Service Quotas (ListServiceQuotas) and Lambda (GetAccountSettings). Which service codes and
quota names Service Quotas has for the three services is documented nowhere: they are found by the words in them.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from operations.verify.account import Account
from operations.verify.checks import Check, Seen, holds, not_seen, refuted, request_of

# 250 jobs keep some 15 functions busy, and each of ten batches keeps one more (docs/quotas.md).
_JOBS_PER_FUNCTION = 250 / 15
_BATCH_FUNCTIONS = 10


class _Quota(NamedTuple):
    """Which quota is meant: the codes that its service may have, its name as patterns, the best first, the need."""

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
    "Have the quota raised in Service Quotas, or lower {setting} in cdk.json. What is over it waits; nothing is lost."
)
CHECKS: tuple[Check[Account], ...] = (
    Check(
        "quota-transcription",
        "The account may run as many Transcribe Medical jobs at a time as the environment is set to.",
        _RAISE.format(setting="transcription.concurrent_jobs"),
        _quota_of_transcriptions,
    ),
    Check(
        "quota-entity-detection",
        "The account may run Comprehend Medical jobs; each execution has one.",
        "Have the quota raised in Service Quotas; docs/quotas.md says to what.",
        _quota_of_entity_detection,
    ),
    Check(
        "quota-audiences",
        "The account may generate the audiences of all cohorts at a time.",
        "Have the quota raised in Service Quotas; docs/quotas.md says to what. What is over it waits.",
        _quota_of_audiences,
    ),
    Check(
        "lambda-concurrency",
        "Lambda runs as many functions at a time as full batches need.",
        "Ask for 1,000 concurrent executions in Service Quotas; a new account may have 10.",
        _lambda_concurrency,
    ),
)
