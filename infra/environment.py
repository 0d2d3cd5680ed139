"""The settings of one environment: an entry of `environments` in cdk.json as a typed, frozen object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from infra.settings import ConfigurationError, Rule, between, matching, one_of, read_object

# An execution runs for up to 7 days and can be redriven for 14; what it has already paid for must still be there.
# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
Days = Annotated[int, between(22, 36500)]

# The only values that CloudWatch Logs takes.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LogDays = Annotated[
    int,
    one_of(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
]

_CATEGORIES = (
    "ANATOMY",
    "BEHAVIORAL_ENVIRONMENTAL_SOCIAL",
    "MEDICAL_CONDITION",
    "MEDICATION",
    "TEST_TREATMENT_PROCEDURE",
    "TIME_EXPRESSION",
)
_TRAITS = (
    "DIAGNOSIS",
    "FUTURE",
    "HYPOTHETICAL",
    "LOW_CONFIDENCE",
    "NEGATION",
    "PAST_HISTORY",
    "PERTAINS_TO_FAMILY",
    "SIGN",
    "SYMPTOM",
)
_NOT_EMPTY = Rule(lambda items: len(items) > 0, "with at least one item")


@dataclass(frozen=True)
class Transcription:
    """Transcribe Medical job settings; `concurrent_jobs` bounds the jobs of one batch (the account's quota is 250)."""

    type: Annotated[str, one_of("CONVERSATION", "DICTATION")]
    specialty: Annotated[str, one_of("PRIMARYCARE")]
    content_identification_type: Annotated[str, one_of("PHI")] | None
    vocabulary_name: Annotated[str, matching(r"[0-9a-zA-Z._-]{1,200}", "of letters, digits, '.', '_' and '-'")] | None
    concurrent_jobs: Annotated[int, between(1, 10_000)]


@dataclass(frozen=True)
class EntityDetection:
    """Comprehend Medical limits: bytes of one document, and what one batch may cost at list price."""

    maximum_document_bytes: Annotated[int, between(1_000, 40_000)]
    cost_ceiling_usd: Annotated[float, between(0, 1_000_000)]


@dataclass(frozen=True)
class Export:
    """The part of a lookalike audience to export: a percentage, or a number of users."""

    type: Annotated[str, one_of("ABSOLUTE", "PERCENTAGE")]
    value: Annotated[int, between(1, 20_000_000)]


@dataclass(frozen=True)
class Cohort:
    """Which patients belong to a seed: an entity of `category` naming one of `terms`, without an excluded trait."""

    name: Annotated[str, matching(r"[a-z0-9-]{1,20}", "of 1 to 20 lower-case letters, digits and hyphens")]
    category: Annotated[str, one_of(*_CATEGORIES)]
    terms: Annotated[tuple[Annotated[str, matching(r"\S(.*\S)?", "without blanks at either end")], ...], _NOT_EMPTY]
    excluded_traits: tuple[Annotated[str, one_of(*_TRAITS)], ...]
    minimum_score: Annotated[float, between(0, 1)]
    minimum_seed_size: Annotated[int, between(25, 500_000)]
    export: Export | None


@dataclass(frozen=True)
class Audience:
    """Clean Rooms ML settings; without a configured audience model, seeds are counted but no audience is generated."""

    configured_audience_model_arn: (
        Annotated[
            str,
            matching(
                r"arn:aws[-a-z]*:cleanrooms-ml:[-a-z0-9]+:\d{12}:configured-audience-model/[-a-zA-Z0-9_/.]+",
                "like arn:aws:cleanrooms-ml:<region>:<account>:configured-audience-model/<id>",
            ),
        ]
        | None
    )
    collaboration_id: (
        Annotated[str, matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "that is a lower-case UUID")] | None
    )
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True)
class Environment:
    """Everything that differs between deployments.

    Attributes:
        retain_data: whether buckets, keys, queues and logs outlive the stack, which is then protected from deletion.
        log_retention_days: for the logs of functions and executions, and for the buckets' access logs.
        intermediates_expire_after_days: documents and the entity detection's raw output.
        recordings_expire_after_days: None keeps the recordings for ever.
        results_expire_after_days: transcripts, entity records, reports of batches and seeds; None keeps them for ever.
        batch_size: recordings that one batch of events, and so the execution it starts, has at most.
        batch_window_seconds: how long a batch is collected before it starts.
    """

    name: str
    retain_data: bool
    log_retention_days: LogDays
    intermediates_expire_after_days: Days
    recordings_expire_after_days: Days | None
    results_expire_after_days: Days | None
    batch_size: Annotated[int, between(1, 10_000)]
    batch_window_seconds: Annotated[int, between(1, 300)]
    transcription: Transcription
    entity_detection: EntityDetection
    audience: Audience

    @property
    def prefix(self) -> str:
        """The stack's name, and the beginning of every name that this application chooses itself."""
        return f"clinical-media-{self.name}"

    @classmethod
    def from_context(cls, name: object, environments: Mapping[str, object]) -> "Environment":
        """Read the environment called `name` out of cdk.json's `environments`.

        Raises:
            ConfigurationError: no such environment, or something in its entry is missing, unknown or not allowed.
        """
        if not isinstance(name, str) or name not in environments:
            raise ConfigurationError(
                f"env is {name!r}, but must be an environment of cdk.json: {', '.join(environments)}."
            )
        # The longest function name, clinical-media-<env>-start_audience_generation, must not exceed 64 characters.
        if re.fullmatch(r"[a-z][a-z0-9-]{0,19}", name) is None:
            raise ConfigurationError(
                f"environments.{name} is not a valid name; use 1 to 20 lower-case letters, digits and hyphens, "
                "the first a letter."
            )
        environment = read_object(cls, environments[name], f"environments.{name}", name=name)
        environment._check_cohorts()
        return environment

    def _check_cohorts(self) -> None:
        names = set()
        for index, cohort in enumerate(self.audience.cohorts):
            path = f"environments.{self.name}.audience.cohorts[{index}]"
            if cohort.name in names:
                raise ConfigurationError(f"{path}.name is {cohort.name!r}, but an earlier cohort has that name.")
            names.add(cohort.name)
            if cohort.export is not None and cohort.export.type == "PERCENTAGE" and cohort.export.value > 100:
                raise ConfigurationError(
                    f"{path}.export.value is {cohort.export.value}, but must be from 1 to 100 for a PERCENTAGE."
                )
