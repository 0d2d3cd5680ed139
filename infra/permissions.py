"""All permissions of the functions' roles; infra/service_permissions.py has those of the services' roles.

No other module grants any. docs/security.md shows the purposes (`python -m tests.docs.permissions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infra import arns
from infra.ledger import Ledger
from infra.statements import (
    DECRYPT,
    EXECUTIONS,
    NO_RESOURCES,
    Statement,
    Statements,
    decrypt_ledger,
    head,
    items,
    list_versions,
    listing,
    members,
    pass_role,
    read,
    read_versions,
    tables,
    write,
)
from infra.storage import DataStore, Storage
from lambdas.shared import layout

# Transcribe's guide lists these for a bucket's key ("Using Identity-based Policies", "Permissions Required for Amazon
# S3 Encryption Keys"): Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and DescribeKey. Later editions list fewer for
# input and none for output. GenerateDataKeyPair* is left out, because S3 doesn't use it.
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
# The kinds of items in the transactions that plan a version, or commit records.
_PLANNED = ["object", "index"]
_COMMITTED = ["object", "index", "outline", "changed"]
_MEMBERSHIP = "in which cohorts an object is by its records; the people with records; what the compaction has to read"
_SEARCHED = "searching all versions for patients"
# The purpose in every function that polls.
_JOB_RECORDS = "the job's record; rejections"

# Reasons why a wildcard is narrow enough; infra/statements.py has more.
_JOBS = (
    "The service assigns the ids at run time; the grant is narrowed to this Region, to this type of job, and to this "
    "account or, where a job has a second ARN there, that of the audience model."
)
_LISTED = (
    "A job is looked for by its name, before its id is known. The Service Authorization Reference has what is listed "
    "from as an optional resource only, and a listing shows names and states, never data."
)


@dataclass(frozen=True)
class Resources:
    """The resources that the functions use; without a model no audience is generated."""

    prefix: str
    storage: Storage
    ledger: Ledger
    queue_arn: str
    entity_detection_role_arn: str
    seed_reader_role_arn: str
    configured_audience_model_arn: str | None


def functions(resources: Resources) -> Mapping[str, Statements]:
    """The statements of each function's role, except those for its log group and X-Ray."""
    media, clinical, audience = resources.storage.media, resources.storage.clinical, resources.storage.audience
    ledger = resources.ledger
    stored = {
        **{store.node.id: store.bucket for store in (media, clinical, audience, resources.storage.operations)},
        "AccessLogs": resources.storage.access_logs,
    }
    machine, (executions, _) = arns.state_machine(resources.prefix), arns.executions(resources.prefix)
    return {
        "ingest": [
            Statement(
                "ConsumeQueue",
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
                [resources.queue_arn],
                "Lambda takes the messages with the function's rights",
            ),
            Statement("DecryptQueue", DECRYPT, [resources.storage.operations.key.key_arn], "the queue is encrypted"),
            Statement("StartExecution", ["states:StartExecution"], [machine], "one execution per batch of events"),
        ],
        "plan_batch": [
            *head(media, layout.MEDIA, purpose="size, version and consent, without a right to the key"),
            *listing(media, "the recordings below a `prefix`; a 404 for what is missing"),
            *read(clinical, layout.ENTITY_JOBS, purpose="which documents a job covers"),
            *head(clinical, layout.RECORDS, purpose="what is finished"),
            *listing(clinical),
            *write(clinical, layout.BATCHES, purpose="the plan"),
            *items(
                ledger,
                read=["object", "claim", "execution", "spending"],
                update=["object", "claim", "execution", "spending", "index"],
                # ConditionChecks in the transaction that changes a claim.
                check=["execution", "claim"],
                purpose="which version is planned and whether it consents; which execution works on a recording, and "
                "taking it from one that has ended; the money of the day",
            ),
            *members(
                ledger,
                write=["patient"],
                delete=_PLANNED,
                purpose="in which executions a patient is; a version without consent ends membership in cohorts",
            ),
            Statement(
                "LookAtOtherExecutions",
                ["states:DescribeExecution"],
                [executions],
                "whether the execution that has a claim still runs",
                wildcard=EXECUTIONS,
            ),
        ],
        "share_jobs": [
            Statement("ListExecutions", ["states:ListExecutions"], [machine], "which executions run"),
            Statement("FindMapRuns", ["states:ListMapRuns"], [executions], "the Map Run of each", wildcard=EXECUTIONS),
            Statement(
                "SetMaxConcurrency",
                ["states:DescribeMapRun", "states:UpdateMapRun"],
                [arns.map_runs(resources.prefix)],
                "how much a Map Run has left to do, and how many children it may run",
                wildcard=EXECUTIONS,
            ),
            *_turns(ledger),
        ],
        "wait_for_turn": _turns(ledger),
        # Transcribe Medical takes no role: it reads and writes with the rights of the caller.
        # https://docs.aws.amazon.com/transcribe/latest/dg/security_iam_id-based-policy-examples.html
        # AWS doesn't document whether it uses the keys itself or through S3, hence no condition.
        "start_transcription": [
            *read(
                media,
                layout.MEDIA,
                purpose="the header; Transcribe Medical reads the recording with this function's rights",
                key_conditions=None,
            ),
            *listing(media),
            *head(clinical, layout.TRANSCRIPTS, purpose="a transcript that is there needs no job"),
            *listing(clinical),
            *write(
                clinical,
                layout.TRANSCRIPTS,
                layout.BATCHES,
                purpose="rejections; Transcribe Medical writes the transcript with this function's rights",
                key_conditions=None,
            ),
            Statement(
                "UseOutputKey",
                _TRANSCRIBE_OUTPUT,
                [clinical.key.key_arn],
                "`OutputEncryptionKMSKeyId`: what Transcribe's guide lists for the key of an encrypted bucket",
            ),
            Statement(
                "StartTranscription",
                ["transcribe:StartMedicalTranscriptionJob"],
                ["*"],
                "condition `transcribe:OutputBucketName`: our clinical bucket",
                {"StringEquals": {"transcribe:OutputBucketName": clinical.bucket.bucket_name}},
                wildcard=f"{NO_RESOURCES} A condition narrows the start to output in our bucket.",
            ),
            # TagResource supports no resource (Service Authorization Reference): with one it would be refused.
            Statement(
                "TagTranscription", ["transcribe:TagResource"], ["*"], "tags of the request", wildcard=NO_RESOURCES
            ),
            Statement(
                "FindTranscription",
                ["transcribe:GetMedicalTranscriptionJob"],
                [arns.transcription_jobs()],
                "a job that exists is adopted",
                wildcard=_JOBS,
            ),
        ],
        "poll_transcription": [
            Statement(
                "GetTranscription",
                ["transcribe:GetMedicalTranscriptionJob"],
                [arns.transcription_jobs()],
                "its status",
                wildcard=_JOBS,
            ),
            *listing(clinical, "whether the transcript is there yet, without a right to read it"),
            *write(clinical, layout.BATCHES, purpose=_JOB_RECORDS),
        ],
        "prepare_documents": [
            *head(media, layout.MEDIA, purpose="whether a recording is still the one that was planned"),
            *read(
                clinical,
                layout.BATCHES,
                layout.TRANSCRIPTS,
                layout.ENTITY_JOBS,
                purpose="the plan, transcripts, which documents a job covers",
            ),
            *head(clinical, layout.ENTITIES, purpose="whether a job's output is still there"),
            *listing(clinical, "rejections, outputs; a 404 for what is missing"),
            *write(
                clinical,
                layout.DOCUMENTS,
                layout.ENTITY_JOBS,
                layout.BATCHES,
                purpose="documents, their index, which of them a job covers",
            ),
            *items(
                ledger,
                read=["object", "claim", "job"],
                update=["execution", "spending"],
                purpose="whether a recording is still this execution's, and which jobs cover it; the real cost",
            ),
        ],
        "start_entity_detection": [
            Statement(
                "StartEntityDetection",
                [
                    "comprehendmedical:StartEntitiesDetectionV2Job",
                    "comprehendmedical:ListEntitiesDetectionV2Jobs",
                    "comprehendmedical:DescribeEntitiesDetectionV2Job",
                ],
                ["*"],
                "jobs are found by their names, or started",
                wildcard=NO_RESOURCES,
            ),
            pass_role(resources.entity_detection_role_arn, "comprehendmedical.amazonaws.com"),
            *read(clinical, layout.BATCHES, purpose="the list of the batch's jobs"),
            *items(
                ledger,
                read=["job"],
                update=["execution", "job"],
                purpose="whether a job was started; its id; that the execution answers for it",
            ),
        ],
        "poll_entity_detection": [
            Statement(
                "GetEntityDetection",
                ["comprehendmedical:DescribeEntitiesDetectionV2Job"],
                ["*"],
                "its status",
                wildcard=NO_RESOURCES,
            ),
            *read(clinical, layout.BATCHES, purpose="the list of the batch's jobs"),
            *write(clinical, layout.BATCHES, purpose=_JOB_RECORDS),
            *items(ledger, read=["job"], update=["job"], purpose="the id of a job, and how it ended"),
        ],
        "collect_entities": [
            *read(
                clinical,
                layout.BATCHES,
                layout.ENTITIES,
                layout.TRANSCRIPTS,
                purpose="the plan, the index of documents, outputs, transcripts",
            ),
            *head(clinical, layout.RECORDS, purpose="the records before these"),
            *listing(clinical, "outputs; a 404 for what is missing"),
            *write(
                clinical,
                layout.RECORDS,
                layout.DEIDENTIFIED,
                layout.REPORTS,
                layout.BATCHES,
                purpose="records, de-identified transcripts, pages for people, rejections, counts",
            ),
            *items(
                ledger,
                read=["object", "job", "indexes"],
                update=_COMMITTED,
                purpose="whether a version is still the newest; where a job's output is; whose records stand; which "
                "indexes of cohorts there are",
            ),
            *members(ledger, write=_COMMITTED, delete=_COMMITTED, purpose=_MEMBERSHIP),
        ],
        "prepare_cohorts": [
            *items(ledger, read=["indexes"], update=["indexes"], purpose="the indexes that the cohorts need"),
            Statement(
                "LookAtOtherExecutions",
                ["states:DescribeExecution"],
                [executions],
                "whether the execution that rebuilds an index still runs",
                wildcard=EXECUTIONS,
            ),
        ],
        "index_records": [
            *read(clinical, layout.RECORDS, purpose="all records, once after a cohort's rules have changed"),
            *listing(clinical),
            *write(clinical, layout.BATCHES, purpose="which records can't be read"),
            *items(
                ledger,
                read=["object", "indexes"],
                update=_COMMITTED,
                purpose="whether the newest version consents; which indexes of cohorts there are",
            ),
            *members(ledger, write=_COMMITTED, delete=_COMMITTED, purpose=_MEMBERSHIP),
        ],
        "finish_rebuild": [
            *items(ledger, read=["indexes"], update=["indexes"], purpose="the indexes that are complete now"),
            *read(clinical, layout.BATCHES, purpose="which records can't be read"),
            *listing(clinical, "which records can't be read"),
        ],
        "select_seeds": [
            *read(
                audience,
                layout.SEEDS,
                layout.SUPPRESSION,
                purpose="earlier seeds, whose people decide about a new audience; who is suppressed",
            ),
            *listing(audience),
            *write(audience, layout.SEEDS, purpose="seeds: user ids and nothing else"),
            *items(ledger, read=["indexes"], purpose="which indexes of cohorts are complete"),
            *members(ledger, read=["index", "outline"], purpose="the members of cohorts; the people with records"),
        ],
        "start_audience_generation": [
            Statement(
                "StartAudienceGeneration",
                ["cleanrooms-ml:StartAudienceGenerationJob"],
                [*_of_the_model(resources.configured_audience_model_arn), arns.audience_generation_jobs()],
                "the environment's model only; where the model is another account's, the job has a second ARN there",
                wildcard=_JOBS,
            ),
            Statement(
                "TagAudienceGeneration",
                ["cleanrooms-ml:TagResource"],
                [arns.audience_generation_jobs()],
                "tags of the request",
                wildcard=_JOBS,
            ),
            Statement(
                "FindAudienceGeneration",
                ["cleanrooms-ml:ListAudienceGenerationJobs"],
                ["*"],
                "a job is found by its name before its id is known",
                wildcard=_LISTED,
            ),
            pass_role(resources.seed_reader_role_arn, "cleanrooms-ml.amazonaws.com"),
            *listing(audience, "whether the seed is still there"),
        ],
        "poll_audience_generation": [
            Statement(
                "GetAudienceGeneration",
                ["cleanrooms-ml:GetAudienceGenerationJob"],
                [arns.audience_generation_jobs()],
                "its status",
                wildcard=_JOBS,
            ),
            *write(clinical, layout.BATCHES, purpose=_JOB_RECORDS),
        ],
        "start_audience_export": [
            Statement(
                "StartAudienceExport",
                ["cleanrooms-ml:StartAudienceExportJob"],
                [arns.audience_generation_jobs()],
                "an export belongs to its generation job",
                wildcard=_JOBS,
            ),
            Statement(
                "FindAudienceExport",
                ["cleanrooms-ml:ListAudienceExportJobs"],
                ["*"],
                "exports have no id: they are found by listing",
                wildcard=_LISTED,
            ),
        ],
        "poll_audience_export": [
            Statement(
                "GetAudienceExport",
                ["cleanrooms-ml:ListAudienceExportJobs"],
                ["*"],
                "exports have no id: they are found by listing",
                wildcard=_LISTED,
            ),
            *write(clinical, layout.BATCHES, purpose=_JOB_RECORDS),
        ],
        "summarize_batch": [
            *read(clinical, layout.BATCHES, purpose="the plan, rejections, the index of documents"),
            *listing(clinical, "rejections; a 404 for what is missing"),
            *write(clinical, layout.BATCHES, purpose="the summary and its page"),
        ],
        "divide_search": [
            *_searches(clinical, reads="what is searched for"),
            *(one for name, bucket in stored.items() for one in list_versions(name, bucket)),
            tables(ledger, "CountItems", "dynamodb:DescribeTable", purpose="how many items there are"),
        ],
        "search_range": [
            *_searches(clinical, reads="what is searched for, and where"),
            *(one for name, bucket in stored.items() for one in list_versions(name, bucket)),
            # No right to the key: the sound of recordings is never searched.
            *read_versions("Media", media.bucket, None, purpose="heads of recordings, for their metadata"),
            *(
                one
                for store in (clinical, audience, resources.storage.operations)
                for one in read_versions(store.node.id, store.bucket, store.key, purpose=_SEARCHED)
            ),
            # S3 itself encrypts the access logs.
            *read_versions("AccessLogs", resources.storage.access_logs, None, purpose=_SEARCHED),
            tables(ledger, "SearchTables", "dynamodb:Scan", purpose="searching all items for patients"),
            decrypt_ledger(ledger),
        ],
        "mark_records": [
            # It has no items in the ledger table, whose key is also that of the members table.
            *items(ledger, read=[], purpose="the members table"),
            *members(ledger, write=["changed"], purpose="which objects' records the compaction has to read"),
        ],
        "compact_records": [
            *read(
                clinical,
                layout.RECORDS,
                layout.TRANSCRIPTS,
                layout.FINDINGS,
                layout.UTTERANCES,
                purpose="records and transcripts, and the tables with their rows so far",
            ),
            *listing(clinical, "the tables' files; a 404 for what is missing"),
            *write(clinical, layout.FINDINGS, layout.UTTERANCES, purpose="the tables"),
            *items(
                ledger,
                read=["analysed", "compaction"],
                update=["analysed", "compaction"],
                purpose="in which months' files an object's rows are; which compaction is at work",
            ),
            *members(
                ledger, read=["changed"], delete=["changed"], purpose="which objects' records have changed since then"
            ),
        ],
    }


def _searches(clinical: DataStore, *, reads: str) -> Statements:
    """The files of searches."""
    return [
        *read(clinical, layout.SEARCHES, purpose=reads),
        *write(clinical, layout.SEARCHES, purpose="the ranges of a search, and what was found"),
    ]


def _turns(ledger: Ledger) -> Statements:
    """Giving turns. The token itself proves the right to answer it; the ledger has those of our executions only."""
    return [
        *items(
            ledger,
            read=["turn", "turns"],
            update=["turn", "turns"],
            purpose="which executions have their turn to transcribe, and the tokens of those that wait",
        ),
        Statement("BeginTurn", ["states:SendTaskSuccess"], ["*"], "an execution's turn begins", wildcard=NO_RESOURCES),
    ]


def _of_the_model(arn: str | None) -> list[str]:
    """The model, and the second ARN that a job has if the model is another account's.

    The second one is always granted, because the stack's own account is known only at deployment.
    """
    return [arn, arns.audience_generation_jobs_of_owner(arn)] if arn else []
