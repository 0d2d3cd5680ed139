"""Everything that this application's own roles may do, function by function. Nothing else grants anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra import arns
from infra.storage import DataStore, Storage

Statements = list[iam.PolicyStatement]

# S3 encrypts with a data key; it decrypts the previous parts of a multipart upload and the bucket key.
_ENCRYPT = ["kms:GenerateDataKey", "kms:Decrypt"]
_DECRYPT = ["kms:Decrypt"]
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

# S3 uses the key on the caller's behalf; the caller itself may not.
# https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
_VIA_S3 = {"StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com"}}


@dataclass(frozen=True)
class Resources:
    """What the functions work with. ARNs are strings, tokens included; without a model no audience is generated."""

    prefix: str
    storage: Storage
    queue_arn: str
    entity_detection_role_arn: str
    seed_reader_role_arn: str
    configured_audience_model_arn: str | None


def functions(resources: Resources) -> Mapping[str, Statements]:
    """The statements of each function's role, apart from its own log group and X-Ray."""
    media, clinical, audience = resources.storage.media, resources.storage.clinical, resources.storage.audience
    return {
        "ingest": [
            _allow(
                "ConsumeQueue",
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
                [resources.queue_arn],
            ),
            _allow("DecryptQueue", _DECRYPT, [resources.storage.operations.key.key_arn]),
            _allow("StartExecution", ["states:StartExecution"], [arns.state_machine(resources.prefix)]),
        ],
        # Sizes and consent are in the objects' headers: planning needs no key to the recordings.
        "plan_batch": [
            *_head(media, "media/"),
            *_list(media),
            *_head(clinical, "records/", "claims/"),
            *_list(clinical),
            *_write(clinical, "batches/", "claims/", "withdrawals/"),
            _allow("LookAtOtherExecutions", ["states:DescribeExecution"], [arns.executions(resources.prefix)[0]]),
        ],
        "share_jobs": [
            _allow("ListExecutions", ["states:ListExecutions"], [arns.state_machine(resources.prefix)]),
            _allow("FindMapRuns", ["states:ListMapRuns"], [arns.executions(resources.prefix)[0]]),
            _allow(
                "SetMaxConcurrency", ["states:DescribeMapRun", "states:UpdateMapRun"], [arns.map_runs(resources.prefix)]
            ),
        ],
        # Transcribe Medical reads and writes with the rights of the caller: it takes no role.
        # https://docs.aws.amazon.com/transcribe/latest/dg/security_iam_id-based-policy-examples.html
        # Whether it uses the keys itself or through S3 is not documented, hence no condition.
        "start_transcription": [
            *_read(media, "media/", key_conditions=None),
            *_list(media),
            *_head(clinical, "transcripts/"),
            *_list(clinical),
            *_write(clinical, "transcripts/", "batches/", key_conditions=None),
            _allow("UseOutputKey", _TRANSCRIBE_OUTPUT, [clinical.key.key_arn]),
            _allow(
                "StartTranscription",
                ["transcribe:StartMedicalTranscriptionJob"],
                ["*"],
                {"StringEquals": {"transcribe:OutputBucketName": clinical.bucket.bucket_name}},
            ),
            # No resource can be named for tagging (Service Authorization Reference): with one it would be refused.
            _allow("TagTranscription", ["transcribe:TagResource"], ["*"]),
            _allow("FindTranscription", ["transcribe:GetMedicalTranscriptionJob"], [arns.transcription_jobs()]),
        ],
        "poll_transcription": [
            _allow("GetTranscription", ["transcribe:GetMedicalTranscriptionJob"], [arns.transcription_jobs()]),
            *_list(clinical),
            *_write(clinical, "batches/"),
        ],
        "prepare_documents": [
            # Whether a recording is still the one that was planned.
            *_head(media, "media/"),
            *_read(clinical, "batches/", "transcripts/"),
            *_head(clinical, "claims/"),
            *_list(clinical),
            *_write(clinical, "documents/", "batches/", "claims/"),
        ],
        "start_entity_detection": [
            _allow(
                "StartEntityDetection",
                ["comprehendmedical:StartEntitiesDetectionV2Job", "comprehendmedical:ListEntitiesDetectionV2Jobs"],
                ["*"],
            ),
            _pass_role(resources.entity_detection_role_arn, "comprehendmedical.amazonaws.com"),
            *_head(clinical, "batches/"),
            *_list(clinical),
        ],
        "poll_entity_detection": [
            _allow("GetEntityDetection", ["comprehendmedical:DescribeEntitiesDetectionV2Job"], ["*"]),
            *_write(clinical, "batches/"),
        ],
        "collect_entities": [
            *_read(clinical, "batches/", "entities/", "transcripts/"),
            *_head(clinical, "records/"),
            *_list(clinical),
            *_write(clinical, "records/", "deidentified/", "reports/", "batches/"),
        ],
        "select_seeds": [
            *_read(clinical, "records/"),
            *_list(clinical),
            *_read(audience, "seeds/", "suppression/"),
            *_list(audience),
            *_write(audience, "seeds/"),
        ],
        "start_audience_generation": [
            _allow(
                "StartAudienceGeneration",
                ["cleanrooms-ml:StartAudienceGenerationJob"],
                [*_of_the_model(resources.configured_audience_model_arn), arns.audience_generation_jobs()],
            ),
            _allow("TagAudienceGeneration", ["cleanrooms-ml:TagResource"], [arns.audience_generation_jobs()]),
            _allow("FindAudienceGeneration", ["cleanrooms-ml:ListAudienceGenerationJobs"], ["*"]),
            _pass_role(resources.seed_reader_role_arn, "cleanrooms-ml.amazonaws.com"),
        ],
        "poll_audience_generation": [
            _allow(
                "GetAudienceGeneration",
                ["cleanrooms-ml:GetAudienceGenerationJob"],
                [arns.audience_generation_jobs()],
            ),
            *_write(clinical, "batches/"),
        ],
        "start_audience_export": [
            _allow("StartAudienceExport", ["cleanrooms-ml:StartAudienceExportJob"], [arns.audience_generation_jobs()]),
            _allow("FindAudienceExport", ["cleanrooms-ml:ListAudienceExportJobs"], ["*"]),
        ],
        "poll_audience_export": [
            _allow("GetAudienceExport", ["cleanrooms-ml:ListAudienceExportJobs"], ["*"]),
            *_write(clinical, "batches/"),
        ],
        "summarize_batch": [
            *_read(clinical, "batches/"),
            *_list(clinical),
            *_write(clinical, "batches/"),
        ],
    }


def entity_detection_data_access(storage: Storage) -> Statements:
    """What Comprehend Medical may do in our name.

    https://docs.aws.amazon.com/comprehend-medical/latest/dev/security-iam-permissions.html
    """
    clinical = storage.clinical
    return [
        _allow("ListClinical", ["s3:ListBucket"], [clinical.bucket.bucket_arn]),
        _allow("ReadDocuments", ["s3:GetObject"], [clinical.bucket.arn_for_objects("documents/*")]),
        _allow("WriteEntities", ["s3:PutObject"], [clinical.bucket.arn_for_objects("entities/*")]),
        _allow("UseClinicalKey", [*_ENCRYPT, "kms:DescribeKey"], [clinical.key.key_arn]),
    ]


def seed_reader_data_access(storage: Storage) -> Statements:
    """What Clean Rooms ML may do in our name.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    audience = storage.audience
    return [
        _allow("ListAudience", ["s3:ListBucket"], [audience.bucket.bucket_arn]),
        _allow("ReadSeeds", ["s3:GetObject"], [audience.bucket.arn_for_objects("seeds/*")]),
        _allow("UseAudienceKey", [*_DECRYPT, "kms:DescribeKey"], [audience.key.key_arn]),
    ]


def seed_queries() -> Statements:
    """What Clean Rooms ML may do besides where a query in the collaboration selects a seed.

    https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    """
    return [
        _allow(
            "StartSeedQuery",
            ["cleanrooms:StartProtectedQuery", "cleanrooms:GetSchema", "cleanrooms:GetCollaborationAnalysisTemplate"],
            ["*"],
        ),
        _allow(
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
        _allow("RunSteps", ["lambda:InvokeFunction"], function_arns),
        *_read(storage.clinical, "batches/"),
        _allow("StartMapChildren", ["states:StartExecution"], [machine]),
        _allow(
            "ManageMapChildren",
            ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
            arns.executions(prefix),
        ),
        _allow(
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
        _allow(
            "EncryptOwnData",
            _ENCRYPT,
            [key],
            {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": arns.state_machine_and_maps(prefix)}},
        ),
        _allow(
            "EncryptLogs",
            ["kms:GenerateDataKey"],
            [key],
            {"StringEquals": {"kms:EncryptionContext:SourceArn": arns.all_logs()}},
        ),
    ]


def tracing() -> Statements:
    """Sending traces to X-Ray, which names no resources."""
    actions = ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"]
    return [_allow("SendTraces", [f"xray:{action}" for action in actions], ["*"])]


def own_log(log_group_arn: str) -> Statements:
    return [_allow("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn])]


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=conditions)


def _objects(store: DataStore, prefixes: Sequence[str]) -> list[str]:
    return [store.bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]


def _head(store: DataStore, *prefixes: str) -> Statements:
    """Objects' headers, by the action that also reads them; without the key their content stays shut."""
    return [_allow(f"Head{store.node.id}", ["s3:GetObject"], _objects(store, prefixes))]


def _list(store: DataStore) -> Statements:
    """Listing, and a 404 for a missing object instead of a 403.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions). Whether S3 takes the requested
    key as `s3:prefix` when it decides between the two is not documented, hence no condition.
    """
    return [_allow(f"List{store.node.id}", ["s3:ListBucket"], [store.bucket.bucket_arn])]


def _read(store: DataStore, *prefixes: str, key_conditions: Mapping[str, object] | None = _VIA_S3) -> Statements:
    return [
        _allow(f"Read{store.node.id}", ["s3:GetObject"], _objects(store, prefixes)),
        _allow(f"Decrypt{store.node.id}", _DECRYPT, [store.key.key_arn], key_conditions),
    ]


def _write(store: DataStore, *prefixes: str, key_conditions: Mapping[str, object] | None = _VIA_S3) -> Statements:
    return [
        _allow(f"Write{store.node.id}", ["s3:PutObject"], _objects(store, prefixes)),
        _allow(f"Encrypt{store.node.id}", _ENCRYPT, [store.key.key_arn], key_conditions),
    ]


def _of_the_model(arn: str | None) -> list[str]:
    """The model, and the job's second ARN, which it has if the model is another account's.

    Whether it is one isn't known before the deployment: the stack's own account is a token.
    """
    return [arn, arns.audience_generation_jobs_of_owner(arn)] if arn else []


def _pass_role(role_arn: str, service: str) -> iam.PolicyStatement:
    return _allow(
        "PassDataAccessRole", ["iam:PassRole"], [role_arn], {"StringEquals": {"iam:PassedToService": service}}
    )
