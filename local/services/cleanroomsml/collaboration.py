"""The rights of a collaboration's accounts to each other's audience models.

Source: "IAM behaviors for AWS Clean Rooms ML" in the AWS Clean Rooms user guide. AWS doesn't document the error for a
missing collaboration or member: here it is a ValidationException.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from moto.cleanrooms.models import cleanrooms_backends

from local.aws.policies import Decision, Request, account_names, evaluate
from local.services.cleanroomsml.errors import AccessDeniedException, ValidationException

_ACTION = "cleanrooms-ml:StartAudienceGenerationJob"


class Caller(NamedTuple):
    """The caller who uses another account's model; a policy may name its account or one of its `arns`."""

    account_id: str
    arns: Sequence[str]


def check_owner_allows(policy: str | None, model_arn: str, caller: Caller, collaboration_id: str | None) -> None:
    """Raise AccessDeniedException unless the model's policy lets the caller use it, for a job in the owner's account.

    `policy` is None for a model without one, or that doesn't exist: another account can't distinguish these.
    """
    context = {"aws:PrincipalAccount": caller.account_id, "aws:SecureTransport": "true"}
    if caller.arns:
        context["aws:PrincipalArn"] = caller.arns[0]
    if collaboration_id:
        context["cleanrooms-ml:CollaborationId"] = collaboration_id
    principals = {"AWS": (*account_names(caller.account_id), *caller.arns)}
    owner = model_arn.partition(":configured-audience-model/")[0]
    for arn in (model_arn, f"{owner}:audience-generation-job/new"):
        if not policy or evaluate([policy], Request(_ACTION, arn, context, principals)) is not Decision.ALLOW:
            who = caller.arns[-1] if caller.arns else account_names(caller.account_id)[1]
            raise AccessDeniedException(
                f"User: {who} is not authorized to perform: {_ACTION} on resource: {arn} because no resource-based "
                f"policy allows the {_ACTION} action"
            )


def check_members(collaboration_id: str, region: str, account_ids: Iterable[str]) -> None:
    """Raise ValidationException unless there is the collaboration and all these accounts are active members of it."""
    for account_id in account_ids:
        memberships = list(cleanrooms_backends[account_id][region].memberships.values())
        if (collaboration_id, "ACTIVE") not in {(each.collaboration_id, each.status) for each in memberships}:
            raise ValidationException(f"Account {account_id} is no active member of a collaboration {collaboration_id}")


def check_policy(request: Mapping[str, Any], present: str | None) -> None:
    """Raise ValidationException unless a policy can be set in place of `present`, as `request` expects it to be."""
    try:
        document = json.loads(request["configuredAudienceModelPolicy"])
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValidationException("configuredAudienceModelPolicy is not a policy document in JSON")
    expected = request.get("policyExistenceCondition")
    if expected and (expected == "POLICY_MUST_EXIST") != (present is not None):
        raise ValidationException(f"policyExistenceCondition is {expected}, which does not hold")
    if "previousPolicyHash" in request and (present is None or policy_hash(present) != request["previousPolicyHash"]):
        raise ValidationException("previousPolicyHash is not that of the policy that the model has")


def policy_hash(policy: str) -> str:
    """The policy's hash; only length and alphabet are those of AWS's hash."""
    return hashlib.sha256(policy.encode()).hexdigest()
