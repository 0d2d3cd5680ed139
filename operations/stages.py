"""The stages of an execution as a person thinks of them, and the state that begins each."""

STAGES = {
    "Plan the batch": "PlanBatch",
    "Transcribe": "TranscribeMedia",
    "Prepare documents": "PrepareDocuments",
    "Detect entities": "StartEntityDetection",
    "Collect entities": "CollectEntities",
    "Select seeds": "SelectSeeds",
    "Generate audiences": "GenerateAudiences",
    "Summarize": "SummarizeBatch",
}
