"""Every call that the matrix makes with the credentials of each role."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from local.pipeline import STACK_NAME
from tests.attack.ledger import items, several_kinds, tables
from tests.attack.probe import Probe, probe
from tests.attack.stage import BODY, DOOMED, HELD, NEW, Stage

_STATEMENT = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})
_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "210987654321"}}
ANYBODY = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})


def probes(stage: Stage) -> list[Probe]:
    areas = (
        objects, buckets, keys, items, several_kinds, tables, queues, topics, functions, executions, transcriptions,
        entity_detections, audiences, roles, logs, account,
    )  # fmt: skip
    found = [probe for area in areas for probe in area(stage)]
    return sorted(found, key=lambda probe: probe.destroys)


def objects(stage: Stage) -> Iterator[Probe]:
    for target in stage.objects():
        bucket, prefix = stage.bucket_of(target)
        area = bucket_area(target.partition("/")[0])
        held: dict[str, Any] = {"Bucket": bucket, "Key": f"{prefix}/{HELD}"}
        new: dict[str, Any] = {"Bucket": bucket, "Key": f"{prefix}/{NEW}"}
        doomed: dict[str, Any] = {"Bucket": bucket, "Key": f"{prefix}/{DOOMED}"}
        s3 = partial(probe, area, service="s3")
        version = stage.actor.client("s3").head_object(**held).get("VersionId", "null")
        yield s3(f"head {target}", operation="head_object", **held)
        yield s3(f"read {target}", operation="get_object", then=lambda answer: answer["Body"].read(), **held)
        yield s3(f"read_version {target}", operation="get_object", VersionId=version, **held)
        # moto refuses the head of the one version, "null", that a bucket without versions has.
        if version != "null":
            yield s3(f"head_version {target}", operation="head_object", VersionId=version, **held)
        yield s3(f"read_tags {target}", operation="get_object_tagging", **held)
        yield s3(f"read_acl {target}", operation="get_object_acl", **held)
        yield s3(f"write {target}", operation="put_object", Body=BODY, **new)
        yield s3(f"write {target}", operation="create_multipart_upload", **new)
        yield s3(
            f"tag {target}", operation="put_object_tagging", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}, **held
        )
        yield s3(f"delete {target}", operation="delete_object", **doomed, destroys=True)
        yield s3(f"delete_version {target}", operation="delete_object", VersionId=version, **held, destroys=True)


def buckets(stage: Stage) -> Iterator[Probe]:
    for name, bucket in stage.buckets.items():
        s3 = partial(probe, bucket_area(name), service="s3", Bucket=bucket)
        rule = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
        nothing = {"Objects": [{"Key": "attack/nothing"}]}
        yield s3(f"list {name}", operation="list_objects_v2")
        yield s3(f"list {name}", operation="head_bucket")
        yield s3(f"list_recordings {name}", operation="list_objects_v2", Prefix="media/")
        yield s3(f"list_versions {name}", operation="list_object_versions")
        yield s3(f"list_uploads {name}", operation="list_multipart_uploads")
        yield s3(f"read_policy {name}", operation="get_bucket_policy", answers="NoSuchBucketPolicy")
        yield s3(
            f"put_policy {name}", operation="put_bucket_policy", Policy=EVERYTHING, answers="MalformedPolicy",
            destroys=True,
        )  # fmt: skip
        yield s3(f"delete_policy {name}", operation="delete_bucket_policy", destroys=True)
        yield s3(
            f"put_versioning {name}", operation="put_bucket_versioning",
            VersioningConfiguration={"Status": "Suspended"}, destroys=True,
        )  # fmt: skip
        yield s3(
            f"put_lifecycle {name}", operation="put_bucket_lifecycle_configuration",
            LifecycleConfiguration={"Rules": [rule]}, destroys=True,
        )  # fmt: skip
        yield s3(f"put_notification {name}", operation="put_bucket_notification_configuration",
                 NotificationConfiguration={}, destroys=True)  # fmt: skip
        yield s3(f"delete_many {name}", operation="delete_objects", Delete=nothing, destroys=True)
        yield s3(f"delete_bucket {name}", operation="delete_bucket", answers="BucketNotEmpty", destroys=True)


def bucket_area(bucket: str) -> str:
    return bucket if bucket in ("media", "clinical", "audience") else "buckets"


def keys(stage: Stage) -> Iterator[Probe]:
    for name, key in stage.keys.items():
        kms = partial(probe, "keys", service="kms", KeyId=key)
        secret = stage.actor.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        yield kms(f"decrypt {name}", operation="decrypt", CiphertextBlob=secret)
        yield kms(f"data_key {name}", operation="generate_data_key", KeySpec="AES_256")
        yield kms(
            f"data_key_without_plaintext {name}", operation="generate_data_key_without_plaintext", KeySpec="AES_256"
        )
        yield kms(f"encrypt {name}", operation="encrypt", Plaintext=b"x")
        re_encrypt = partial(
            probe, "keys", service="kms", operation="re_encrypt", CiphertextBlob=secret, SourceKeyId=key
        )
        yield re_encrypt(f"re_encrypt {name}", DestinationKeyId=key)
        if name != "bystander-key":
            # What was encrypted here would be readable with a key that anybody may have.
            yield re_encrypt(f"re_encrypt_for_others {name}", DestinationKeyId=stage.keys["bystander-key"])
        yield kms(f"describe_key {name}", operation="describe_key")
        yield kms(f"read_key_policy {name}", operation="get_key_policy", PolicyName="default")
        yield kms(
            f"grant {name}",
            operation="create_grant",
            GranteePrincipal=stage.roles["ingest"].arn,
            Operations=["Decrypt"],
        )
        yield kms(
            f"put_key_policy {name}", operation="put_key_policy", PolicyName="default", Policy="{}", destroys=True
        )
        yield kms(f"disable_rotation {name}", operation="disable_key_rotation", destroys=True)
        yield kms(f"disable_key {name}", operation="disable_key", destroys=True)
        yield kms(f"delete_key {name}", operation="schedule_key_deletion", PendingWindowInDays=7, destroys=True)


def queues(stage: Stage) -> Iterator[Probe]:
    for name, url in stage.queues.items():
        sqs = partial(probe, "queues", service="sqs", QueueUrl=url)
        wrong = "ReceiptHandleIsInvalid InvalidParameterValue"
        yield sqs(f"receive {name}", operation="receive_message", WaitTimeSeconds=0)
        yield sqs(f"delete_message {name}", operation="delete_message", ReceiptHandle="x", answers=wrong)
        yield sqs(
            f"change_visibility {name}", operation="change_message_visibility", ReceiptHandle="x", VisibilityTimeout=1,
            answers=wrong,
        )  # fmt: skip
        yield sqs(f"queue_attributes {name}", operation="get_queue_attributes", AttributeNames=["QueueArn"])
        yield sqs(f"send {name}", operation="send_message", MessageBody="{}", destroys=True)
        yield sqs(f"set_queue_attributes {name}", operation="set_queue_attributes",
                  Attributes={"VisibilityTimeout": "1"}, destroys=True)  # fmt: skip
        yield sqs(f"purge {name}", operation="purge_queue", destroys=True)
        yield sqs(f"delete_queue {name}", operation="delete_queue", destroys=True)


def topics(stage: Stage) -> Iterator[Probe]:
    for name, arn in stage.topics.items():
        sns = partial(probe, "topics", service="sns", TopicArn=arn)
        yield sns(f"publish {name}", operation="publish", Message="x")
        yield sns(f"subscribe {name}", operation="subscribe", Protocol="sqs", Endpoint=f"{arn}".replace("sns", "sqs"))
        yield sns(f"topic_attributes {name}", operation="get_topic_attributes")
        yield sns(f"delete_topic {name}", operation="delete_topic", destroys=True)


def functions(stage: Stage) -> Iterator[Probe]:
    for name, arn in stage.functions.items():
        function = partial(probe, "functions", service="lambda", FunctionName=arn)
        # Checked like any other invocation, and not run.
        yield function(f"invoke {name}", operation="invoke", InvocationType="DryRun")
        yield function(f"get_function {name}", operation="get_function")
        yield function(
            f"configure_function {name}", operation="update_function_configuration", Timeout=60, destroys=True
        )
        yield function(
            f"replace_code {name}", operation="update_function_code", ZipFile=b"x", DryRun=True, destroys=True,
            answers="InvalidParameterValueException",
        )  # fmt: skip
        yield function(
            f"share_function {name}", operation="add_permission", StatementId="attack", Action="lambda:InvokeFunction",
            Principal="210987654321", destroys=True,
        )  # fmt: skip
        yield function(f"delete_function {name}", operation="delete_function", destroys=True)


def executions(stage: Stage) -> Iterator[Probe]:
    states = partial(probe, "executions", service="stepfunctions")
    for name, arn in stage.machines.items():
        machine = partial(states, stateMachineArn=arn)
        taken = stage.executions[name].rpartition(":")[2]
        # Its name is taken, so that nothing starts.
        yield machine(f"start_execution {name}", operation="start_execution", name=taken, input='{"attack": true}',
                      answers="ExecutionAlreadyExists")  # fmt: skip
        yield machine(f"list_executions {name}", operation="list_executions")
        yield machine(f"read_definition {name}", operation="describe_state_machine")
        yield machine(f"replace_definition {name}", operation="update_state_machine",
                      definition=json.dumps({"StartAt": "Attack", "States": {"Attack": {"Type": "Succeed"}}}),
                      destroys=True)  # fmt: skip
        yield machine(f"delete_machine {name}", operation="delete_state_machine", destroys=True)
    for name, arn in stage.executions.items():
        execution = partial(states, executionArn=arn)
        yield execution(f"describe_execution {name}", operation="describe_execution")
        yield execution(f"read_history {name}", operation="get_execution_history")
        yield execution(f"list_map_runs {name}", operation="list_map_runs")
        yield execution(f"stop_execution {name}", operation="stop_execution", answers="ValidationException")
        yield execution(f"redrive_execution {name}", operation="redrive_execution",
                        answers="ExecutionNotRedrivable ValidationException")  # fmt: skip
    yield states("describe_map_run pipeline", operation="describe_map_run", mapRunArn=stage.map_run)
    # The Map Run has ended.
    yield states("resize_map_run pipeline", operation="update_map_run", mapRunArn=stage.map_run, maxConcurrency=0,
                 answers="ValidationException")  # fmt: skip
    yield states("answer_token account", operation="send_task_success", taskToken="attack", output="{}",
                 answers="InvalidToken")  # fmt: skip
    yield states("list_machines account", operation="list_state_machines")
    yield states(
        "create_machine account", operation="create_state_machine", name="attack",
        roleArn=stage.roles["state machine"].arn,
        definition=json.dumps({"StartAt": "X", "States": {"X": {"Type": "Pass", "End": True}}}), destroys=True,
    )  # fmt: skip


def transcriptions(stage: Stage) -> Iterator[Probe]:
    transcribe = partial(probe, "jobs", service="transcribe")
    recording = {"MediaFileUri": next(iter(stage.dropped.texts))}
    start = partial(
        transcribe, operation="start_medical_transcription_job", answers="ConflictException",
        # The name is taken, so that nothing starts.
        MedicalTranscriptionJobName=stage.transcription, LanguageCode="en-US", Specialty="PRIMARYCARE",
        Type="DICTATION", Media=recording,
    )  # fmt: skip
    for name in ("clinical", "media", "bystander"):
        yield start(f"start_transcription into-{name}", OutputBucketName=stage.buckets[name])
    tags = [{"Key": "study", "Value": "7"}]
    yield start("tag_transcription job", OutputBucketName=stage.buckets["clinical"], Tags=tags)
    job = partial(transcribe, MedicalTranscriptionJobName=stage.transcription)
    yield job("get_transcription job", operation="get_medical_transcription_job")
    yield transcribe("list_transcriptions jobs", operation="list_medical_transcription_jobs")
    yield job("delete_transcription job", operation="delete_medical_transcription_job", destroys=True)
    # Another kind of job, which may write into buckets of the service's own.
    yield transcribe("start_plain_transcription job", operation="start_transcription_job", LanguageCode="en-US",
                     TranscriptionJobName="attack", Media=recording, answers="ConflictException",
                     destroys=True)  # fmt: skip


def entity_detections(stage: Stage) -> Iterator[Probe]:
    comprehend = partial(probe, "jobs", service="comprehendmedical")
    job = partial(comprehend, JobId=stage.entity_detection)
    yield comprehend("list_entity_detections jobs", operation="list_entities_detection_v2_jobs")
    yield job("describe_entity_detection job", operation="describe_entities_detection_v2_job")
    yield job(
        "stop_entity_detection job", operation="stop_entities_detection_v2_job", answers="InvalidRequestException"
    )
    yield comprehend("detect_entities text", operation="detect_entities_v2", Text="no fever")
    place = {"S3Bucket": stage.buckets["clinical"]}
    for name, arn in stage.all_roles.items():
        # A token makes all of them, whoever asks, one job over an empty prefix.
        yield comprehend(
            f"pass_to_comprehendmedical {name}", operation="start_entities_detection_v2_job", LanguageCode="en",
            InputDataConfig=place | {"S3Key": "documents/attack/none/"},
            OutputDataConfig=place | {"S3Key": "entities/"}, DataAccessRoleArn=arn,
            ClientRequestToken="attack-" + re.sub("[^A-Za-z]", "-", name),
            answers="TooManyRequestsException",
        )  # fmt: skip


def audiences(stage: Stage) -> Iterator[Probe]:
    ml = partial(probe, "jobs", service="cleanroomsml")
    arn = stage.generation["audienceGenerationJobArn"]
    source = stage.generation["seedAudience"]["dataSource"]

    def start(right: str, model: str, role: str, **more: Any) -> Probe:
        # Its name is taken, so that nothing starts.
        return ml(
            right, operation="start_audience_generation_job", answers="ConflictException",
            name=stage.generation["name"], configuredAudienceModelArn=model,
            seedAudience={"dataSource": source, "roleArn": role}, **more,
        )  # fmt: skip

    ours, reader = stage.models["our-model"], stage.roles["SeedReader"].arn
    for name, model in stage.models.items():
        yield start(f"start_audience_generation {name}", model, reader)
        yield ml(f"get_audience_model {name}", operation="get_configured_audience_model",
                 configuredAudienceModelArn=model)  # fmt: skip
    yield start("tag_audience_generation job", ours, reader, tags={"study": "7"})
    for name, role in stage.all_roles.items():
        yield start(f"pass_to_cleanrooms_ml {name}", ours, role)
    job = partial(ml, audienceGenerationJobArn=arn)
    yield job("get_audience_generation job", operation="get_audience_generation_job")
    yield ml("list_audience_generations jobs", operation="list_audience_generation_jobs")
    yield job("start_audience_export job", operation="start_audience_export_job", name=stage.export,
              audienceSize={"type": "PERCENTAGE", "value": 20}, answers="ConflictException")  # fmt: skip
    yield job("list_audience_exports jobs", operation="list_audience_export_jobs")
    yield job("delete_audience_generation job", operation="delete_audience_generation_job", destroys=True)


def roles(stage: Stage) -> Iterator[Probe]:
    for name, arn in stage.all_roles.items():
        role = partial(probe, "roles", service="iam", RoleName=arn.rpartition("/")[2])
        yield probe("roles", f"assume {name}", "sts", "assume_role", RoleArn=arn, RoleSessionName="attack")
        yield role(f"read_role {name}", operation="get_role")
        yield role(f"widen_role {name}", operation="put_role_policy", PolicyName="attack", destroys=True,
                   PolicyDocument=EVERYTHING)  # fmt: skip
        yield role(f"widen_role {name}", operation="attach_role_policy", destroys=True, answers="NoSuchEntity",
                   PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")  # fmt: skip
        yield role(f"widen_trust {name}", operation="update_assume_role_policy", destroys=True,
                   PolicyDocument=ANYBODY)  # fmt: skip
        yield role(f"delete_role {name}", operation="delete_role", answers="DeleteConflict", destroys=True)


def logs(stage: Stage) -> Iterator[Probe]:
    for name, group in stage.log_groups.items():
        log = partial(probe, "logs", service="logs", logGroupName=group)
        event = {"timestamp": 1_800_000_000_000, "message": "x"}
        yield log(f"log {name}", operation="create_log_stream", logStreamName="attack",
                  answers="ResourceAlreadyExistsException")  # fmt: skip
        yield log(f"log {name}", operation="put_log_events", logStreamName="attack", logEvents=[event],
                  answers="ResourceNotFoundException")  # fmt: skip
        yield log(f"read_log {name}", operation="filter_log_events")
        yield log(f"shorten_log {name}", operation="put_retention_policy", retentionInDays=1, destroys=True)
        yield log(f"delete_log {name}", operation="delete_log_group", destroys=True)
    log = partial(probe, "logs", service="logs")
    yield log("list_log_groups account", operation="describe_log_groups")
    yield log("list_log_policies account", operation="describe_resource_policies")
    yield log("put_log_policy account", operation="put_resource_policy", policyName="attack",
              policyDocument=EVERYTHING)  # fmt: skip


def account(stage: Stage) -> Iterator[Probe]:
    stack: dict[str, Any] = {"StackName": STACK_NAME}
    rest = partial(probe, "account")
    yield rest("read secret", "secretsmanager", "get_secret_value", SecretId="bystander")
    yield rest("read parameter", "ssm", "get_parameter", Name="/cdk-bootstrap/hnb659fds/version")
    yield rest("list_buckets account", "s3", "list_buckets")
    yield rest("create_bucket account", "s3", "create_bucket", Bucket="attack-bucket")
    yield rest("list_queues account", "sqs", "list_queues")
    yield rest("list_keys account", "kms", "list_keys")
    yield rest("list_functions account", "lambda", "list_functions")
    yield rest("list_roles account", "iam", "list_roles")
    yield rest("list_secrets account", "secretsmanager", "list_secrets")
    yield rest("read_template stack", "cloudformation", "get_template", **stack)
    yield rest("read_events stack", "cloudformation", "describe_stack_resources", **stack)
    yield rest("create_user account", "iam", "create_user", UserName="attack", answers="EntityAlreadyExists")
    yield rest("create_access_key account", "iam", "create_access_key", UserName="bystander", answers="LimitExceeded")
    yield rest("create_policy account", "iam", "create_policy", PolicyName="attack", PolicyDocument=EVERYTHING,
               answers="EntityAlreadyExists")  # fmt: skip
    yield rest("create_role account", "iam", "create_role", RoleName="attack", AssumeRolePolicyDocument=ANYBODY,
               answers="EntityAlreadyExists")  # fmt: skip
    yield rest("send_events bus", "events", "put_events",
               Entries=[{"Source": "attack", "DetailType": "attack", "Detail": "{}"}])  # fmt: skip
    yield rest("read_rule recordings", "events", "describe_rule", Name=stage.rule)
    yield rest("redirect_rule recordings", "events", "put_targets", Rule=stage.rule, destroys=True,
               Targets=[{"Id": "attack", "Arn": stage.topics["bystander"]}])  # fmt: skip
    nested = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
    yield rest(
        "read_rule nested-executions", "events", "describe_rule", Name=nested, answers="ResourceNotFoundException"
    )
    yield rest("redirect_rule nested-executions", "events", "put_targets", Rule=nested, destroys=True,
               Targets=[{"Id": "attack", "Arn": stage.functions["ingest"]}],
               answers="ResourceNotFoundException")  # fmt: skip
    yield rest("disable_rule recordings", "events", "disable_rule", Name=stage.rule, destroys=True)
    # By then functions and queues are gone and roles have other policies, so that it can't be deleted any more.
    yield rest("delete_stack stack", "cloudformation", "delete_stack", **stack, destroys=True,
               answers="DeleteConflict ResponseParserError AWS.SimpleQueueService.NonExistentQueue")  # fmt: skip
