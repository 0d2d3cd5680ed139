"""The types of an execution's state, and of the documents about its batch in S3 that the states share.

The state has ids, counts and `s3://` URIs only. Each function's own input is declared beside its handler; a test
compares it with the `Parameters` of the state that calls the function.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from lambdas.shared.jobs import Job

# The parameters of one request to a service, by the names of its API reference.
Parameters = Mapping[str, Any]


class AllParameters(TypedDict):
    """The parameters of the three requests, by the operations' names."""

    StartMedicalTranscriptionJob: Parameters
    StartEntitiesDetectionV2Job: Parameters
    StartAudienceGenerationJob: Parameters


# The plan, written by PlanBatch


class NamedRecording(TypedDict):
    """The members of a recording in every list."""

    media_id: str
    user_id: str
    uri: str


class Rejection(TypedDict):
    """`reason` names the fault and the remedy. `user_id` is None if the key has none."""

    media_id: str
    user_id: str | None
    uri: str
    reason: str


class LeftRecording(NamedRecording):
    """A recording that another execution, `execution_name`, owns."""

    execution_name: str


class PlannedRecording(NamedRecording):
    """A recording that this execution owns; `reused` means that its records were complete before."""

    object_id: str
    uploaded_at: str
    audience_consent: bool
    transcript_id: str
    reused: bool


class ServiceCosts(TypedDict):
    """Costs in USD at list prices."""

    transcribe_medical: float
    comprehend_medical: float
    total: float


class PlannedCosts(TypedDict):
    """The cost of the recordings to transcribe: the estimate, the most that it can be, and the day of the reservation.

    `reserved_on` is None if the environment has no ceiling for a day, or there was nothing to reserve.
    """

    estimate: ServiceCosts
    bound: ServiceCosts
    reserved_on: str | None


class Plan(TypedDict):
    """`plan.json`; plans of earlier versions of this application have no `costs`."""

    batch_id: str
    reprocess: bool
    parameters: AllParameters
    recordings: list[PlannedRecording]
    elsewhere: list[LeftRecording]
    rejected: list[Rejection]
    costs: NotRequired[PlannedCosts]


class MapItem(NamedRecording):
    """A recording to transcribe: an item of `recordings.json`, which the Map TranscribeMedia reads."""

    batch_id: str
    transcript_id: str
    expected_seconds: int


class PlanCounts(TypedDict):
    """How many recordings the input names, and how many of them are reused, elsewhere or rejected after PlanBatch."""

    recordings: int
    reused: int
    elsewhere: int
    rejected: int


class Batch(PlanCounts):
    """`$.batch`. `batch_id` is the execution's name; `reprocess_id` is empty unless finished work is to be repeated."""

    batch_id: str
    reprocess_id: str
    bucket: str
    prefix: str
    recordings_key: str
    max_concurrency: int
    pending: int


# Documents and entities, by PrepareDocuments and CollectEntities


class DocumentedRecording(TypedDict):
    """A recording with documents: an item of the Map CollectBatch."""

    media_id: str


class IndexLine(TypedDict):
    """A line of the index: a document, its place in the transcript in characters, and its job's base, None for none."""

    document: str
    media_id: str
    offset: int
    characters: int
    job: str | None


class ListedJob(TypedDict):
    """An entry of the list of the batch's entity detection jobs."""

    base: str
    documents: int
    estimated_usd: float


class NewJob(TypedDict):
    """The entity detection job to start; `base` is empty for none."""

    base: str
    count: int
    characters: int
    estimated_usd: float


class PreparedDocuments(TypedDict):
    """`$.documents`."""

    index_key: str
    jobs_key: str
    elsewhere_key: str
    documented_key: str
    generation: int
    new: NewJob
    count: int
    characters: int
    estimated_usd: float
    billable_seconds: float


class EntityCounts(TypedDict):
    """PlanCounts of the batch's records, documents and rejected recordings, as in the summary."""

    records: int
    by_category: dict[str, int]
    phi_labels: int
    documents: int
    documents_unprocessed: int
    rejected: int


class CollectedEntities(EntityCounts):
    """The file of a child of CollectBatch; `elsewhere` has the recordings that other executions finished meanwhile."""

    elsewhere: list[LeftRecording]


class EntityOutput(TypedDict):
    """The output of an ended entity detection job; `output_uri` is the directory that the service created."""

    service_status: str
    model_version: str | None
    output_uri: str
    manifest_path: str


# Cohorts, by PrepareCohorts, FinishRebuild and SelectSeeds


class PreparedCohorts(TypedDict):
    """`$.cohorts`. With `REBUILD`, this execution rebuilds `indexes`; with `WAIT`, another one rebuilds some."""

    status: Literal["READY", "REBUILD", "WAIT"]
    indexes: list[str]
    records_prefix: str
    wait_seconds: int


class UnreadableRecords(TypedDict):
    """The number of unreadable files of records, and a sentence about each of the first ones."""

    count: int
    first: list[str]


class Rebuild(TypedDict):
    """`$.rebuild`, if this execution has read all records."""

    unreadable_records: UnreadableRecords


class AudienceSize(TypedDict):
    """`audienceSize` of StartAudienceExportJob."""

    type: str
    value: int


class Seed(TypedDict):
    """The people from whom a cohort's audience is generated; a query's seed has neither a file nor a known size."""

    seed_id: str
    seed_uri: str | None
    seed_size: int | None


class SeededCohort(Seed):
    """A cohort with a seed: an item of the Map GenerateAudiences."""

    cohort: str
    eligible: int | None
    export: AudienceSize | None


class CohortWithoutAudience(TypedDict):
    cohort: str
    eligible: int | None
    reason: str


class Suppression(TypedDict):
    """How the suppression list was applied. Line numbers stand for lines, because user ids stay out of the state."""

    listed: int
    matching: int
    unmatched_lines: list[int]
    similar_lines: list[int]


class SelectedSeeds(TypedDict):
    """`$.seeds`; `suppression` is None if no cohort needs the list."""

    cohorts: list[SeededCohort]
    not_generated: list[CohortWithoutAudience]
    suppression: Suppression | None


class Audience(TypedDict):
    """An item of `$.audiences`."""

    seed: SeededCohort
    generation: Job
    audience_export: NotRequired[Job]


class NotVisible(TypedDict, total=False):
    """Why members of an audience are null although they exist; a sentence each."""

    metrics: str
    export_uri: str


class State(TypedDict):
    """The whole state, as SummarizeBatch gets it. A batch without documents has no entity detection."""

    batch: Batch
    parameters: AllParameters
    documents: PreparedDocuments
    entity_detection: NotRequired[Job]
    cohorts: PreparedCohorts
    rebuild: NotRequired[Rebuild]
    seeds: SelectedSeeds
    audiences: list[Audience]
