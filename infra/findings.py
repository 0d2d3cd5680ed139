"""The cdk-nag findings that we accept, where and why; any other stops the synthesis.

An acknowledgement stands at the resource it is about: further up it would also cover what is added later.
"""

from collections.abc import Iterator

from aws_cdk import Acknowledgment, App, CfnElement, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks
from constructs import Construct

from infra import arns
from infra.functions import FUNCTIONS, pascal_case
from infra.stack import PipelineStack

_OBJECTS = "Object keys are derived from content at run time; the grant is narrowed to one bucket and one prefix."
_JOBS = "The service assigns the ids at run time; the grant is narrowed to this account, Region and type of job."
_EXECUTIONS = "Executions get their names at run time; the grant is narrowed to this state machine."
_NO_RESOURCES = "The actions have no resource-level permissions (Service Authorization Reference)."
_LISTED = (
    "A job is looked for by its name, before its id is known. The Service Authorization Reference has what is listed "
    "from as an optional resource only, and a listing shows names and states, never data."
)
_REPLICATION = (
    "Replication would copy patient data to a second Region, which is the data owner's decision and is made outside "
    "this stack. Versioning keeps what is overwritten or deleted."
)

# On each function.
_FUNCTION = {
    "AwsSolutions-L1": (
        "Python 3.13 is in full support, and the newest runtime on which the whole application, its local AWS "
        "included, is tested."
    ),
    "HIPAA.Security-LambdaDLQ": (
        "Lambda's dead-letter queue takes asynchronous invocations only: Step Functions waits and retries, the ingest "
        "queue has a dead-letter queue of its own, and what ShareJobs missed it does a minute later."
    ),
    "HIPAA.Security-LambdaConcurrency": (
        "Concurrency is bounded where work starts: by the Maps' MaxConcurrency in each execution and the event "
        "source's MaximumConcurrency. Reserving it would take it from the account's other functions."
    ),
    "HIPAA.Security-LambdaInsideVPC": (
        "Calls AWS service endpoints only, with TLS and IAM. There is nothing private to reach, and a VPC would add a "
        "way out that has to be guarded."
    ),
}

_DATA = {
    "Storage/Media/Bucket": {"HIPAA.Security-S3BucketReplicationEnabled": _REPLICATION},
    "Storage/Clinical/Bucket": {"HIPAA.Security-S3BucketReplicationEnabled": _REPLICATION},
    "Storage/Audience/Bucket": {"HIPAA.Security-S3BucketReplicationEnabled": _REPLICATION},
    "Storage/Operations/Bucket": {"HIPAA.Security-S3BucketReplicationEnabled": _REPLICATION},
    "Storage/AccessLogs": {
        "HIPAA.Security-S3BucketReplicationEnabled": (
            "Access logs hold object keys and callers, never content, and nothing is restored from them."
        ),
        "HIPAA.Security-S3DefaultEncryptionKMS": "S3 delivers access logs only to buckets encrypted with SSE-S3.",
    },
    "Ledger/Table": {
        "HIPAA.Security-DynamoDBInBackupPlan": (
            "Point-in-time recovery restores the table to any second of the last 35 days. A backup that is kept longer "
            "would keep the ids of recordings that were to be forgotten."
        )
    },
}

# Per policy, what its wildcards stand for: `Store/prefix` is the objects under that prefix of that store.
_WILDCARDS: dict[str, dict[str, str]] = {
    "Tracing": {"*": _NO_RESOURCES},
    "Workflow/Policy": {
        "*": _NO_RESOURCES,
        "Clinical/batches": _OBJECTS,
        "states:execution:{stack}-pipeline:": _EXECUTIONS,
        "states:execution:{stack}-pipeline/": _EXECUTIONS,
    },
    "DataAccessRoles/EntityDetection/Policy": {"Clinical/documents": _OBJECTS, "Clinical/entities": _OBJECTS},
    "DataAccessRoles/SeedReader/Policy": {"Audience/seeds": _OBJECTS},
    "Functions/PlanBatch/Policy": {
        "Media/media": _OBJECTS,
        "Clinical/records": _OBJECTS,
        "Clinical/entity-jobs": _OBJECTS,
        "Clinical/batches": _OBJECTS,
        "states:execution:{stack}-pipeline:": _EXECUTIONS,
    },
    "Functions/ShareJobs/Policy": {
        "states:execution:{stack}-pipeline:": _EXECUTIONS,
        "states:mapRun:{stack}-pipeline/": _EXECUTIONS,
    },
    "Functions/StartTranscription/Policy": {
        "*": (
            "The actions have no resource-level permissions (Service Authorization Reference); a condition narrows the "
            "start to output in our bucket."
        ),
        "Media/media": _OBJECTS,
        "Clinical/transcripts": _OBJECTS,
        "Clinical/batches": _OBJECTS,
        "transcribe:medical-transcription-job/": _JOBS,
    },
    "Functions/PollTranscription/Policy": {
        "Clinical/batches": _OBJECTS,
        "transcribe:medical-transcription-job/": _JOBS,
    },
    "Functions/PrepareDocuments/Policy": {
        "Media/media": _OBJECTS,
        "Clinical/batches": _OBJECTS,
        "Clinical/transcripts": _OBJECTS,
        "Clinical/documents": _OBJECTS,
        "Clinical/entity-jobs": _OBJECTS,
        "Clinical/entities": _OBJECTS,
    },
    "Functions/StartEntityDetection/Policy": {"*": _NO_RESOURCES, "Clinical/batches": _OBJECTS},
    "Functions/PollEntityDetection/Policy": {"*": _NO_RESOURCES, "Clinical/batches": _OBJECTS},
    "Functions/CollectEntities/Policy": {
        "Clinical/batches": _OBJECTS,
        "Clinical/entities": _OBJECTS,
        "Clinical/transcripts": _OBJECTS,
        "Clinical/records": _OBJECTS,
        "Clinical/deidentified": _OBJECTS,
        "Clinical/reports": _OBJECTS,
    },
    "Functions/SelectSeeds/Policy": {
        "Clinical/records": _OBJECTS,
        "Audience/seeds": _OBJECTS,
        "Audience/suppression": _OBJECTS,
    },
    "Functions/StartAudienceGeneration/Policy": {"*": _LISTED, "cleanrooms-ml:audience-generation-job/": _JOBS},
    "Functions/PollAudienceGeneration/Policy": {
        "cleanrooms-ml:audience-generation-job/": _JOBS,
        "Clinical/batches": _OBJECTS,
    },
    "Functions/StartAudienceExport/Policy": {"*": _LISTED, "cleanrooms-ml:audience-generation-job/": _JOBS},
    "Functions/PollAudienceExport/Policy": {
        "*": _LISTED,
        "Clinical/batches": _OBJECTS,
    },
    "Functions/SummarizeBatch/Policy": {"Clinical/batches": _OBJECTS},
}

_JOBS_OF_OWNER = (
    "The service assigns the ids at run time, and gives a job that uses another account's model a second ARN in that "
    "account; the grant is narrowed to the model's account and Region, and to this type of job."
)

# Where a cohort's seed is selected by a query.
_QUERY_WILDCARDS = {
    "DataAccessRoles/SeedQueries": {
        "*": "Clean Rooms asks for these actions on all resources (its guide, roles for ML).",
        "cleanrooms:membership/": "The collaboration's membership is chosen by the service when the query starts.",
    }
}


def check(app: App, stack: PipelineStack) -> None:
    """Have the synthesis of `app` fail on findings of the AwsSolutions and HIPAA packs that are not accepted."""
    acknowledge(stack)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app))


def acknowledge(stack: PipelineStack) -> None:
    for construct, finding, reason in accepted(stack):
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def accepted(stack: PipelineStack) -> Iterator[tuple[Construct, str, str]]:
    """Construct, finding and reason of everything that is accepted in `stack`."""
    for name in FUNCTIONS:
        function = _at(stack, f"Functions/{pascal_case(name)}/Function")
        yield from ((function, finding, reason) for finding, reason in _FUNCTION.items())
    for path, findings in _DATA.items():
        yield from ((_at(stack, path), finding, reason) for finding, reason in findings.items())
    queries = stack.node.find_child("DataAccessRoles").node.try_find_child("SeedQueries")
    for path, wildcards in (_WILDCARDS | (_QUERY_WILDCARDS if queries else {})).items():
        for wildcard, reason in wildcards.items():
            yield _at(stack, path), _wildcard_finding(_resource(stack, wildcard)), reason
    if model_arn := stack.configured_audience_model_arn:
        jobs = arns.audience_generation_jobs_of_owner(model_arn)
        yield _at(stack, "Functions/StartAudienceGeneration/Policy"), _wildcard_finding(jobs), _JOBS_OF_OWNER


def _wildcard_finding(resource: str) -> str:
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def _at(stack: Stack, path: str) -> Construct:
    construct: Construct = stack
    for construct_id in path.split("/"):
        child = construct.node.find_child(construct_id)
        assert isinstance(child, Construct)
        construct = child
    return construct


def _resource(stack: Stack, wildcard: str) -> str:
    """A wildcard of the table as cdk-nag spells the resource."""
    if wildcard == "*":
        return "*"
    if ":" in wildcard:
        service, resource = wildcard.format(stack=stack.stack_name).split(":", 1)
        return f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}*"
    store, prefix = wildcard.split("/")
    bucket = _at(stack, f"Storage/{store}/Bucket").node.default_child
    assert isinstance(bucket, CfnElement)
    return f"<{stack.resolve(bucket.logical_id)}.Arn>/{prefix}/*"
