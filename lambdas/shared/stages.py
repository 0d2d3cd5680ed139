"""The stages of an execution, in the order of the pipeline, with all their names.

Sources of `job_times`: API references of MedicalTranscriptionJob, ComprehendMedicalAsyncJobProperties,
AudienceGenerationJob and AudienceExportJob.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """`name` is used in metrics, job records and `summary.json`; `label` is for people.

    The state `state` begins the stage; it is None for exports, which begin within GenerateAudiences. `job_times` are
    the members of the service's answer with a job's begin and end; None for a stage without a service's job.
    """

    name: str
    state: str | None
    label: str
    job_times: tuple[str, str] | None = None


# Precedes an execution; has metrics like a stage.
INGEST = "ingest"
PLAN = Stage("plan", "PlanBatch", "Plan the batch")
TURN = Stage("turn", "WaitForTurn", "Wait for a turn")
TRANSCRIPTION = Stage("transcription", "TranscribeMedia", "Transcribe", ("CreationTime", "CompletionTime"))
DOCUMENTS = Stage("documents", "PrepareDocuments", "Prepare documents")
ENTITY_DETECTION = Stage("entity_detection", "StartEntityDetection", "Detect entities", ("SubmitTime", "EndTime"))
COLLECTION = Stage("collection", "CollectBatch", "Collect entities")
SEEDS = Stage("seeds", "PrepareCohorts", "Select seeds")
AUDIENCE_GENERATION = Stage(
    "audience_generation", "GenerateAudiences", "Generate audiences", ("createTime", "updateTime")
)
AUDIENCE_EXPORT = Stage("audience_export", None, "Export audiences", ("createTime", "updateTime"))
SUMMARY = Stage("summary", "SummarizeBatch", "Summarize")
STAGES = (
    PLAN,
    TURN,
    TRANSCRIPTION,
    DOCUMENTS,
    ENTITY_DETECTION,
    COLLECTION,
    SEEDS,
    AUDIENCE_GENERATION,
    AUDIENCE_EXPORT,
    SUMMARY,
)


def is_run_of(map_run_arn: str, state: str | None) -> bool:
    """Whether a Map Run is one of the Map `state`, whose label is its name.

    Source: Step Functions guide, "Using Map state in Distributed mode" (Label).
    """
    return f"/{state}:" in map_run_arn
