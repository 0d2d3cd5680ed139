"""A deployed pipeline that has worked once, with everything an attack aims at in it: no 404 may hide an allow."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from infra.functions import FUNCTIONS
from lambdas.searching.files import request
from lambdas.searching.traces import Traces
from lambdas.shared.layout import search_request_key
from local.aws.credentials import ACCOUNT_ID, assume_service_role
from local.pipeline import STACK_NAME
from local.server import ASSET_BUCKET, REGION
from tests.attack import intruder
from tests.attack.actor import Actor
from tests.faults.world import Dropped, World, world

# As a line of records/, which a later execution reads: of nobody who consented.
BODY = b'{"audience_consent": false}\n'
PREFIXES = {
    "media": ("media", "mediaother"),
    # The last begins as another does, so that a policy which forgets the slash is found.
    "clinical": (
        "transcripts", "documents", "entity-jobs", "entities", "records", "deidentified", "reports", "batches",
        "batchesother", "searches", "analysis/findings", "analysis/utterances",
    ),
    "audience": ("seeds", "suppression", "seedsother"),
}  # fmt: skip
# The last begins as another does, so that a policy which forgets what ends the kind is found.
KINDS = (
    *("execution", "claim", "object", "job", "spending", "turn", "turns", "indexes", "index", "outline"),
    *("changed", "analysed", "compaction", "patient"),
    "claimother",
)
HELD, DOOMED, NEW = "attack/held.json", "attack/doomed.json", "attack/new.json"


class Role(NamedTuple):
    """A role of the stack by the name that the allow list has for it, and the service that it is there for."""

    name: str
    arn: str
    service: str
    source_arn: str


class Stage(NamedTuple):
    """Names and ARNs by the name that the matrix has for them; a bystander is in the account but not in the stack."""

    world: World
    dropped: Dropped
    actor: Actor
    roles: dict[str, Role]
    buckets: dict[str, str]
    keys: dict[str, str]
    tables: dict[str, str]
    queues: dict[str, str]
    topics: dict[str, str]
    functions: dict[str, str]
    machines: dict[str, str]
    executions: dict[str, str]
    log_groups: dict[str, str]
    models: dict[str, str]
    all_roles: dict[str, str]
    rule: str
    execution: dict[str, Any]
    map_run: str
    transcription: str
    entity_detection: str
    generation: dict[str, Any]
    export: str
    intruder: dict[str, str]

    def bucket_of(self, target: str) -> tuple[str, str]:
        """Bucket and prefix of a target such as `clinical/records`."""
        bucket, _, prefix = target.partition("/")
        return self.buckets[bucket], prefix

    def objects(self) -> list[str]:
        return [f"{bucket}/{prefix}" for bucket in self.buckets for prefix in PREFIXES.get(bucket, ("other",))]


@contextmanager
def stage() -> Iterator[Stage]:
    """The `local` environment's stack with its own roles, after one drop of recordings that went all the way."""
    with world() as running:
        dropped = running.drop()
        (execution, *_) = running.settled(dropped)
        assert execution["status"] == "SUCCEEDED", running.run.causes(execution)
        actor = Actor(running.run.pipeline.aws.endpoint)
        yield _set(running, dropped, actor, execution)


def _set(running: World, dropped: Dropped, actor: Actor, execution: dict[str, Any]) -> Stage:
    pipeline = running.run.pipeline
    resources = [
        item
        for page in actor.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
        for item in page["StackResourceSummaries"]
    ]

    def physical(kind: str) -> dict[str, str]:
        return {
            item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources if item["ResourceType"] == kind
        }

    (rule, *_) = physical("AWS::Events::Rule").values()
    rule = rule.rpartition("/")[2]
    # Probes write below media/ too, and should not become executions.
    actor.client("events").disable_rule(Name=rule)
    buckets = {
        "media": pipeline.media_bucket,
        "clinical": pipeline.clinical_bucket,
        "audience": pipeline.audience_bucket,
        "code": ASSET_BUCKET,
    }
    named = set(buckets.values())
    buckets |= {
        short(name, ("Storage",), ("Bucket",)): bucket
        for name, bucket in physical("AWS::S3::Bucket").items()
        if bucket not in named
    }
    functions = {
        item["FunctionName"].removeprefix(f"{STACK_NAME}-"): item
        for item in actor.client("lambda").list_functions(MaxItems=1000)["Functions"]
    }
    machines = {
        "state machine": pipeline.state_machine_arn,
        "backfill": pipeline.backfill_arn,
        "search": pipeline.search_arn,
        "analysis": pipeline.analysis_arn,
    }
    roles, everybody = _roles(actor, machines, functions, physical("AWS::IAM::Role"), execution)
    keys = {f"{short(name, ('Storage',), ('Key',))}-key": key for name, key in physical("AWS::KMS::Key").items()}
    queues = {_last(name).removeprefix(f"{STACK_NAME}-"): name for name in physical("AWS::SQS::Queue").values()}
    topics = {_last(name).removeprefix(f"{STACK_NAME}-"): name for name in physical("AWS::SNS::Topic").values()}
    groups = {_last(name): name for name in physical("AWS::Logs::LogGroup").values()}
    bystanders = _bystanders(actor, roles["ingest"].arn)
    tables = {
        "members" if "Members" in name else "ledger": table for name, table in physical("AWS::DynamoDB::Table").items()
    }
    tables["bystander"] = bystanders["table"]
    buckets["bystander"] = bystanders["bucket"]
    keys["bystander-key"] = bystanders["key"]
    queues["bystander"] = bystanders["queue"]
    topics["bystander"] = bystanders["topic"]
    groups["bystander"] = bystanders["log group"]
    ml = actor.client("cleanroomsml")
    generation = ml.list_audience_generation_jobs()["audienceGenerationJobs"][0]
    generation = ml.get_audience_generation_job(audienceGenerationJobArn=generation["audienceGenerationJobArn"])
    our_model = generation["configuredAudienceModelArn"]
    model = ml.get_configured_audience_model(configuredAudienceModelArn=our_model)
    copied = {name: model[name] for name in ("audienceModelArn", "outputConfig", "sharedAudienceMetrics")}
    other_model = ml.create_configured_audience_model(name="bystander", **copied)["configuredAudienceModelArn"]
    children = running.run.children(execution)
    backfill = _backfill(running, next(iter(dropped.texts)))
    search = _search(running)
    compaction = running.run.compact()
    found = Stage(
        world=running,
        dropped=dropped,
        actor=actor,
        roles=roles,
        buckets=buckets,
        keys=keys,
        tables=tables,
        queues=queues,
        topics=topics,
        functions={name: item["FunctionArn"] for name, item in functions.items()}
        | {"bystander": bystanders["function"]},
        machines={
            "pipeline": pipeline.state_machine_arn,
            "backfill": pipeline.backfill_arn,
            "search": pipeline.search_arn,
            "analysis": pipeline.analysis_arn,
            "bystander": bystanders["state machine"],
        },
        executions={
            "pipeline": execution["executionArn"],
            "pipeline-child": children[0]["executionArn"],
            "backfill": backfill["executionArn"],
            "backfill-child": running.run.children(backfill, "Batches")[0]["executionArn"],
            "search": search["executionArn"],
            "search-child": running.run.children(search, "SearchRanges")[0]["executionArn"],
            "analysis": compaction["executionArn"],
            "analysis-child": running.run.children(compaction, "CompactDigits")[0]["executionArn"],
            "bystander": bystanders["execution"],
        },
        log_groups=groups,
        models={"our-model": our_model, "other-model": other_model},
        all_roles=everybody,
        rule=rule,
        execution=execution,
        map_run=running.run.stepfunctions.list_map_runs(executionArn=execution["executionArn"])["mapRuns"][0][
            "mapRunArn"
        ],
        transcription=actor.client("transcribe").list_medical_transcription_jobs()["MedicalTranscriptionJobSummaries"][
            0
        ]["MedicalTranscriptionJobName"],
        entity_detection=actor.client("comprehendmedical").list_entities_detection_v2_jobs()[
            "ComprehendMedicalAsyncJobPropertiesList"
        ][0]["JobId"],
        generation=generation,
        export=ml.list_audience_export_jobs()["audienceExportJobs"][0]["name"],
        intruder=intruder.let_in(actor),
    )
    for target in found.objects():
        bucket, prefix = found.bucket_of(target)
        for name in (HELD, DOOMED):
            actor.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=BODY)
    for table, table_name in tables.items():
        for kind in KINDS:
            for name in (HELD, DOOMED):
                actor.client("dynamodb").put_item(TableName=table_name, Item=item(table, kind, name))
    return found


def _backfill(running: World, uri: str) -> dict[str, Any]:
    """An ended backfill over a recording that is finished."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    started = running.run.stepfunctions.start_execution(
        stateMachineArn=running.run.pipeline.backfill_arn,
        name="again",
        input=json.dumps({"bucket": bucket, "prefix": key}),
    )
    execution = running.run.ended(started["executionArn"])
    assert execution["status"] == "SUCCEEDED", running.run.causes(execution)
    return execution


def _search(running: World) -> dict[str, Any]:
    """An ended search of the access logs."""
    run, name = running.run, "search"
    wanted = json.dumps(request(Traces(["nobody"]), "logs"))
    run.s3.put_object(Bucket=run.pipeline.clinical_bucket, Key=search_request_key(name), Body=wanted.encode())
    started = run.stepfunctions.start_execution(
        stateMachineArn=run.pipeline.search_arn, name=name, input=json.dumps({"search_id": name})
    )
    execution = run.ended(started["executionArn"])
    assert execution["status"] == "SUCCEEDED", run.causes(execution)
    return execution


def item(table: str, kind: str, name: str) -> dict[str, Any]:
    """The key of an item of this kind, which is also an item without anything else."""
    return {"pk": {"S": f"{kind}#{name}"}} | ({"sk": {"S": name}} if table == "members" else {})


def short(logical_id: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """`StorageClinicalBucket1A2B3C4D` as the matrix calls it: `clinical`."""
    name = logical_id[:-8]  # the hash that CDK adds
    for text in before:
        name = name.removeprefix(text)
    for text in after:
        name = name.removesuffix(text)
    return name.lower()


def _last(name: str) -> str:
    return name.replace("/", ":").rpartition(":")[2]


def _roles(
    actor: Actor,
    machines: dict[str, str],
    functions: dict[str, Any],
    in_template: dict[str, str],
    execution: dict[str, Any],
) -> tuple[dict[str, Role], dict[str, str]]:
    """The roles of the stack, and the ARNs of all in the account; one nobody has a name for keeps its logical id."""
    arns = {item["RoleName"]: item["Arn"] for item in actor.client("iam").list_roles(MaxItems=1000)["Roles"]}

    def variable(function: str, name: str) -> str:
        value: str = functions[function]["Environment"]["Variables"][name]
        return value

    def role_of(machine: str) -> str:
        arn: str = actor.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["roleArn"]
        return arn

    here = f"{REGION}:{ACCOUNT_ID}"
    known = [Role(name, item["Role"], "lambda.amazonaws.com", item["FunctionArn"]) for name, item in functions.items()]
    known += [
        *(Role(name, role_of(arn), "states.amazonaws.com", arn) for name, arn in machines.items()),
        Role(
            "EntityDetection",
            variable("start_entity_detection", "ENTITY_DETECTION_ROLE_ARN"),
            "comprehendmedical.amazonaws.com",
            f"arn:aws:comprehendmedical:{here}:entities-detection-job/1",
        ),
        Role(
            "SeedReader",
            variable("start_audience_generation", "SEED_READER_ROLE_ARN"),
            "cleanrooms-ml.amazonaws.com",
            f"arn:aws:cleanrooms-ml:{here}:audience-generation-job/1",
        ),
    ]
    assert {role.name for role in known} >= set(FUNCTIONS)
    of_stack = {arns.get(name, name): logical_id for logical_id, name in in_template.items()}
    others = [
        Role(logical_id, arn, _first_trusted(actor, arn), "")
        for arn, logical_id in of_stack.items()
        if arn not in {role.arn for role in known}
    ]
    roles = {role.name: role for role in [*known, *others]}
    names = {role.arn: role.name for role in roles.values()}
    return roles, {names.get(arn, name): arn for name, arn in arns.items()}


def _first_trusted(actor: Actor, arn: str) -> str:
    role = actor.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    services = [
        service
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        for service in [statement["Principal"].get("Service", [])]
    ]
    flat = [name for item in services for name in ([item] if isinstance(item, str) else item)]
    return flat[0] if flat else ""


def _bystanders(actor: Actor, role_arn: str) -> dict[str, str]:
    """What else there is in the account: nobody of the stack has any business with it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    return {}\n")
    actor.client("s3").create_bucket(Bucket="bystander-bucket")
    actor.client("dynamodb").create_table(
        TableName="bystander",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    actor.client("logs").create_log_group(logGroupName="bystander")
    actor.client("logs").create_log_stream(logGroupName="bystander", logStreamName="stream")
    actor.client("secretsmanager").create_secret(Name="bystander", SecretString="x")
    actor.client("iam").create_user(UserName="bystander")
    function = actor.client("lambda").create_function(
        FunctionName="bystander",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role_arn,
        Code={"ZipFile": archive.getvalue()},
    )
    states = actor.client("stepfunctions")
    definition = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(name="bystander", roleArn=role_arn, definition=json.dumps(definition))
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"], name="attack", input="{}")
    return {
        "bucket": "bystander-bucket",
        "table": "bystander",
        "log group": "bystander",
        "key": actor.client("kms").create_key()["KeyMetadata"]["KeyId"],
        "queue": actor.client("sqs").create_queue(QueueName="bystander")["QueueUrl"],
        "topic": actor.client("sns").create_topic(Name="bystander")["TopicArn"],
        "function": function["FunctionArn"],
        "state machine": machine["stateMachineArn"],
        "execution": execution["executionArn"],
    }


def credentials_of(role: Role) -> dict[str, str]:
    """As the service gets them that works with the role.

    Raises:
        local.aws.credentials.AccessDenied: the role's trust policy doesn't allow it.
    """
    return assume_service_role(role.arn, role.service, role.source_arn or None)
