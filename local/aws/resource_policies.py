"""The resource policies that are evaluated for a call: of a bucket, a queue, and a role (its trust policy)."""

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends

from local.aws.calls import Permission
from local.aws.policies import Document

_TRUSTS_NOBODY = '{"Statement": []}'


def resource_policy_of(permission: Permission) -> Document | str | None:
    """The policy of the permission's resource, in any account; None if it has none."""
    if permission.bucket is not None:
        return permission.bucket.policy.decode() if permission.bucket.policy else None
    if permission.action.startswith("sqs:") and permission.resource != "*":
        region, account, name = permission.resource.split(":")[3:6]
        queue = sqs_backends[account][region].queues.get(name)
        return queue.policy if queue and queue.policy else None
    if permission.action == "sts:AssumeRole":
        # The trust policy must name the caller, not only the account.
        if permission.resource == "*":
            return _TRUSTS_NOBODY
        account = permission.resource.split(":")[4]
        try:
            return str(iam_backends[account]["aws"].get_role_by_arn(permission.resource).assume_role_policy_document)
        except NotFoundException:
            return _TRUSTS_NOBODY
    return None
