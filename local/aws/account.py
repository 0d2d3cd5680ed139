"""Facts of the account: quotas, an organization's policy, Lambda's limits, announced ends of services.

    aws.account.quotas[("transcribe", CONCURRENT_TRANSCRIPTIONS)] = 100
    aws.account.effective_policies = None  # the account is in no organization

The services answer from the running local AWS's `Account` (`local.aws.account_apis`, `local.aws.health`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONCURRENT_TRANSCRIPTIONS = "Number of concurrent batch transcription jobs"

DEFAULT_QUOTAS: Mapping[tuple[str, str], float] = {
    ("transcribe", CONCURRENT_TRANSCRIPTIONS): 250,
    ("transcribe", "Transactions per second, StartMedicalTranscriptionJob operation"): 25,
    ("transcribe", "Transactions per second, GetMedicalTranscriptionJob operation"): 30,
    ("transcribe", "Transactions per second, ListMedicalTranscriptionJobs operation"): 5,
    ("transcribe", "Transactions per second, DeleteMedicalTranscriptionJob operation"): 5,
    ("comprehendmedical", "Active batch jobs per operation"): 10,
    ("comprehendmedical", "Transactions per second, StartEntitiesDetectionV2Job operation"): 5,
    ("comprehendmedical", "Transactions per second, DescribeEntitiesDetectionV2Job operation"): 10,
    ("cleanrooms-ml", "Audience generation jobs in progress"): 10,
    ("cleanrooms-ml", "Audience export jobs in progress"): 20,
    ("lambda", "Concurrent executions"): 1000,
}
"""Values by service code and quota name, from the services' quota pages. The names for Transcribe and Lambda are AWS's;
the others are formed alike from the pages' wording. AWS doesn't document the three AI services' codes: these are the
names that sign their API requests, as most codes are."""


@dataclass
class Account:
    """Facts that API calls can read but not change. Tests set them.

    `quotas` are the applied values, as in `DEFAULT_QUOTAS`. `effective_policies` are an organization's policies by
    type, as DescribeEffectivePolicy's content is structured; None if the account is in no organization.
    `service_lifecycles` are items of DescribeServiceLifecycle.
    """

    quotas: dict[tuple[str, str], float] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    effective_policies: dict[str, dict[str, Any]] | None = field(
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_effective.html
        default_factory=lambda: {"AISERVICES_OPT_OUT_POLICY": {"services": {"default": {"opt_out_policy": "optOut"}}}}
    )
    service_lifecycles: list[dict[str, Any]] = field(default_factory=list)


_current = Account()


def set_current(account: Account) -> None:
    """Make the services answer from `account`."""
    global _current
    _current = account


def current() -> Account:
    """The account of the running local AWS."""
    return _current
