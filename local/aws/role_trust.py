"""Decides by a role's trust policy, and the caller's own policies, who may assume the role.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html: a trust
policy must allow the caller, whatever the caller's policies say. If it names the caller, of the same account, it is
enough; if it names the caller's account, the caller's policies must allow the call, too.
"""

from collections.abc import Iterator
from dataclasses import replace

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from local.aws.calls import Call, Permission
from local.aws.policies import Decision, Request, account_names, evaluate

ACTIONS = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
_CONTEXT = {
    "sts:ExternalId": "ExternalId",
    "sts:RoleSessionName": "RoleSessionName",
    "sts:SourceIdentity": "SourceIdentity",
}


def assumption(call: Call) -> Iterator[Permission]:
    """The permissions for a call of AssumeRole, which the trust policy and the caller's must allow.

    Condition keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    parameters = call.parameters()
    role = parameters.get("RoleArn", "*")
    given = {key: parameters[name] for key, name in _CONTEXT.items() if name in parameters}
    tags = {
        value: parameters.get(f"{name.removesuffix('.Key')}.Value", "")
        for name, value in parameters.items()
        if name.startswith("Tags.") and name.endswith(".Key")
    }
    context: dict[str, str | list[str]] = {**given, **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}
    if tags:
        context["aws:TagKeys"] = list(tags)
    yield Permission("sts:AssumeRole", role, context)
    if "SourceIdentity" in parameters:
        yield Permission("sts:SetSourceIdentity", role, context)
    if tags:
        yield Permission("sts:TagSession", role, context)


def may_assume(identity: Decision, question: Request) -> bool:
    """Whether a caller whose own policies decide `identity` may do `question`, one of `ACTIONS`.

    Nobody may assume a role that doesn't exist.
    """
    if not question.resource.startswith("arn:"):
        return False
    owner = question.resource.split(":")[4]
    try:
        trust = iam_backends[owner]["aws"].get_role_by_arn(question.resource).assume_role_policy_document
    except NotFoundException:
        return False
    named = replace(question, principals={"AWS": (*question.principals["AWS"], *account_names(question.account))})
    if evaluate([trust], named) is not Decision.ALLOW:
        return False
    if owner == question.account and evaluate([trust], question) is Decision.ALLOW:
        return identity is not Decision.DENY
    return identity is Decision.ALLOW
