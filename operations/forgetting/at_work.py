"""What is still working with a patient's recordings; to forget meanwhile would be undone by it.

Sources: API references of ListExecutions, DescribeExecution (includedData), ListMedicalTranscriptionJobs
(JobNameContains) and ListEntitiesDetectionV2Jobs (Filter).
"""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.user_ids import canonical, spellings
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting.survey import Findings, Known
from operations.parallel import mapped

_RUNNING = ("RUNNING", "PENDING_REDRIVE")


def running_executions(deployed: Deployed) -> list[dict[str, Any]]:
    """ARN and name of the executions that are running, or about to."""
    pages = deployed.client("stepfunctions").get_paginator("list_executions")
    return [
        execution
        for status in _RUNNING
        for page in pages.paginate(stateMachineArn=deployed.state_machine_arn, statusFilter=status)
        for execution in page["executions"]
    ]


def refuse_running_executions(deployed: Deployed, user_id: str) -> None:
    """Raises OperationError naming an execution that holds a recording of the patient."""
    for execution in running_executions(deployed):
        if _holds(deployed, execution, user_id):
            raise OperationError(
                f"The execution {execution['name']} holds recordings of {user_id} and is running; wait until it has "
                f"ended, or stop it (aws stepfunctions stop-execution --execution-arn {execution['executionArn']})."
            )


def refuse_running_jobs(deployed: Deployed, jobs: list[dict[str, Any]], findings: Findings) -> None:
    """Raises OperationError naming a job that would yet write something of the patient: its execution was stopped."""
    running = [job["MedicalTranscriptionJobName"] for job in jobs if _is_running(job["TranscriptionJobStatus"])]
    if running:
        raise OperationError(
            f"The transcription job {running[0]} of theirs is running although its execution is not; wait until it has "
            "ended, then forget again."
        )
    inputs = {
        found.version.key.rpartition("/")[0]
        for found in findings.whole
        if found.version.bucket == deployed.clinical and found.version.key.startswith("documents/")
    }
    if not inputs:
        return
    for job in _running_entity_detections(deployed.client("comprehendmedical")):
        if job["InputDataConfig"].get("S3Key", "").strip("/") in inputs:
            raise OperationError(
                f"The entity detection job {job['JobId']} over documents of theirs is running although its execution "
                f"is not; wait until it has ended, or stop it (aws comprehendmedical stop-entities-detection-v2-job "
                f"--job-id {job['JobId']})."
            )


def transcription_jobs(deployed: Deployed, known: Known) -> list[dict[str, Any]]:
    """Transcribe Medical's jobs of the patient's recordings, whatever has become of them."""
    transcribe = deployed.client("transcribe")

    def of_recording(identifier: bytes) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {"JobNameContains": identifier.decode(), "MaxResults": 100}
        found: list[dict[str, Any]] = []
        while True:
            answer = transcribe.list_medical_transcription_jobs(**wanted)
            found += answer.get("MedicalTranscriptionJobSummaries", ())
            if "NextToken" not in answer:
                return [job for job in found if job["MedicalTranscriptionJobName"].startswith(f"{deployed.prefix}-")]
            wanted["NextToken"] = answer["NextToken"]

    # Object ids are in no job's name, but asking is cheaper than telling them apart.
    return [job for jobs in mapped(of_recording, sorted(known.traces.ids)) for job in jobs]


def delete_transcription_jobs(deployed: Deployed, jobs: list[dict[str, Any]]) -> None:
    transcribe = deployed.client("transcribe")

    def delete(job: dict[str, Any]) -> None:
        try:
            transcribe.delete_medical_transcription_job(MedicalTranscriptionJobName=job["MedicalTranscriptionJobName"])
        except ClientError as error:
            # Which of the two a missing job gives is documented both ways.
            if error.response["Error"]["Code"] not in ("NotFoundException", "BadRequestException"):
                raise
            wanted = {"JobNameContains": job["MedicalTranscriptionJobName"]}
            if transcribe.list_medical_transcription_jobs(**wanted).get("MedicalTranscriptionJobSummaries"):
                raise

    for _ in mapped(delete, jobs):
        pass


def _holds(deployed: Deployed, execution: dict[str, Any], user_id: str) -> bool:
    """Whether the execution's input covers a recording of theirs and its plan, if there is one yet, doesn't deny it."""
    description = deployed.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    try:
        request = json.loads(description["input"])
    except ValueError:
        return False  # it will fail in PlanBatch
    if not isinstance(request, dict):
        return False
    asked, prefix, media = request.get("media"), request.get("prefix"), f"s3://{deployed.media}/media/"
    if isinstance(asked, list) and any(isinstance(uri, str) and _is_below(uri, media, user_id) for uri in asked):
        return True
    if not isinstance(prefix, str):
        return False
    begin = any(f"{media}{name}/".startswith(prefix) for name in spellings(user_id))
    if not begin and not _is_below(prefix, media, user_id):
        return False
    plan = _plan(deployed, execution["name"])
    if plan is None:
        return True
    listed = [entry for name in ("recordings", "elsewhere", "rejected") for entry in plan.get(name, ())]
    return any(canonical(entry.get("user_id") or "") == user_id for entry in listed)


def _is_below(uri: str, media: str, user_id: str) -> bool:
    folder, slash, _ = uri.removeprefix(media).partition("/")
    return uri.startswith(media) and bool(slash) and canonical(folder) == user_id


def _plan(deployed: Deployed, execution_name: str) -> Any | None:
    """None if there is none, or it is no JSON."""
    key = f"batches/{execution_name}/plan.json"
    try:
        return json.loads(deployed.client("s3").get_object(Bucket=deployed.clinical, Key=key)["Body"].read())
    except ValueError:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None


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
