"""Point -> a change of the local AWS after which the point has to be refuted.

Each change is undone at its end, for the next verification.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudformation.models import cloudformation_backends
from moto.dynamodb.models import DynamoDBBackend
from moto.s3.responses import S3Response

from local.aws.account import CONCURRENT_TRANSCRIPTIONS
from local.aws.credentials import ACCOUNT_ID
from local.aws.executions import Execution
from local.aws.open_points import DEFAULT, OpenPoints
from local.pipeline import Pipeline
from local.server import REGION
from local.services.comprehendmedical import jobs as entity_jobs
from local.services.transcribe import failures
from local.services.transcribe import jobs as transcription_jobs
from operations.verify.rehearsal import TEST_PATIENT, Steps

PREFIX = "clinical-media-local"
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
Fault = Callable[[Pipeline], AbstractContextManager[None]]


@contextmanager
def patched(target: Any, name: str, value: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, value)
        yield


@contextmanager
def injected(pipeline: Pipeline, service: str, operation: str, kind: Any, **details: Any) -> Iterator[None]:
    pipeline.aws.faults.inject(service, operation, kind, times=10_000, **details)
    try:
        yield
    finally:
        pipeline.aws.faults.clear()


@contextmanager
def statements_of_bucket(
    pipeline: Pipeline, bucket: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> Iterator[None]:
    s3 = pipeline.aws.client("s3")
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    document = json.loads(before)
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({**document, "Statement": change(list(document["Statement"]))})
    )
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=before)


def refused_writes(below: str) -> Fault:
    """The clinical bucket refuses every write below a prefix."""

    @contextmanager
    def fault(pipeline: Pipeline) -> Iterator[None]:
        resource = f"arn:aws:s3:::{pipeline.clinical_bucket}/{below}*"
        denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resource}
        with statements_of_bucket(pipeline, pipeline.clinical_bucket, lambda statements: [*statements, denial]):
            yield

    return fault


def key_without(sid: str) -> Fault:
    """The policy of the operations key lacks a statement."""

    @contextmanager
    def fault(pipeline: Pipeline) -> Iterator[None]:
        kms = pipeline.aws.client("kms")
        key = kms.describe_key(KeyId=f"alias/{PREFIX}-operations")["KeyMetadata"]["KeyId"]
        before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        document = json.loads(before)
        kept = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
        assert len(kept) < len(document["Statement"])
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({**document, "Statement": kept}))
        try:
            yield
        finally:
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)

    return fault


def without_log_group(function: str) -> Fault:
    """A function's log group was deleted, so that its lines and metrics are lost."""

    @contextmanager
    def fault(pipeline: Pipeline) -> Iterator[None]:
        logs, group = pipeline.aws.client("logs"), f"/aws/lambda/{PREFIX}-{function}"
        logs.delete_log_group(logGroupName=group)
        try:
            yield
        finally:
            logs.create_log_group(logGroupName=group)

    return fault


@contextmanager
def bad_credentials(pipeline: Pipeline) -> Iterator[None]:
    with injected(pipeline, "sts", "GetCallerIdentity", "access_denied"):
        yield


@contextmanager
def unreachable_service(pipeline: Pipeline) -> Iterator[None]:
    # Only the check asks for one job per page; the rehearsal lists jobs, too.
    with injected(pipeline, "comprehendmedical", "ListEntitiesDetectionV2Jobs", "drop", contains='"MaxResults": 1'):
        yield


@contextmanager
def no_bootstrap(pipeline: Pipeline) -> Iterator[None]:
    ssm = pipeline.aws.client("ssm")
    version = ssm.get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"]
    ssm.delete_parameter(Name=BOOTSTRAP)
    try:
        yield
    finally:
        ssm.put_parameter(Name=BOOTSTRAP, Value=version, Type="String")


@contextmanager
def failed_update(pipeline: Pipeline) -> Iterator[None]:
    stacks = cloudformation_backends[ACCOUNT_ID][REGION].stacks.values()
    (stack,) = [stack for stack in stacks if stack.name == PREFIX]
    with patched(stack, "status", "UPDATE_ROLLBACK_FAILED"):
        yield


@contextmanager
def any_encryption(pipeline: Pipeline) -> Iterator[None]:
    with statements_of_bucket(
        pipeline,
        pipeline.media_bucket,
        lambda statements: [item for item in statements if item.get("Sid") != "OnlyKms"],
    ):
        yield


@contextmanager
def conditions_ignored(pipeline: Pipeline) -> Iterator[None]:
    put = S3Response.put_object

    def unconditionally(self: S3Response) -> Any:
        headers = self.headers
        self.headers = {name: value for name, value in headers.items() if name != "If-None-Match"}
        return put(self)

    with patched(S3Response, "put_object", unconditionally):
        yield


@contextmanager
def no_recovery(pipeline: Pipeline) -> Iterator[None]:
    """The ledger has no point-in-time recovery."""
    dynamodb, table = pipeline.aws.client("dynamodb"), outputs_of(pipeline)["LedgerTableName"]

    def recover(wanted: bool) -> None:
        specification = {"PointInTimeRecoveryEnabled": wanted}
        dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=specification)

    recover(False)
    try:
        yield
    finally:
        recover(True)


@contextmanager
def transactions_in_part(pipeline: Pipeline) -> Iterator[None]:
    """A transaction with an unmet check still makes its other changes; the functions' transactions stay atomic."""
    transact = DynamoDBBackend.transact_write_items

    def in_part(self: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
        if "probe#" in str(items):
            transact(self, [item for item in items if "ConditionCheck" not in item])
        transact(self, items)

    with patched(DynamoDBBackend, "transact_write_items", in_part):
        yield


def outputs_of(pipeline: Pipeline) -> dict[str, str]:
    (stack,) = pipeline.aws.client("cloudformation").describe_stacks(StackName=PREFIX)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@contextmanager
def functions_without_code(pipeline: Pipeline) -> Iterator[None]:
    functions, name = pipeline.aws.client("lambda"), f"{PREFIX}-plan_batch"
    functions.update_function_configuration(FunctionName=name, Handler="lambdas.nothing.handler")
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Handler="lambdas.plan_batch.handler")


@contextmanager
def strict_trust(pipeline: Pipeline) -> Iterator[None]:
    """The role trusts the state machine's own ARN only, and the children send the labelled one."""
    iam, machine = pipeline.aws.client("iam"), pipeline.state_machine_arn
    arn = pipeline.aws.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["roleArn"]
    role = arn.rpartition("/")[2]
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    strict = json.loads(json.dumps(before))
    for statement in strict["Statement"]:
        statement["Condition"]["ArnLike"]["aws:SourceArn"] = machine
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(strict))
    try:
        pipeline.aws.open_points = OpenPoints(map_children="labelled")
        yield
    finally:
        pipeline.aws.open_points = DEFAULT
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))


@contextmanager
def no_events(pipeline: Pipeline) -> Iterator[None]:
    """No recording's event reaches the queue; that none does is believed sooner than that an execution doesn't end."""
    drop = Steps.drop

    def impatiently(self: Steps) -> list[str]:
        with patched(self, "_patience", 10):
            return drop(self)

    with key_without("RecordingsToQueue")(pipeline), patched(Steps, "drop", impatiently):
        yield


@contextmanager
def unknown_reason(pipeline: Pipeline) -> Iterator[None]:
    with patched(failures, "INVALID_DATA", "The recording could not be understood."):
        yield


@contextmanager
def no_redrive(pipeline: Pipeline) -> Iterator[None]:
    with patched(Execution, "redrive_status", lambda self: ("NOT_REDRIVABLE", "Executions are not redriven here")):
        yield


@contextmanager
def everything_anew(pipeline: Pipeline) -> Iterator[None]:
    """A rerun reuses nothing."""

    start = Steps._start

    def anew(self: Steps, media: list[str]) -> str:
        if TEST_PATIENT not in media[0] or pipeline.media_bucket not in media[0]:
            return start(self, media)
        started: str = pipeline.aws.client("stepfunctions").start_execution(
            stateMachineArn=pipeline.state_machine_arn, input=json.dumps({"media": media, "reprocess": True})
        )["executionArn"]
        return started

    with patched(Steps, "_start", anew):
        yield


@contextmanager
def any_bucket(pipeline: Pipeline) -> Iterator[None]:
    """An input is accepted that should have been refused."""
    start = Steps._start

    def as_ours(self: Steps, media: list[str]) -> str:
        return start(self, [f"s3://{pipeline.media_bucket}/{uri.split('/', 3)[3]}" for uri in media])

    with patched(Steps, "_start", as_ours):
        yield


@contextmanager
def slow_transcription(pipeline: Pipeline) -> Iterator[None]:
    transcribe = transcription_jobs.MedicalTranscriptionJob.transcribe

    def slowly(self: Any, *arguments: Any) -> None:
        self._created -= timedelta(hours=1)
        transcribe(self, *arguments)

    with patched(transcription_jobs.MedicalTranscriptionJob, "transcribe", slowly):
        yield


@contextmanager
def slow_detection(pipeline: Pipeline) -> Iterator[None]:
    describe = entity_jobs.Job.describe

    def slowly(self: Any) -> dict[str, Any]:
        described: dict[str, Any] = describe(self)
        return {**described, "SubmitTime": described["SubmitTime"] - timedelta(hours=1)}

    with patched(entity_jobs.Job, "describe", slowly):
        yield


@contextmanager
def no_sharing(pipeline: Pipeline) -> Iterator[None]:
    with injected(pipeline, "stepfunctions", "ListExecutions", "access_denied", function="share_jobs"):
        yield


@contextmanager
def no_tracing(pipeline: Pipeline) -> Iterator[None]:
    iam, functions = pipeline.aws.client("iam"), pipeline.aws.client("lambda")
    role = functions.get_function_configuration(FunctionName=f"{PREFIX}-plan_batch")["Role"].rpartition("/")[2]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    (tracing,) = [policy["PolicyArn"] for policy in attached if "Tracing" in policy["PolicyName"]]
    iam.detach_role_policy(RoleName=role, PolicyArn=tracing)
    try:
        yield
    finally:
        iam.attach_role_policy(RoleName=role, PolicyArn=tracing)


@contextmanager
def closed_dead_letter_queue(pipeline: Pipeline) -> Iterator[None]:
    sqs = pipeline.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{PREFIX}-ingest-dead-letters")["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    nothing = {"Version": "2012-10-17", "Statement": []}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(nothing)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": before})


def table_elsewhere(name: str) -> Fault:
    """The table's location has no files."""

    @contextmanager
    def elsewhere(pipeline: Pipeline) -> Iterator[None]:
        glue, database = pipeline.aws.client("glue"), PREFIX.replace("-", "_")
        table = glue.get_table(DatabaseName=database, Name=name)["Table"]
        wanted = ("Name", "Parameters", "PartitionKeys", "StorageDescriptor", "TableType")
        described = {member: table[member] for member in wanted if member in table}
        storage = {**described["StorageDescriptor"], "Location": f"s3://{pipeline.clinical_bucket}/nothing/"}
        glue.update_table(DatabaseName=database, TableInput={**described, "StorageDescriptor": storage})
        try:
            yield
        finally:
            glue.update_table(DatabaseName=database, TableInput=described)

    return elsewhere


@contextmanager
def failed_audience(pipeline: Pipeline) -> Iterator[None]:
    """An audience generation fails because its role may not read the seed."""
    ml, iam = pipeline.aws.client("cleanroomsml"), pipeline.aws.client("iam")
    model = ml.list_configured_audience_models()["configuredAudienceModels"][0]["configuredAudienceModelArn"]
    principal = {"Service": "cleanrooms-ml.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="no-rights", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    seed = {"dataSource": {"s3Uri": f"s3://{pipeline.audience_bucket}/seeds/none.jsonl"}, "roleArn": role}
    arn = ml.start_audience_generation_job(
        name=f"{PREFIX}-verify-1", configuredAudienceModelArn=model, seedAudience=seed
    )["audienceGenerationJobArn"]
    while "PROGRESS" in (status := ml.get_audience_generation_job(audienceGenerationJobArn=arn)["status"]) or (
        status == "CREATE_PENDING"
    ):
        pass
    try:
        yield
    finally:
        ml.delete_audience_generation_job(audienceGenerationJobArn=arn)
        iam.delete_role(RoleName="no-rights")


@contextmanager
def a_copy_elsewhere(pipeline: Pipeline) -> Iterator[None]:
    """An unknown file names the patient."""
    s3 = pipeline.aws.client("s3")
    answer = s3.put_object(Bucket=pipeline.clinical_bucket, Key="notes/mine.txt", Body=TEST_PATIENT.encode())
    try:
        yield
    finally:
        s3.delete_object(Bucket=pipeline.clinical_bucket, Key="notes/mine.txt", VersionId=answer["VersionId"])


def quota(code: str, name: str, value: float) -> Fault:
    """A quota of the account has this value."""

    @contextmanager
    def fault(pipeline: Pipeline) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(pipeline.aws.account.quotas, (code, name), value)
            yield

    return fault


@contextmanager
def no_organization(pipeline: Pipeline) -> Iterator[None]:
    with patched(pipeline.aws.account, "effective_policies", None):
        yield


@contextmanager
def announced_end(pipeline: Pipeline) -> Iterator[None]:
    event = {"lifecycleEventType": "END_OF_SUPPORT", "date": datetime.now(UTC) + timedelta(days=30)}
    entry = {"service": "COMPREHENDMEDICAL", "title": "Comprehend Medical", "lifecycleEvents": [event]}
    with patched(pipeline.aws.account, "service_lifecycles", [entry]):
        yield


FAULTS: dict[str, Fault] = {
    "credentials": bad_credentials,
    "services": unreachable_service,
    "quota-transcription": quota("transcribe", CONCURRENT_TRANSCRIPTIONS, 5),
    "quota-entity-detection": quota("comprehendmedical", "Active batch jobs per operation", 0),
    "quota-audiences": quota("cleanrooms-ml", "Audience generation jobs in progress", 1),
    "lambda-concurrency": quota("lambda", "Concurrent executions", 10),
    "ai-opt-out": no_organization,
    "bootstrap": no_bootstrap,
    "lifecycle": announced_end,
    "stack": failed_update,
    "other-encryption": any_encryption,
    "conditional-writes": conditions_ignored,
    "ledger": no_recovery,
    "ledger-writes": transactions_in_part,
    "events": no_events,
    "functions": functions_without_code,
    "map-children": strict_trust,
    "transcription": refused_writes("transcripts/"),
    "rejection": unknown_reason,
    "entity-detection": refused_writes("entities/"),
    "results": refused_writes("reports/"),
    "redrive": no_redrive,
    "rerun": everything_anew,
    "foreign-bucket": any_bucket,
    "transcription-time": slow_transcription,
    "entity-detection-time": slow_detection,
    "machine-log": key_without("StepFunctionsLogs"),
    "function-log": without_log_group("plan_batch"),
    "job-sharing": no_sharing,
    "metrics": without_log_group("summarize_batch"),
    "traces": no_tracing,
    "alarms": key_without("AlarmsToTopic"),
    "dead-letters": closed_dead_letter_queue,
    "athena": table_elsewhere("entity_records"),
    "tables": table_elsewhere("findings"),
    "audience": failed_audience,
    "forgotten": a_copy_elsewhere,
}

# Of these a rehearsal takes no notice: with them or without, it leaves the same to look at.
MET_BY_LOOKS_ONLY = (
    "stack",
    "other-encryption",
    "ledger",
    "ledger-writes",
    "alarms",
    "dead-letters",
    "athena",
    "tables",
    "audience",
)
