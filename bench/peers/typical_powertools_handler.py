"""A poll function as in Powertools' documentation: clients at the top, the whole toolkit, an event's model."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser

logger = Logger()
tracer = Tracer()
metrics = Metrics()
s3 = boto3.client("s3")
transcribe = boto3.client("transcribe")
comprehend_medical = boto3.client("comprehendmedical")
clean_rooms_ml = boto3.client("cleanroomsml")


class Poll(BaseModel):
    """The event."""

    job_name: str


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
@event_parser(model=Poll)
def handler(event: Poll, context: Any) -> dict[str, Any]:
    """The status of the job."""
    answer = transcribe.get_medical_transcription_job(MedicalTranscriptionJobName=event.job_name)
    status = answer["MedicalTranscriptionJob"]["TranscriptionJobStatus"]
    logger.info("job polled", extra={"status": status})
    metrics.add_metric(name="Polls", unit="Count", value=1)
    return {"status": status}
