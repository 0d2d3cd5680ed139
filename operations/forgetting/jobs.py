"""The services' jobs for a patient's recordings, which outlive a stopped execution.

Sources: API references of ListMedicalTranscriptionJobs (JobNameContains), DeleteMedicalTranscriptionJob and
ListEntitiesDetectionV2Jobs (Filter).
"""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.layout import DOCUMENTS, job_records_prefix
from lambdas.shared.parallel import mapped
from lambdas.shared.stages import ENTITY_DETECTION
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting.known import Known
from operations.forgetting.survey import Findings


def refuse_running_jobs(deployed: Deployed, jobs: list[dict[str, Any]], findings: Findings) -> None:
    """Raises OperationError if a job that outlived its execution would still write data of the patient."""
    running = [job["MedicalTranscriptionJobName"] for job in jobs if _is_running(job["TranscriptionJobStatus"])]
    if running:
        raise OperationError(
            f"The patient's transcription job {running[0]} is running although its execution is not; wait until the "
            "job has ended, then forget again."
        )
    inputs = {
        found.version.key.rpartition("/")[0]
        for found in findings.whole
        if found.version.bucket == deployed.clinical and found.version.key.startswith(DOCUMENTS)
    }
    if not inputs:
        return
    for job in _running_entity_detections(deployed.client("comprehendmedical")):
        if job["InputDataConfig"].get("S3Key", "").strip("/") in inputs:
            raise OperationError(
                f"The entity detection job {job['JobId']} over the patient's documents is running although its "
                "execution is not; wait until the job has ended, or stop it (aws comprehendmedical "
                f"stop-entities-detection-v2-job --job-id {job['JobId']})."
            )


def transcription_jobs(deployed: Deployed, known: Known) -> list[dict[str, Any]]:
    """Transcribe Medical's jobs of the patient's recordings, in any status."""
    transcribe = deployed.client("transcribe")

    def of_recording(identifier: str) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {"JobNameContains": identifier, "MaxResults": 100}
        found: list[dict[str, Any]] = []
        while True:
            answer = transcribe.list_medical_transcription_jobs(**wanted)
            found += answer.get("MedicalTranscriptionJobSummaries", ())
            if "NextToken" not in answer:
                return [job for job in found if job["MedicalTranscriptionJobName"].startswith(f"{deployed.prefix}-")]
            wanted["NextToken"] = answer["NextToken"]

    return [job for jobs in mapped(of_recording, sorted(known.media_ids)) for job in jobs]


def delete_transcription_jobs(deployed: Deployed, jobs: list[dict[str, Any]]) -> None:
    transcribe = deployed.client("transcribe")

    def delete(job: dict[str, Any]) -> None:
        try:
            transcribe.delete_medical_transcription_job(MedicalTranscriptionJobName=job["MedicalTranscriptionJobName"])
        except ClientError as error:
            # AWS documents both codes for a missing job.
            if error.response["Error"]["Code"] not in ("NotFoundException", "BadRequestException"):
                raise
            wanted = {"JobNameContains": job["MedicalTranscriptionJobName"]}
            if transcribe.list_medical_transcription_jobs(**wanted).get("MedicalTranscriptionJobSummaries"):
                raise

    for _ in mapped(delete, jobs):
        pass


def entity_detection_jobs(deployed: Deployed, known: Known) -> list[str]:
    """Ids of Comprehend Medical's jobs in the executions that had the patient's recordings."""
    s3 = deployed.client("s3")
    found = set()
    for execution in known.executions:
        prefix = job_records_prefix(execution, ENTITY_DETECTION.name)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=deployed.clinical, Prefix=prefix):
            found |= {item["Key"].removeprefix(prefix).removesuffix(".json") for item in page.get("Contents", ())}
    return sorted(found)


def _is_running(status: str) -> bool:
    return status in ("QUEUED", "IN_PROGRESS")


def _running_entity_detections(comprehend_medical: Any) -> Iterator[dict[str, Any]]:
    for status in ("SUBMITTED", "IN_PROGRESS", "STOP_REQUESTED"):
        wanted: dict[str, Any] = {"Filter": {"JobStatus": status}}
        while True:
            answer = comprehend_medical.list_entities_detection_v2_jobs(**wanted)
            yield from answer.get("ComprehendMedicalAsyncJobPropertiesList", ())
            if "NextToken" not in answer:
                break
            wanted["NextToken"] = answer["NextToken"]
