"""Inputs of executions and functions that ask for more than their place: refused before anything is read or paid."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from local.aws.faults import SeenCall
from tests.attack.matrix import FOREIGN_ACCOUNT, Verdict
from tests.attack.stage import HELD, Stage

AREA = "inputs"
PATIENCE_SECONDS = 30
FOREIGN_MODEL = f"arn:aws:cleanrooms-ml:us-east-1:{FOREIGN_ACCOUNT}:configured-audience-model/other"
FOREIGN_ROLE = f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/other"
FOREIGN_KEY = f"arn:aws:kms:us-east-1:{FOREIGN_ACCOUNT}:key/other"
TRANSCRIPTION, DETECTION, GENERATION = (
    "StartMedicalTranscriptionJob",
    "StartEntitiesDetectionV2Job",
    "StartAudienceGenerationJob",
)


class Crafted(NamedTuple):
    """`says` is a part of the error that the attacker, or whoever made the mistake, must get to read."""

    what: str
    request: Any
    says: str


class Invocation(NamedTuple):
    """A function called past the state machine; `spends` are the calls that must not come of it."""

    function: str
    what: str
    event: dict[str, Any]
    spends: tuple[str, ...] = ()


def crafted_requests(stage: Stage) -> Iterator[Crafted]:
    media, clinical, bystander = (stage.buckets[name] for name in ("media", "clinical", "bystander"))
    ours = f"s3://{media}/media/p-1/visit.wav"
    for what, uri, says in (
        ("the clinical bucket", f"s3://{clinical}/media/p-1/visit.wav", "not in this environment's media bucket"),
        ("a bucket of somebody else's", f"s3://{bystander}/media/p-1/visit.wav", "not in this environment's"),
        ("a bucket whose name begins as ours", f"s3://{media}.attack/media/p-1/visit.wav", "not in this environment's"),
        ("our bucket as a user name", f"s3://{media}@attack/media/p-1/visit.wav", "not in this environment's"),
        ("an access point", f"s3://arn:aws:s3:us-east-1:{FOREIGN_ACCOUNT}:accesspoint/x/media/p-1/visit.wav",
         "not in this environment's"),
        ("our bucket in capitals", f"s3://{media.upper()}/media/p-1/visit.wav", "not in this environment's"),
        ("our bucket, encoded", f"s3://%{ord(media[0]):x}{media[1:]}/media/p-1/visit.wav", "not in this environment's"),
        ("a URL", f"https://{media}.s3.amazonaws.com/media/p-1/visit.wav", "not of the form s3://bucket/key"),
        ("a file", "file:///etc/passwd", "not of the form s3://bucket/key"),
        ("an ARN", f"arn:aws:s3:::{media}/media/p-1/visit.wav", "not of the form s3://bucket/key"),
        ("two schemes", f"x{ours}", "not of the form s3://bucket/key"),
        ("no bucket", "s3:///media/p-1/visit.wav", "not of the form s3://bucket/key"),
        ("no key", f"s3://{media}", "not of the form s3://bucket/key"),
        ("an object", {"Bucket": media}, "not of the form s3://bucket/key"),
    ):  # fmt: skip
        yield Crafted(f"media: {what}", {"media": [ours, uri]}, says)
        yield Crafted(f"prefix: {what}", {"prefix": uri}, says)
    for prefix in ("", "records/", "mediaother/", "../media/", "/media/", "MEDIA/", "%6dedia/", "./media/", "media"):
        yield Crafted(f"prefix: {prefix!r}", {"prefix": f"s3://{media}/{prefix}"}, "prefix is not below media/")
    shapes: list[Any] = [[], "media", {}, {"media": []}, {"media": ours}, {"media": {"0": ours}}]
    for request in [*shapes, {"media": [ours], "prefix": ours}]:
        yield Crafted(f"the input {json.dumps(request)[:40]}", request, "Give {")
    for unknown in ("bucket", "clinical_bucket", "execution_name", "role_arn", "batch"):
        yield Crafted(f"a key {unknown}", {"media": [ours], unknown: bystander}, f"unknown keys ['{unknown}']")
    for operation, name, value in (
        (TRANSCRIPTION, "OutputBucketName", bystander),
        (TRANSCRIPTION, "OutputKey", "records/x.json"),
        (TRANSCRIPTION, "OutputEncryptionKMSKeyId", FOREIGN_KEY),
        (TRANSCRIPTION, "Media", {"MediaFileUri": f"s3://{bystander}/x.wav"}),
        (TRANSCRIPTION, "MedicalTranscriptionJobName", "attack"),
        (TRANSCRIPTION, "DataAccessRoleArn", FOREIGN_ROLE),
        (TRANSCRIPTION, "JobExecutionSettings", {"DataAccessRoleArn": FOREIGN_ROLE}),
        (DETECTION, "DataAccessRoleArn", FOREIGN_ROLE),
        (DETECTION, "DataAccessRoleArn", stage.roles["SeedReader"].arn),
        (DETECTION, "InputDataConfig", {"S3Bucket": clinical, "S3Key": "records/"}),
        (DETECTION, "OutputDataConfig", {"S3Bucket": bystander}),
        (DETECTION, "KMSKey", FOREIGN_KEY),
        (DETECTION, "ClientRequestToken", "attack"),
        (GENERATION, "name", "attack"),
        (GENERATION, "seedAudience", {"roleArn": FOREIGN_ROLE, "dataSource": {"s3Uri": f"s3://{bystander}/x"}}),
        (GENERATION, "configuredAudienceModelArn", FOREIGN_MODEL),
        (GENERATION, "configuredAudienceModelArn", stage.models["other-model"]),
        (GENERATION, "collaborationId", "11111111-2222-3333-4444-555555555555"),
        (GENERATION, "roleArn", FOREIGN_ROLE),
    ):
        yield Crafted(
            f"parameters.{operation}.{name}", {"media": [ours], "parameters": {operation: {name: value}}}, name
        )
    for operation in ("StartAudienceExportJob", "DeleteObject", "StartTranscriptionJob"):
        yield Crafted(f"parameters.{operation}", {"media": [ours], "parameters": {operation: {}}}, "not an operation")


def attack_executions(stage: Stage, cases: list[Crafted]) -> Iterator[Verdict]:
    """Each case as the input of an execution: it fails at once with what is wrong, and no function has called AWS."""
    machine = stage.machines["pipeline"]
    states = stage.actor.client("stepfunctions")
    for case in cases:
        recording = Recording(stage)
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(case.request))["executionArn"]
        execution = ended(stage, arn)
        calls = recording.stop()
        problem = ""
        if execution["status"] != "FAILED" or execution.get("error") != "InvalidInput":
            problem = f"the execution is {execution['status']} with {execution.get('error')}"
        elif case.says not in json.loads(execution["cause"])["errorMessage"]:
            problem = f"the error doesn't say {case.says!r}"
        elif calls:
            problem = f"before it was refused, the functions called {calls}"
        yield verdict("execution", case.what, problem)


def odd_keys() -> dict[str, str]:
    """Key -> the reason for which it must be rejected. The objects that are there are of the stage."""
    form, absent, dots = "not of the form media/<user_id>/<file>", "does not exist", "a part of dots only"
    return {
        "records/attack/held.wav": form,
        f"mediaother/{HELD}": form,
        "media/visit.wav": form,
        "media//visit.wav": form,
        "/media/p-1/visit.wav": form,
        "MEDIA/p-1/visit.wav": form,
        "%6dedia/p-1/visit.wav": form,
        "../media/p-1/visit.wav": form,
        "./media/p-1/visit.wav": form,
        # None of them is resolved: if it were, the first two would be there.
        "media/p-1/../attack/held.json": dots,
        "media/attack/./held.json": dots,
        "media/p-1/../../records/visit.wav": dots,
        "media/../mediaother/attack/held.json": dots,
        "media/attack%2Fheld.json": form,
        "media/attack/%68eld.json": absent,
        "media/attack//held.json": absent,
        "media/attack/held.json?versionId=null": absent,
        "media/attack/held.json#": absent,
        "media/p-1/..%2f..%2fvisit.wav": absent,
        "media/p-1/\u2024\u2024/visit.wav": absent,
        "media/p-1/visit.wav\n": absent,
        "media/p-1/*": absent,
        f"media/{HELD}": "takes amr, flac",
    }


def attack_keys(stage: Stage) -> Iterator[Verdict]:
    """All odd keys in one batch: each becomes a rejection, of nothing but heads and what the ledger says of them."""
    media, clinical = stage.buckets["media"], stage.buckets["clinical"]
    wanted = odd_keys()
    recording = Recording(stage)
    request = {"media": [f"s3://{media}/{key}" for key in wanted]}
    event = {
        "request": request,
        "execution_name": "attack-keys",
        "execution_arn": f"{stage.executions['pipeline']}-keys",
        "redrive_count": 0,
        "retry_count": 0,
    }
    error = invoke(stage, "plan_batch", event)
    calls = {call.operation for call in recording.stop()}
    if error:
        yield verdict("plan_batch", "odd keys", f"it fails with {error}")
        return
    plan = json.loads(
        stage.actor.client("s3").get_object(Bucket=clinical, Key="batches/attack-keys/plan.json")["Body"].read()
    )
    reasons = {item["uri"].removeprefix(f"s3://{media}/"): item["reason"] for item in plan["rejected"]}
    for key, reason in wanted.items():
        problem = ""
        if reason not in reasons.get(key, ""):
            problem = f"it is {'rejected: ' + reasons[key] if key in reasons else 'taken'}"
        # It lists its own plan, which another attempt may have written.
        elif not calls <= {"HeadObject", "PutObject", "ListObjectsV2", "BatchGetItem", "UpdateItem"}:
            problem = f"the functions called {sorted(calls)}"
        yield verdict("plan_batch", f"key {key!r}", problem)


def crafted_invocations(stage: Stage) -> Iterator[Invocation]:
    """What whoever may invoke a function could put into its event; the function's role is what stops it."""
    clinical, bystander = stage.buckets["clinical"], stage.buckets["bystander"]
    batch = {"batch_id": "attack", "bucket": clinical, "reprocess_id": ""}
    for bucket, prefix in ((clinical, "records"), (bystander, "other"), (stage.buckets["audience"], "seeds")):
        recording = {
            "batch_id": "attack", "media_id": "m", "user_id": "p-1", "transcript_id": "attack", "expected_seconds": 1,
            "uri": f"s3://{bucket}/{prefix}/{HELD}",
        }  # fmt: skip
        yield Invocation(
            "start_transcription", f"a recording in {prefix}/",
            {"recording": recording, "parameters": {}, "redrive_count": 0, "retry_count": 0}, (TRANSCRIPTION,),
        )  # fmt: skip
    documents = {"generation": 1, "new": {"base": "", "count": 0, "characters": 0, "estimated_usd": 0.0}}
    for prefix in ("records/", "entity-jobs/", "transcripts/"):
        elsewhere = documents | dict.fromkeys(("jobs_key", "index_key", "elsewhere_key"), f"{prefix}{HELD}")
        called = {"batch_id": "attack", "documents": elsewhere, "redrive_count": 0}
        yield Invocation(
            "start_entity_detection", f"a list of jobs in {prefix}", called | {"parameters": {"LanguageCode": "en"}},
            (DETECTION,),
        )  # fmt: skip
        yield Invocation("poll_entity_detection", f"a list of jobs in {prefix}", called | {"job": {"status": ""}})
    seed = {"cohort": "attack", "seed_id": "attack", "seed_uri": f"s3://{stage.buckets['audience']}/seeds/{HELD}"}
    yield Invocation(
        "start_audience_generation", "a model of another account",
        {"seed": seed, "parameters": {"configuredAudienceModelArn": FOREIGN_MODEL}, "reprocess_id": "",
         "redrive_count": 0},
    )  # fmt: skip
    event: dict[str, Any]
    for prefix in ("records/", "deidentified/", "../records/"):
        event = {"batch": batch | {"prefix": prefix}, "parameters": {}}
        yield Invocation("prepare_documents", f"a batch in {prefix}", event)
        state = {"batch": batch | {"prefix": prefix}, "documents": {"billable_seconds": 0, "estimated_usd": 0}}
        yield Invocation("summarize_batch", f"a batch in {prefix}", {"state": state})
    for prefix in ("deidentified/", "entity-jobs/", "documents/"):
        event = {"batch": batch | {"prefix": prefix}, "documents": documents | {"index_key": f"{prefix}{HELD}"},
                 "parameters": {}, "media_ids": [], "retry_count": 0, "redrive_count": 0}  # fmt: skip
        yield Invocation("collect_entities", f"a batch in {prefix}", event)


def attack_functions(stage: Stage, cases: list[Invocation]) -> Iterator[Verdict]:
    """Each event given to its function directly: refused by IAM, and nothing started."""
    for case in cases:
        recording = Recording(stage)
        error = invoke(stage, case.function, case.event)
        spent = [call.operation for call in recording.stop() if call.operation in case.spends]
        problem = ""
        if "AccessDenied" not in error and "403" not in error:
            problem = f"it ends in {error or 'success'}"
        elif spent:
            problem = f"it called {spent}"
        yield verdict(case.function, case.what, problem)


class Recording:
    def __init__(self, stage: Stage) -> None:
        self._faults = stage.world.run.pipeline.aws.faults
        self._faults.clear()
        self._faults.recording = True

    def stop(self) -> list[SeenCall]:
        """What the functions have called since, but for the one that a schedule calls meanwhile."""
        self._faults.recording = False
        calls = [
            call
            for call in self._faults.calls
            if call.caller.startswith("clinical-media-") and not call.caller.endswith("-share_jobs")
        ]
        self._faults.clear()
        return calls


def invoke(stage: Stage, function: str, event: dict[str, Any]) -> str:
    """Type and message of the error that the function ends with, or why it rejects its input; none if it succeeds."""
    answer = stage.actor.client("lambda").invoke(
        FunctionName=stage.functions[function], Payload=json.dumps(event).encode()
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer:
        # A refusal to use another account's model is a rejection.
        return str(payload["result"]["reason"]) if payload.get("status") == "REJECTED" else ""
    return f"{payload.get('errorType')}: {payload.get('errorMessage')}"


def ended(stage: Stage, arn: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        execution: dict[str, Any] = stage.actor.client("stepfunctions").describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING" or time.monotonic() > end:
            return execution
        time.sleep(0.02)


def verdict(who: str, what: str, problem: str) -> Verdict:
    text = f"{who}: {what}: {problem}" if problem else ""
    return Verdict(AREA, who, what, "wrong" if problem else "refused", text)
