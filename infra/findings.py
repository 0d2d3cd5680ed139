"""The accepted cdk-nag findings, with their reasons; any other finding fails the synthesis.

Each is acknowledged at its resource: further up the tree it would also cover resources that are added later. The
reasons for a policy's wildcards are beside its statements (infra/permissions.py, infra/service_permissions.py).
"""

from collections.abc import Iterator
from typing import Any

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks
from constructs import Construct

from infra.functions import FUNCTIONS, pascal_case
from infra.roles import ExactPolicy
from infra.stack import PipelineStack

_REPLICATION = (
    "Replication would copy patient data to a second Region, which is the data owner's decision and is made outside "
    "this stack. Versioning keeps what is overwritten or deleted."
)

_DERIVED = (
    "The table has no facts of its own: a rebuild makes it from the records. It has user ids, so a backup would keep "
    "patients who were to be forgotten."
)

# On each function.
_FUNCTION = {
    "AwsSolutions-L1": (
        "Python 3.13 is in full support, and the newest runtime on which the whole application, its local AWS "
        "included, is tested."
    ),
    "HIPAA.Security-LambdaDLQ": (
        "Lambda's dead-letter queue takes asynchronous invocations only: Step Functions waits and retries, the ingest "
        "queue has a dead-letter queue of its own, and ShareJobs runs again a minute later."
    ),
    "HIPAA.Security-LambdaConcurrency": (
        "Concurrency is bounded where work starts: by the Maps' MaxConcurrency in each execution and the event "
        "source's MaximumConcurrency. Reserving it would take it from the account's other functions."
    ),
    "HIPAA.Security-LambdaInsideVPC": (
        "The function calls AWS service endpoints only, with TLS and IAM. It needs no private resource, and a VPC "
        "would add egress that has to be controlled."
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
    "Ledger/Members": {
        "AwsSolutions-DDB3": _DERIVED,
        "HIPAA.Security-DynamoDBInBackupPlan": _DERIVED,
        "HIPAA.Security-DynamoDBPITREnabled": _DERIVED,
    },
}


def check(app: App, stack: PipelineStack) -> None:
    """Fail the synthesis of `app` on findings of the AwsSolutions and HIPAA packs that are not accepted."""
    acknowledge(stack)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app))


def acknowledge(stack: PipelineStack) -> None:
    for construct, finding, reason in accepted(stack):
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def accepted(stack: PipelineStack) -> Iterator[tuple[Construct, str, str]]:
    """Construct, finding and reason of each accepted finding in `stack`."""
    for name in FUNCTIONS:
        function = _at(stack, f"Functions/{pascal_case(name)}/Function")
        yield from ((function, finding, reason) for finding, reason in _FUNCTION.items())
    for path, findings in _DATA.items():
        yield from ((_at(stack, path), finding, reason) for finding, reason in findings.items())
    for construct in stack.node.find_all():
        if isinstance(construct, ExactPolicy):
            for resource, reason in _wildcards(construct).items():
                yield construct, f"AwsSolutions-IAM5[Resource::{resource}]", reason


def _wildcards(policy: ExactPolicy) -> dict[str, str]:
    """Wildcard resource, in cdk-nag's spelling -> reason; only if each of its statements has one."""
    reasons: dict[str, list[str]] = {}
    for statement in policy.given:
        for resource in statement.resources:
            if "*" in resource:
                reasons.setdefault(_spelled(Stack.of(policy).resolve(resource)), []).append(statement.wildcard)
    return {resource: " ".join(dict.fromkeys(each)) for resource, each in reasons.items() if all(each)}


def _spelled(resolved: Any) -> str:
    if isinstance(resolved, str):
        return resolved
    ((function, argument),) = resolved.items()
    if function == "Fn::Join":
        return str(argument[0]).join(map(_spelled, argument[1]))
    return f"<{argument if function == 'Ref' else '.'.join(argument)}>"


def _at(stack: Stack, path: str) -> Construct:
    construct: Construct = stack
    for construct_id in path.split("/"):
        child = construct.node.find_child(construct_id)
        assert isinstance(child, Construct)
        construct = child
    return construct
