"""The resource policies that are evaluated for a call: of a bucket and of a queue."""

from moto.sqs.models import sqs_backends

from local.aws.calls import Permission
from local.aws.policies import Document


def resource_policy_of(permission: Permission) -> Document | str | None:
    """The policy of the permission's resource, in any account; None if it has none."""
    if permission.bucket is not None:
        return permission.bucket.policy.decode() if permission.bucket.policy else None
    if permission.action.startswith("sqs:") and permission.resource != "*":
        region, account, name = permission.resource.split(":")[3:6]
        queue = sqs_backends[account][region].queues.get(name)
        return queue.policy if queue and queue.policy else None
    return None
