"""The permissions of the services' roles, and those of every role: logs and X-Ray traces."""

from collections.abc import Sequence

from infra import arns
from infra.statements import DECRYPT, ENCRYPT, EXECUTIONS, NO_RESOURCES, OBJECTS, Statement, Statements, listing, read
from infra.storage import Storage
from lambdas.shared import layout


def entity_detection_data_access(storage: Storage) -> Statements:
    """Statements of the role that Comprehend Medical assumes.

    https://docs.aws.amazon.com/comprehend-medical/latest/dev/security-iam-permissions.html
    """
    bucket, key = storage.clinical.bucket, storage.clinical.key
    documents, entities = (bucket.arn_for_objects(f"{prefix}*") for prefix in (layout.DOCUMENTS, layout.ENTITIES))
    return [
        *listing(storage.clinical, "the documents of a job"),
        Statement("ReadDocuments", ["s3:GetObject"], [documents], "the documents of a job", wildcard=OBJECTS),
        Statement("WriteEntities", ["s3:PutObject"], [entities], "the job's output", wildcard=OBJECTS),
        Statement("UseClinicalKey", [*ENCRYPT, "kms:DescribeKey"], [key.key_arn], "reading and writing"),
    ]


def seed_reader_data_access(storage: Storage) -> Statements:
    """Statements of the role that Clean Rooms ML assumes.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    seeds = storage.audience.bucket.arn_for_objects(f"{layout.SEEDS}*")
    return [
        *listing(storage.audience, "a cohort's seed"),
        Statement("ReadSeeds", ["s3:GetObject"], [seeds], "a cohort's seed", wildcard=OBJECTS),
        Statement("UseAudienceKey", [*DECRYPT, "kms:DescribeKey"], [storage.audience.key.key_arn], "reading"),
    ]


def seed_queries() -> Statements:
    """More statements for Clean Rooms ML, if a query in the collaboration selects a seed.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    return [
        Statement(
            "StartSeedQuery",
            ["cleanrooms:StartProtectedQuery", "cleanrooms:GetSchema", "cleanrooms:GetCollaborationAnalysisTemplate"],
            ["*"],
            "the query that selects a seed",
            wildcard="Clean Rooms asks for these actions on all resources (its guide, roles for ML).",
        ),
        Statement(
            "WatchSeedQuery",
            ["cleanrooms:GetProtectedQuery", "cleanrooms:UpdateProtectedQuery"],
            [arns.memberships()],
            "the query that selects a seed",
            wildcard="The collaboration's membership is chosen by the service when the query starts.",
        ),
    ]


def state_machine(*, prefix: str, storage: Storage, function_arns: Sequence[str]) -> Statements:
    """Statements of the state machine's role: steps, the Map's items, child executions, logs and encryption.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """
    machine = arns.state_machine(prefix)
    return [
        Statement("RunSteps", ["lambda:InvokeFunction"], function_arns, "the steps"),
        *read(storage.clinical, layout.BATCHES, purpose="the Map's items"),
        *listing(storage.clinical, "the records that RebuildCohorts reads"),
        Statement("StartMapChildren", ["states:StartExecution"], [machine], "a child per recording"),
        Statement(
            "ManageMapChildren",
            ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
            arns.executions(prefix),
            "the Map's children",
            wildcard=EXECUTIONS,
        ),
        *_log_and_encryption(prefix, storage, arns.PIPELINE),
    ]


def backfill(*, prefix: str, storage: Storage) -> Statements:
    """Statements of the backfill's role: the list of recordings, the batches, its own executions, logs, encryption.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    pipeline, own = arns.state_machine(prefix), arns.state_machine(prefix, arns.BACKFILL)
    return [
        Statement(
            "ListRecordings",
            ["s3:ListBucket"],
            [storage.media.bucket.bucket_arn],
            "the recordings",
            {"StringLike": {"s3:prefix": f"{layout.MEDIA}*"}},
        ),
        Statement("StartExecutions", ["states:StartExecution"], [pipeline, own], "the batches, a child for each"),
        Statement(
            "WatchBatches",
            ["states:DescribeExecution", "states:StopExecution"],
            [*arns.executions(prefix)[:1], *arns.executions(prefix, arns.BACKFILL)],
            "the batches and their children",
            wildcard=EXECUTIONS,
        ),
        Statement(
            "RedriveChildren",
            ["states:RedriveExecution"],
            arns.executions(prefix, arns.BACKFILL)[1:],
            "the children of a redriven backfill",
            wildcard=EXECUTIONS,
        ),
        Statement(
            "LearnOfTheirEnd",
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            [arns.nested_executions_rule()],
            "the rule that Step Functions makes to wait for executions",
        ),
        Statement(
            "DecryptBatches",
            DECRYPT,
            [storage.operations.key.key_arn],
            "the description of a batch's execution has its input and output",
            {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": pipeline}},
        ),
        *_log_and_encryption(prefix, storage, arns.BACKFILL),
    ]


def search(*, prefix: str, storage: Storage, function_arns: Sequence[str]) -> Statements:
    """Statements of the search's role: its steps, its Map's children, logs and encryption.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    return [
        Statement("RunSteps", ["lambda:InvokeFunction"], function_arns, "the steps"),
        Statement(
            "StartMapChildren",
            ["states:StartExecution"],
            [arns.state_machine(prefix, arns.SEARCH)],
            "a child per range",
        ),
        Statement(
            "ManageMapChildren",
            ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
            arns.executions(prefix, arns.SEARCH),
            "the Map's children",
            wildcard=EXECUTIONS,
        ),
        *_log_and_encryption(prefix, storage, arns.SEARCH),
    ]


def analysis(*, prefix: str, storage: Storage, function_arns: Sequence[str]) -> Statements:
    """Statements of the role of the state machine that compacts records.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    own = arns.state_machine(prefix, arns.ANALYSIS)
    return [
        Statement("RunSteps", ["lambda:InvokeFunction"], function_arns, "the steps"),
        Statement(
            "ListRecords",
            ["s3:ListBucket"],
            [storage.clinical.bucket.bucket_arn],
            "the records that RebuildTables lists",
            {"StringLike": {"s3:prefix": f"{layout.RECORDS}*"}},
        ),
        Statement("StartMapChildren", ["states:StartExecution"], [own], "a child per digit, or per 500 records"),
        Statement(
            "ManageMapChildren",
            ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
            arns.executions(prefix, arns.ANALYSIS),
            "the Maps' children",
            wildcard=EXECUTIONS,
        ),
        *_log_and_encryption(prefix, storage, arns.ANALYSIS),
    ]


def compaction_schedule(*, prefix: str) -> Statements:
    """The statement of the role with which EventBridge starts a compaction.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
    """
    machine = arns.state_machine(prefix, arns.ANALYSIS)
    return [Statement("StartCompaction", ["states:StartExecution"], [machine], "the compaction")]


def _log_and_encryption(prefix: str, storage: Storage, machine: str) -> Statements:
    """https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, and encryption-at-rest.html beside it"""
    key = storage.operations.key.key_arn
    return [
        Statement(
            "DeliverLogs",
            [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            ["*"],
            "log delivery",
            wildcard=NO_RESOURCES,
        ),
        # The guide's context names the state machine. AWS doesn't document whether a Map's children send its ARN or
        # their Map's; with the wrong one alone, no child could start.
        Statement(
            "EncryptOwnData",
            ENCRYPT,
            [key],
            "the executions' data",
            {
                "StringLike": {
                    "kms:EncryptionContext:aws:states:stateMachineArn": arns.state_machine_and_maps(prefix, machine)
                }
            },
        ),
        Statement(
            "EncryptLogs",
            ["kms:GenerateDataKey"],
            [key],
            "the executions' log",
            {"StringEquals": {"kms:EncryptionContext:SourceArn": arns.all_logs()}},
        ),
    ]


def tracing() -> Statements:
    """Sending traces to X-Ray, whose actions support no resources."""
    actions = ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"]
    return [Statement("SendTraces", [f"xray:{action}" for action in actions], ["*"], "traces", wildcard=NO_RESOURCES)]


def own_log(log_group_arn: str) -> Statements:
    return [Statement("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn], "the own log")]
