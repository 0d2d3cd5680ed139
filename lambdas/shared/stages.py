"""The stages of an execution, in the order of the pipeline: the one home of what each is called where.

Sources of the times: API references of MedicalTranscriptionJob, ComprehendMedicalAsyncJobProperties,
AudienceGenerationJob and AudienceExportJob.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """`name` is that of metrics, job records and `summary.json`; `label` is for people.

    The state `state` begins the stage; exports begin within GenerateAudiences, each when its audience is ready.
    `job_times` are the members in which a service says when a job of the stage
    began and ended; a stage that is a step of ours has none.
    """

    name: str
    state: str | None
    label: str
    job_times: tuple[str, str] | None = None


# Before an execution; it counts metrics like the stages.
INGEST = "ingest"
PLAN = Stage("plan", "PlanBatch", "Plan the batch")
TRANSCRIPTION = Stage("transcription", "TranscribeMedia", "Transcribe", ("CreationTime", "CompletionTime"))
DOCUMENTS = Stage("documents", "PrepareDocuments", "Prepare documents")
ENTITY_DETECTION = Stage("entity_detection", "StartEntityDetection", "Detect entities", ("SubmitTime", "EndTime"))
COLLECTION = Stage("collection", "CollectEntities", "Collect entities")
SEEDS = Stage("seeds", "SelectSeeds", "Select seeds")
AUDIENCE_GENERATION = Stage(
    "audience_generation", "GenerateAudiences", "Generate audiences", ("createTime", "updateTime")
)
AUDIENCE_EXPORT = Stage("audience_export", None, "Export audiences", ("createTime", "updateTime"))
SUMMARY = Stage("summary", "SummarizeBatch", "Summarize")
STAGES = (
    PLAN,
    TRANSCRIPTION,
    DOCUMENTS,
    ENTITY_DETECTION,
    COLLECTION,
    SEEDS,
    AUDIENCE_GENERATION,
    AUDIENCE_EXPORT,
    SUMMARY,
)
