"""The Lambda functions: one per step, and for each kind of job one that starts it and one that polls it."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import service_permissions
from infra.environment import Environment
from infra.function_code import RUNTIME_PYTHON, function_code, has_bytecode
from infra.log_groups import log_group
from infra.roles import exact_role
from infra.statements import Statements
from infra.variables import Variables


@dataclass(frozen=True)
class Size:
    """`storage_mib` is the size of /tmp."""

    memory_mib: int
    timeout: cdk.Duration
    storage_mib: int = 512


# For a few API calls: 512 MiB bring enough CPU for a quick start.
CALL = Size(512, cdk.Duration.minutes(1))
# For a whole batch of up to thousands of objects; 1,769 MiB bring one full vCPU.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
BATCH = Size(1769, cdk.Duration.minutes(15))

# For the files of analysis tables: DuckDB works in memory and in /tmp, where the files of a month are beside their
# copies. A new account's functions may have up to 3,008 MiB:
# https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
TABLES = Size(3008, cdk.Duration.minutes(15), storage_mib=10_240)

# The queue and a schedule call these.
CALLED_BY_EVENTS = ("ingest", "share_jobs")
# The steps of the state machines that search everything, and that compact records.
SEARCH_STEPS = ("divide_search", "search_range")
ANALYSIS_STEPS = ("mark_records", "compact_records")
FUNCTIONS: Mapping[str, tuple[str, Size]] = {
    "ingest": ("lambdas.ingest.handler", CALL),
    "plan_batch": ("lambdas.plan_batch.handler", BATCH),
    "share_jobs": ("lambdas.share_jobs.handler", CALL),
    "wait_for_turn": ("lambdas.wait_for_turn.handler", CALL),
    "start_transcription": ("lambdas.transcribe_medical.start", CALL),
    "poll_transcription": ("lambdas.transcribe_medical.poll", CALL),
    "prepare_documents": ("lambdas.prepare_documents.handler", BATCH),
    "start_entity_detection": ("lambdas.comprehend_medical.start", CALL),
    "poll_entity_detection": ("lambdas.comprehend_medical.poll", CALL),
    "collect_entities": ("lambdas.collect_entities.handler", BATCH),
    "prepare_cohorts": ("lambdas.prepare_cohorts.prepare", CALL),
    "index_records": ("lambdas.index_records.handler", BATCH),
    "finish_rebuild": ("lambdas.prepare_cohorts.finish", CALL),
    "select_seeds": ("lambdas.select_seeds.handler", BATCH),
    "start_audience_generation": ("lambdas.clean_rooms_ml.start", CALL),
    "poll_audience_generation": ("lambdas.clean_rooms_ml.poll", CALL),
    "start_audience_export": ("lambdas.clean_rooms_ml.start_export", CALL),
    "poll_audience_export": ("lambdas.clean_rooms_ml.poll_export", CALL),
    "summarize_batch": ("lambdas.summarize_batch.handler", BATCH),
    "divide_search": ("lambdas.search_stored.divide", BATCH),
    "search_range": ("lambdas.search_stored.search", TABLES),
    "mark_records": ("lambdas.mark_records.handler", CALL),
    "compact_records": ("lambdas.compact_records.handler", TABLES),
}
# All others are steps of the pipeline.
PIPELINE_STEPS = tuple(name for name in FUNCTIONS if name not in (*CALLED_BY_EVENTS, *SEARCH_STEPS, *ANALYSIS_STEPS))


def pascal_case(function: str) -> str:
    """`PlanBatch` for `plan_batch`, as in construct ids, states and substitutions."""
    return "".join(word.title() for word in function.split("_"))


class Functions(Construct):
    """All functions (`by_name`), each with its own role, log group and variables."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: kms.IKey,
        statements: Mapping[str, Statements],
        variables: Mapping[str, Variables],
        tracing: iam.IManagedPolicy,
    ) -> None:
        """`key` encrypts the log groups; `tracing` is shared by all roles."""
        super().__init__(scope, construct_id)
        if not has_bytecode():
            wanted = "{}.{}".format(*RUNTIME_PYTHON)
            cdk.Annotations.of(self).add_info_v2(
                "clinical-media:NoBytecode",
                f"The functions will start more slowly (docs/performance.md): only Python {wanted} can make their "
                f"bytecode, and this is {platform.python_version()}. Synthesize with {wanted} to deploy.",
            )
        self.by_name: dict[str, lambda_.Function] = {}
        for name, (handler, size) in FUNCTIONS.items():
            parts = Construct(self, pascal_case(name))
            function_name = f"{environment.prefix}-{name}"
            logs = log_group(parts, name=f"/aws/lambda/{function_name}", environment=environment, key=key)
            role = exact_role(
                parts,
                principal=iam.ServicePrincipal("lambda.amazonaws.com"),
                description=f"{environment.prefix}: {name}",
                statements=[*service_permissions.own_log(logs.log_group_arn), *statements[name]],
                shared=[tracing],
            )
            self.by_name[name] = lambda_.Function(
                parts,
                "Function",
                function_name=function_name,
                handler=handler,
                code=lambda_.Code.from_asset(function_code(name)),
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                memory_size=size.memory_mib,
                ephemeral_storage_size=None if size.storage_mib == 512 else cdk.Size.mebibytes(size.storage_mib),
                timeout=size.timeout,
                role=role.without_policy_updates(),
                environment=variables[name],
                log_group=logs,
                logging_format=lambda_.LoggingFormat.JSON,
                tracing=lambda_.Tracing.ACTIVE,
            )
