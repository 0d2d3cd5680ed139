"""`summary.json`, the results of a batch. docs/schemas/summary.schema.json describes it for programs."""

from typing import Any, Literal, TypedDict

from lambdas.shared.state import (
    AllParameters,
    CohortWithoutAudience,
    EntityCounts,
    EntityOutput,
    LeftRecording,
    NotVisible,
    Rejection,
    ServiceCosts,
    Suppression,
    UnreadableRecords,
)

Outcome = Literal["received", "transcribed", "reused", "elsewhere", "rejected"]


class Counts(TypedDict):
    """The number of recordings with each outcome."""

    received: int
    transcribed: int
    reused: int
    elsewhere: int
    rejected: int


class Stage(TypedDict):
    """The times of a stage (ISO 8601, UTC). A stage without a service's jobs has only an end."""

    stage: str
    jobs: int | None
    began_at: str | None
    ended_at: str


class DocumentCounts(TypedDict):
    """`uri` is the index of the documents, JSON Lines; `new` counts the documents of the batch's new job."""

    count: int
    characters: int
    new: int
    uri: str


class EntityDetection(EntityOutput):
    """The batch's new entity detection job or, without one, an earlier job that it uses; `jobs` counts all its jobs."""

    jobs: int


class SummarizedAudience(TypedDict):
    """If `metrics` or `export_uri` is null, `not_visible` explains it, unless no export was requested."""

    cohort: str
    eligible: int | None
    seed_size: int | None
    seed_uri: str | None
    audience_generation_job_arn: str
    metrics: dict[str, Any] | None
    export_uri: str | None
    export_refused: str | None
    not_visible: NotVisible


class Cost(ServiceCosts):
    """The real cost at list prices, and what the plan expected: an estimate, and the most that it could be.

    Both are None if an earlier version of this application planned the batch.
    """

    estimate: ServiceCosts | None
    bound: ServiceCosts | None
    not_included: str


class Summary(TypedDict):
    batch_id: str
    finished_at: str
    reprocess: bool
    parameters: AllParameters
    recordings: Counts
    rejected: list[Rejection]
    stages: list[Stage]
    elsewhere: list[LeftRecording]
    jobs_uri: str
    documents: DocumentCounts
    entities: EntityCounts
    entity_detection: EntityDetection | None
    audiences: list[SummarizedAudience]
    cohorts_without_audience: list[CohortWithoutAudience]
    unreadable_records: UnreadableRecords
    suppression: Suppression | None
    cost_usd: Cost
