"""`summary.json`: what came of a batch. docs/schemas/summary.schema.json describes it for programs."""

from typing import Any, Literal, TypedDict

from lambdas.shared.state import (
    AllParameters,
    CohortWithoutAudience,
    EntityCounts,
    EntityOutput,
    LeftRecording,
    NotVisible,
    Rejection,
    Suppression,
    UnreadableRecords,
)

Outcome = Literal["received", "transcribed", "reused", "elsewhere", "rejected"]


class Counts(TypedDict):
    """How many recordings have which outcome."""

    received: int
    transcribed: int
    reused: int
    elsewhere: int
    rejected: int


class Stage(TypedDict):
    """When a stage was at work (ISO 8601, UTC). A step of ours has no jobs, and only its end is known."""

    stage: str
    jobs: int | None
    began_at: str | None
    ended_at: str


class DocumentCounts(TypedDict):
    """`uri` is the index of the documents, JSON Lines; `new` counts those that this batch added a job for."""

    count: int
    characters: int
    new: int
    uri: str


class EntityDetection(EntityOutput):
    """The entity detection job that the batch added, or one that it uses; `jobs` counts all."""

    jobs: int


class SummarizedAudience(TypedDict):
    """`metrics` and `export_uri` are null where `not_visible` says why, or where no export was asked for."""

    cohort: str
    eligible: int | None
    seed_size: int | None
    seed_uri: str | None
    audience_generation_job_arn: str
    metrics: dict[str, Any] | None
    export_uri: str | None
    export_refused: str | None
    not_visible: NotVisible


class Cost(TypedDict):
    """Estimates in USD."""

    transcribe_medical: float
    comprehend_medical: float
    total: float
    not_included: str


class Summary(TypedDict):
    """The document."""

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
