"""What is still working with a patient's recordings; to forget meanwhile would be undone by it.

Whatever ends an execution (StopExecution, a failure, its timeout) doesn't end its functions, nor those of the Map's
children, which end with it. A function that it has left behind may write until Lambda's own limit.

Sources: API references of ListExecutions, DescribeExecution (includedData), ListMedicalTranscriptionJobs
(JobNameContains) and ListEntitiesDetectionV2Jobs (Filter).
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambdas.shared.layout import DOCUMENTS, MEDIA, plan_key
from lambdas.shared.uris import uri_of
from lambdas.shared.user_ids import canonical, spellings
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.executions import ENDED_BADLY
from operations.forgetting.survey import Findings, Known
from operations.parallel import mapped

# The longest that Lambda lets any function run, as the longest of ours may.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
_LONGEST_RUN = timedelta(minutes=15)
# How far this machine's clock may be from AWS's, which takes no signature from further away.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html
_CLOCKS_DIFFER = timedelta(minutes=5)
# The local AWS has this machine's clock, and functions that are done within seconds.
_LONGEST_LOCAL_RUN = timedelta(seconds=10)
_RUNNING = ("RUNNING", "PENDING_REDRIVE")


class AtWork(NamedTuple):
    """An execution that is running, or of which a function may be running `until` then; that is None for the former."""

    arn: str
    name: str
    until: datetime | None


def executions_at_work(deployed: Deployed) -> list[AtWork]:
    """All executions that are running, with whatever it is, or may have left a function behind that is.

    One that was redriven may have left it behind before, however it has ended since. For a state machine ListExecutions
    refuses both the filter for redriven ones and PENDING_REDRIVE, so everything is listed: with one list, none can
    change from one filter's to another's meanwhile, either.
    """
    pages = deployed.client("stepfunctions").get_paginator("list_executions")
    listed = pages.paginate(stateMachineArn=deployed.state_machine_arn, PaginationConfig={"PageSize": 1000})
    now, found = datetime.now(UTC), []
    for execution in (execution for page in listed for execution in page["executions"]):
        until = _left_until(deployed, execution)
        if execution["status"] in _RUNNING:
            found.append(AtWork(execution["executionArn"], execution["name"], None))
        elif until and until > now:
            found.append(AtWork(execution["executionArn"], execution["name"], until))
    return found


def holding(deployed: Deployed, executions: Iterable[AtWork], user_id: str) -> list[AtWork]:
    """Those of the executions that hold a recording of the patient."""
    return [execution for execution in executions if _holds(deployed, execution, user_id)]


def refuse_running_executions(deployed: Deployed, user_id: str) -> list[AtWork]:
    """The executions with recordings of the patient that have ended, and of which a function may be running.

    Raises:
        OperationError: such an execution is running itself.
    """
    found = holding(deployed, executions_at_work(deployed), user_id)
    for execution in found:
        if execution.until is None:
            raise OperationError(
                f"The execution {execution.name} holds recordings of {user_id} and is running; wait until it has "
                f"ended, or stop it (aws stepfunctions stop-execution --execution-arn {execution.arn})."
            )
    return found


def wait_for_functions(deployed: Deployed, user_id: str, say: Callable[[str], None]) -> None:
    """Return when no execution with recordings of the patient is running, nor a function that one has left behind.

    It is looked again after each wait, since somebody may have started or stopped one meanwhile. `say` is told what is
    waited for.

    Raises:
        OperationError: such an execution is running.
    """
    while left := refuse_running_executions(deployed, user_id):
        until, name = max((execution.until, execution.name) for execution in left if execution.until)
        say(
            f"Waiting until {until.astimezone():%H:%M:%S}: the execution {name} has ended, but a function of it may be "
            "writing until then"
        )
        sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))


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
        if found.version.bucket == deployed.clinical and found.version.key.startswith(DOCUMENTS)
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


def _left_until(deployed: Deployed, execution: dict[str, Any]) -> datetime | None:
    """Until when a function may run that this execution, as it is listed, doesn't wait for; None if there is none."""
    ends = [execution["stopDate"]] if execution["status"] in ENDED_BADLY else []
    if redriven := execution.get("redriveDate"):
        ends.append(redriven)
    longest = _LONGEST_LOCAL_RUN if deployed.is_local else _LONGEST_RUN + _CLOCKS_DIFFER
    return max(ends) + longest if ends else None


def _holds(deployed: Deployed, execution: AtWork, user_id: str) -> bool:
    """Whether the execution's input covers a recording of theirs and its plan, if there is one yet, doesn't deny it."""
    description = deployed.client("stepfunctions").describe_execution(executionArn=execution.arn)
    try:
        request = json.loads(description["input"])
    except ValueError:
        return False  # it will fail in PlanBatch
    if not isinstance(request, dict):
        return False
    asked, prefix, media = request.get("media"), request.get("prefix"), uri_of(deployed.media, MEDIA)
    if isinstance(asked, list) and any(isinstance(uri, str) and _is_below(uri, media, user_id) for uri in asked):
        return True
    if not isinstance(prefix, str):
        return False
    begin = any(f"{media}{name}/".startswith(prefix) for name in spellings(user_id))
    if not begin and not _is_below(prefix, media, user_id):
        return False
    plan = _plan(deployed, execution.name)
    if plan is None:
        return True
    listed = [entry for name in ("recordings", "elsewhere", "rejected") for entry in plan.get(name, ())]
    return any(canonical(entry.get("user_id") or "") == user_id for entry in listed)


def _is_below(uri: str, media: str, user_id: str) -> bool:
    folder, slash, _ = uri.removeprefix(media).partition("/")
    return uri.startswith(media) and bool(slash) and canonical(folder) == user_id


def _plan(deployed: Deployed, execution_name: str) -> Any | None:
    """None if there is none, or it is no JSON."""
    key = plan_key(execution_name)
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
