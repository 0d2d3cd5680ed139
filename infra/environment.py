"""The settings of one environment as typed, frozen objects: its entry in cdk.json, merged with the `defaults`."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from infra.layers import Layers
from infra.settings import ConfigurationError, Rule, between, matching, one_of, read_object
from lambdas.rules import batches, clean_rooms_ml, parameters, sdk_model

# The timeout of statemachine/pipeline.asl.yaml, which includes the wait for a turn to transcribe, and the days for a
# redrive after it. Until then an execution's plan and transcripts must not expire.
# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
LONGEST_EXECUTION_DAYS, REDRIVABLE_DAYS = 90, 14
ResultDays = Annotated[int, between(LONGEST_EXECUTION_DAYS + REDRIVABLE_DAYS + 1, 36500)]
# Documents and their entities are made after that wait; the steps from there on take a week at most.
Days = Annotated[int, between(7 + REDRIVABLE_DAYS + 1, 36500)]

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
_COHORT_NAME = matching(r"[a-z0-9-]{1,20}", "of 1 to 20 lower-case letters, digits and hyphens")
_EMAIL = matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "of the form name@example.org")
_URL = matching(r"https://[^\s#]{1,300}", "that begins with https:// and has no blank and no #")
_SCHEDULE = matching(
    r"rate\((1 (hour|day)|([2-9]|[1-9]\d+) (hours|days))\)|cron\([1-5]?\d (1?\d|2[0-3]) \* \* \? \*\)",
    "of the form rate(6 hours) or cron(MINUTE HOUR * * ? *)",
)
_NOT_EMPTY = Rule(lambda items: len(items) > 0, "with at least one item")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the services' API calls, by the API's names (docs/api.md); null counts as absent."""

    StartMedicalTranscriptionJob: dict[str, Any]
    StartEntitiesDetectionV2Job: dict[str, Any]
    StartAudienceGenerationJob: dict[str, Any]


@dataclass(frozen=True)
class Transcription:
    """`concurrent_jobs` is how many Transcribe Medical jobs all batches share (the default quota is 250)."""

    concurrent_jobs: Annotated[int, between(1, 10_000)]


@dataclass(frozen=True)
class EntityDetection:
    """The maximum size of a document.

    Smaller documents would be more than PrepareDocuments can write in five minutes for a full batch of long recordings.
    """

    maximum_document_bytes: Annotated[int, between(25_000, 40_000)]


@dataclass(frozen=True)
class Costs:
    """The most that transcription and entity detection may cost, at list prices (docs/quotas.md).

    Attributes:
        batch_ceiling_usd: of one execution.
        day_ceiling_usd: of all executions that are planned on one day (UTC); None means no limit.
        above_batch_ceiling: whether a batch above its ceiling is stopped before its first job, or cut to what fits.
    """

    batch_ceiling_usd: Annotated[float, between(0, 1_000_000)]
    day_ceiling_usd: Annotated[float, between(0, 10_000_000)] | None
    above_batch_ceiling: Annotated[str, one_of("stop", "cut")]


@dataclass(frozen=True)
class Export:
    """The part of a lookalike audience to export: a percentage, or a number of users."""

    type: Annotated[str, one_of("ABSOLUTE", "PERCENTAGE")]
    value: Annotated[int, between(1, 20_000_000)]


@dataclass(frozen=True)
class Cohort:
    """Patients with an entity of `category` that names one of `terms` and has no excluded trait."""

    name: Annotated[str, _COHORT_NAME]
    category: Annotated[str, one_of(*_CATEGORIES)]
    terms: Annotated[tuple[Annotated[str, matching(r"\S(.*\S)?", "without blanks at either end")], ...], _NOT_EMPTY]
    excluded_traits: tuple[Annotated[str, one_of(*_TRAITS)], ...]
    minimum_score: Annotated[float, between(0, 1)]
    minimum_seed_size: Annotated[int, between(25, 500_000)]
    export: Export | None


@dataclass(frozen=True)
class SqlCohort:
    """A seed that a query in the collaboration selects; the query must check the patients' consent itself.

    `seedAudience` is the parameter of StartAudienceGenerationJob, with `sqlParameters` and `sqlComputeConfiguration`.
    """

    name: Annotated[str, _COHORT_NAME]
    seedAudience: dict[str, Any]
    export: Export | None


@dataclass(frozen=True)
class Audience:
    """The cohorts; without a configured audience model, seeds are counted but no audience is generated."""

    cohorts: tuple[Cohort, ...]
    sql_cohorts: tuple[SqlCohort, ...]


@dataclass(frozen=True)
class Monitoring:
    """The receivers of alarms, and the alarms' thresholds (docs/runbook.md).

    Attributes:
        alarm_emails: addresses that get alarms, after each has confirmed SNS's mail.
        runbook_url: where the receivers can read docs/runbook.md; with null, alarms name its path in this repository.
        oldest_event_minutes: how long an uploaded recording may wait for its execution; a batch is collected for up to
            five minutes.
        stuck_after_hours: how long a job may run; a transcription's deadline is 8 hours, an audience's 24.
        nothing_finished_hours: how long the pipeline may work without finishing a batch; CloudWatch evaluates at most
            a week (API reference, PutMetricAlarm, EvaluationPeriods).
    """

    alarm_emails: tuple[Annotated[str, _EMAIL], ...]
    runbook_url: Annotated[str, _URL] | None
    oldest_event_minutes: Annotated[int, between(10, 1440)]
    stuck_after_hours: Annotated[int, between(1, 24)]
    nothing_finished_hours: Annotated[int, between(1, 168)]


@dataclass(frozen=True)
class Analysis:
    """The tables for SQL (docs/analysis.md).

    Attributes:
        query_limit_gib: Athena, which charges by data read, cancels a query that would read more.
        compaction_schedule: when new records go into the tables by month, in UTC; None means never.
    """

    query_limit_gib: Annotated[int, between(1, 10_000)]
    compaction_schedule: Annotated[str, _SCHEDULE] | None


@dataclass(frozen=True)
class Environment:
    """Everything that differs between deployments.

    Attributes:
        retain_data: whether buckets, keys, queues and logs outlive the stack, which is then protected from deletion.
        log_retention_days: for the logs of functions and executions, and for the buckets' access logs.
        intermediates_expire_after_days: for documents and their lists, entity detection output and query results.
        recordings_expire_after_days: None means never.
        results_expire_after_days: for transcripts, records, pages, batches and seeds; None means never.
        batch_size: the most recordings in one batch of events, and so in the execution that it starts.
        batch_window_seconds: how long events are collected for a batch.
    """

    name: str
    retain_data: bool
    log_retention_days: LogDays
    intermediates_expire_after_days: Days
    recordings_expire_after_days: Days | None
    results_expire_after_days: ResultDays | None
    batch_size: Annotated[int, between(1, batches.MAXIMUM_RECORDINGS)]
    batch_window_seconds: Annotated[int, between(1, 300)]
    parameters: Parameters
    transcription: Transcription
    entity_detection: EntityDetection
    costs: Costs
    audience: Audience
    monitoring: Monitoring
    analysis: Analysis

    @property
    def configured_audience_model_arn(self) -> str | None:
        return self.parameters.StartAudienceGenerationJob.get("configuredAudienceModelArn")

    @property
    def prefix(self) -> str:
        """The stack's name, which begins every name that this application chooses."""
        return f"clinical-media-{self.name}"

    @classmethod
    def from_context(cls, name: object, context: Mapping[str, Any]) -> "Environment":
        """Read the environment called `name` out of cdk.json's context.

        Raises:
            ConfigurationError: there is no such environment, or a key in it is missing, unknown or has a wrong value.
        """
        environments = context["environments"]
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
        layers = settings_of(name, context)
        environment = read_object(cls, layers, name=name)
        _check_parameters(environment, layers["parameters"])
        _check_cohorts(environment, layers["audience"])
        return environment


def settings_of(name: str, context: Mapping[str, Any]) -> Layers:
    """The entry of the environment `name` in cdk.json, above the `defaults` of all environments."""
    own = f"environments.{name}"
    return Layers(own, ((own, context["environments"][name]), ("defaults", context.get("defaults", {}))))


def _check_parameters(environment: Environment, layers: Layers) -> None:
    problems = []
    for sentence in parameters.problems(asdict(environment.parameters)):
        operation, problem = sentence.split(": ", 1)
        problems.append(_sentence(layers[operation], problem))
    if problems:
        raise ConfigurationError("\n".join(problems))


def _check_cohorts(environment: Environment, layers: Layers) -> None:
    names = set()
    cohorts: list[tuple[str, Cohort | SqlCohort]] = [
        *(("cohorts", cohort) for cohort in environment.audience.cohorts),
        *(("sql_cohorts", cohort) for cohort in environment.audience.sql_cohorts),
    ]
    for kind, cohort in cohorts:
        written = layers[kind].named()[cohort.name]
        if isinstance(cohort, SqlCohort):
            _check_seed(environment, cohort.seedAudience, written["seedAudience"])
        if cohort.name in names:
            raise ConfigurationError(f"{layers[kind][cohort.name]} has the name of an earlier cohort.")
        names.add(cohort.name)
        if cohort.export is not None and cohort.export.type == "PERCENTAGE" and cohort.export.value > 100:
            value = written["export"]["value"]
            raise ConfigurationError(f"{value} is {value.value}, but must be from 1 to 100 for a PERCENTAGE.")


def _check_seed(environment: Environment, seed_audience: dict[str, Any], layers: Layers) -> None:
    shape = sdk_model.input_shape(clean_rooms_ml.SERVICE, clean_rooms_ml.OPERATION)
    if problems := clean_rooms_ml.seed_audience_problems(seed_audience, shape):
        raise ConfigurationError("\n".join(_sentence(layers, problem) for problem in problems))
    asked = environment.parameters.StartAudienceGenerationJob
    for needed in ("configuredAudienceModelArn", "collaborationId"):
        if not asked.get(needed):
            raise ConfigurationError(
                f"{layers} needs environments.{environment.name}.parameters.StartAudienceGenerationJob.{needed}, "
                "which is not set: a query runs in a collaboration."
            )


def _sentence(layers: Layers, problem: str) -> str:
    """The problem, which begins with a path below `layers`, with the source of that value if it is a default."""
    source = layers.at(problem).source
    return f"{layers.path} ({source}): {problem}" if source else f"{layers.path}: {problem}"
