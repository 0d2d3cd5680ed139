"""Everything that this application's own roles may do, function by function. Nothing else grants anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra import arns
from infra.ledger import Ledger
from infra.statements import DECRYPT, ENCRYPT, Statements, allow, head, items, listing, pass_role, read, write
from infra.storage import Storage
from lambdas.shared import layout

# What Transcribe's guide lists for a bucket's key ("Using Identity-based Policies", "Permissions Required for Amazon S3
# Encryption Keys"): Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and DescribeKey. Later editions list less for input
# and nothing for output. Of GenerateDataKey*, pairs of asymmetric keys are left out: S3 knows none.
# https://github.com/awsdocs/amazon-transcribe-developer-guide/blob/master/doc_source/access-control-managing-permissions.md
_TRANSCRIBE_OUTPUT = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
]


@dataclass(frozen=True)
class Resources:
    """What the functions work with. ARNs are strings, tokens included; without a model no audience is generated."""

    prefix: str
    storage: Storage
    ledger: Ledger
    queue_arn: str
    entity_detection_role_arn: str
    seed_reader_role_arn: str
    configured_audience_model_arn: str | None


def functions(resources: Resources) -> Mapping[str, Statements]:
    """The statements of each function's role, apart from its own log group and X-Ray."""
    media, clinical, audience = resources.storage.media, resources.storage.clinical, resources.storage.audience
    ledger = resources.ledger
    return {
        "ingest": [
            allow(
                "ConsumeQueue",
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
                [resources.queue_arn],
            ),
            allow("DecryptQueue", DECRYPT, [resources.storage.operations.key.key_arn]),
            allow("StartExecution", ["states:StartExecution"], [arns.state_machine(resources.prefix)]),
        ],
        # Sizes and consent are in the objects' headers: planning needs no key to the recordings.
        "plan_batch": [
            *head(media, layout.MEDIA),
            *listing(media),
            *read(clinical, layout.ENTITY_JOBS),
            *head(clinical, layout.RECORDS),
            *listing(clinical),
            *write(clinical, layout.BATCHES),
            *items(
                ledger,
                read=["object", "claim", "execution"],
                update=["object", "claim", "execution"],
                # In one transaction with the change of a claim.
                check=["execution", "claim"],
            ),
            allow("LookAtOtherExecutions", ["states:DescribeExecution"], [arns.executions(resources.prefix)[0]]),
        ],
        "share_jobs": [
            allow("ListExecutions", ["states:ListExecutions"], [arns.state_machine(resources.prefix)]),
            allow("FindMapRuns", ["states:ListMapRuns"], [arns.executions(resources.prefix)[0]]),
            allow(
                "SetMaxConcurrency", ["states:DescribeMapRun", "states:UpdateMapRun"], [arns.map_runs(resources.prefix)]
            ),
        ],
        # Transcribe Medical reads and writes with the rights of the caller: it takes no role.
        # https://docs.aws.amazon.com/transcribe/latest/dg/security_iam_id-based-policy-examples.html
        # Whether it uses the keys itself or through S3 is not documented, hence no condition.
        "start_transcription": [
            *read(media, layout.MEDIA, key_conditions=None),
            *listing(media),
            *head(clinical, layout.TRANSCRIPTS),
            *listing(clinical),
            *write(clinical, layout.TRANSCRIPTS, layout.BATCHES, key_conditions=None),
            allow("UseOutputKey", _TRANSCRIBE_OUTPUT, [clinical.key.key_arn]),
            allow(
                "StartTranscription",
                ["transcribe:StartMedicalTranscriptionJob"],
                ["*"],
                {"StringEquals": {"transcribe:OutputBucketName": clinical.bucket.bucket_name}},
            ),
            # No resource can be named for tagging (Service Authorization Reference): with one it would be refused.
            allow("TagTranscription", ["transcribe:TagResource"], ["*"]),
            allow("FindTranscription", ["transcribe:GetMedicalTranscriptionJob"], [arns.transcription_jobs()]),
        ],
        "poll_transcription": [
            allow("GetTranscription", ["transcribe:GetMedicalTranscriptionJob"], [arns.transcription_jobs()]),
            *listing(clinical),
            *write(clinical, layout.BATCHES),
        ],
        "prepare_documents": [
            # Whether a recording is still the one that was planned.
            *head(media, layout.MEDIA),
            *read(clinical, layout.BATCHES, layout.TRANSCRIPTS, layout.ENTITY_JOBS),
            # Whether a job's output is still there.
            *head(clinical, layout.ENTITIES),
            *listing(clinical),
            *write(clinical, layout.DOCUMENTS, layout.ENTITY_JOBS, layout.BATCHES),
            *items(ledger, read=["object", "claim", "job"], update=["execution"]),
        ],
        "start_entity_detection": [
            allow(
                "StartEntityDetection",
                [
                    "comprehendmedical:StartEntitiesDetectionV2Job",
                    "comprehendmedical:ListEntitiesDetectionV2Jobs",
                    "comprehendmedical:DescribeEntitiesDetectionV2Job",
                ],
                ["*"],
            ),
            pass_role(resources.entity_detection_role_arn, "comprehendmedical.amazonaws.com"),
            *read(clinical, layout.BATCHES),
            *items(ledger, read=["job"], update=["execution", "job"]),
        ],
        "poll_entity_detection": [
            allow("GetEntityDetection", ["comprehendmedical:DescribeEntitiesDetectionV2Job"], ["*"]),
            *read(clinical, layout.BATCHES),
            *write(clinical, layout.BATCHES),
            *items(ledger, read=["job"], update=["job"]),
        ],
        "collect_entities": [
            *read(clinical, layout.BATCHES, layout.ENTITIES, layout.TRANSCRIPTS),
            *head(clinical, layout.RECORDS),
            *listing(clinical),
            *write(clinical, layout.RECORDS, layout.DEIDENTIFIED, layout.REPORTS, layout.BATCHES),
            *items(ledger, read=["object", "job"], update=["object"]),
        ],
        "select_seeds": [
            *read(clinical, layout.RECORDS),
            *listing(clinical),
            *read(audience, layout.SEEDS, layout.SUPPRESSION),
            *listing(audience),
            *write(audience, layout.SEEDS),
            *items(ledger, read=["object"]),
        ],
        "start_audience_generation": [
            allow(
                "StartAudienceGeneration",
                ["cleanrooms-ml:StartAudienceGenerationJob"],
                [*_of_the_model(resources.configured_audience_model_arn), arns.audience_generation_jobs()],
            ),
            allow("TagAudienceGeneration", ["cleanrooms-ml:TagResource"], [arns.audience_generation_jobs()]),
            allow("FindAudienceGeneration", ["cleanrooms-ml:ListAudienceGenerationJobs"], ["*"]),
            pass_role(resources.seed_reader_role_arn, "cleanrooms-ml.amazonaws.com"),
        ],
        "poll_audience_generation": [
            allow(
                "GetAudienceGeneration",
                ["cleanrooms-ml:GetAudienceGenerationJob"],
                [arns.audience_generation_jobs()],
            ),
            *write(clinical, layout.BATCHES),
        ],
        "start_audience_export": [
            allow("StartAudienceExport", ["cleanrooms-ml:StartAudienceExportJob"], [arns.audience_generation_jobs()]),
            allow("FindAudienceExport", ["cleanrooms-ml:ListAudienceExportJobs"], ["*"]),
        ],
        "poll_audience_export": [
            allow("GetAudienceExport", ["cleanrooms-ml:ListAudienceExportJobs"], ["*"]),
            *write(clinical, layout.BATCHES),
        ],
        "summarize_batch": [
            *read(clinical, layout.BATCHES),
            *listing(clinical),
            *write(clinical, layout.BATCHES),
        ],
    }


def entity_detection_data_access(storage: Storage) -> Statements:
    """What Comprehend Medical may do in our name.

    https://docs.aws.amazon.com/comprehend-medical/latest/dev/security-iam-permissions.html
    """
    clinical = storage.clinical
    return [
        allow("ListClinical", ["s3:ListBucket"], [clinical.bucket.bucket_arn]),
        allow("ReadDocuments", ["s3:GetObject"], [clinical.bucket.arn_for_objects(f"{layout.DOCUMENTS}*")]),
        allow("WriteEntities", ["s3:PutObject"], [clinical.bucket.arn_for_objects(f"{layout.ENTITIES}*")]),
        allow("UseClinicalKey", [*ENCRYPT, "kms:DescribeKey"], [clinical.key.key_arn]),
    ]


def seed_reader_data_access(storage: Storage) -> Statements:
    """What Clean Rooms ML may do in our name.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    audience = storage.audience
    return [
        allow("ListAudience", ["s3:ListBucket"], [audience.bucket.bucket_arn]),
        allow("ReadSeeds", ["s3:GetObject"], [audience.bucket.arn_for_objects(f"{layout.SEEDS}*")]),
        allow("UseAudienceKey", [*DECRYPT, "kms:DescribeKey"], [audience.key.key_arn]),
    ]


def seed_queries() -> Statements:
    """What Clean Rooms ML may do besides where a query in the collaboration selects a seed.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    return [
        allow(
            "StartSeedQuery",
            ["cleanrooms:StartProtectedQuery", "cleanrooms:GetSchema", "cleanrooms:GetCollaborationAnalysisTemplate"],
            ["*"],
        ),
        allow(
            "WatchSeedQuery", ["cleanrooms:GetProtectedQuery", "cleanrooms:UpdateProtectedQuery"], [arns.memberships()]
        ),
    ]


def state_machine(*, prefix: str, storage: Storage, function_arns: Sequence[str]) -> Statements:
    """What the state machine does itself: its steps, its Map's items, child executions, logs and encryption.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """
    machine, key = arns.state_machine(prefix), storage.operations.key.key_arn
    return [
        allow("RunSteps", ["lambda:InvokeFunction"], function_arns),
        *read(storage.clinical, layout.BATCHES),
        allow("StartMapChildren", ["states:StartExecution"], [machine]),
        allow(
            "ManageMapChildren",
            ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
            arns.executions(prefix),
        ),
        allow(
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
        ),
        # The guide's context names the state machine. Whether a Map's children send its name or that of their Map isn't
        # documented: with the name alone, none of them could start if they send the Map's.
        allow(
            "EncryptOwnData",
            ENCRYPT,
            [key],
            {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": arns.state_machine_and_maps(prefix)}},
        ),
        allow(
            "EncryptLogs",
            ["kms:GenerateDataKey"],
            [key],
            {"StringEquals": {"kms:EncryptionContext:SourceArn": arns.all_logs()}},
        ),
    ]


def tracing() -> Statements:
    """Sending traces to X-Ray, which names no resources."""
    actions = ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"]
    return [allow("SendTraces", [f"xray:{action}" for action in actions], ["*"])]


def own_log(log_group_arn: str) -> Statements:
    return [allow("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn])]


def _of_the_model(arn: str | None) -> list[str]:
    """The model, and the job's second ARN, which it has if the model is another account's.

    Whether it is one isn't known before the deployment: the stack's own account is a token.
    """
    return [arn, arns.audience_generation_jobs_of_owner(arn)] if arn else []
