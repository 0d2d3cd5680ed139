"""Enforces IAM: every call to the local AWS is checked against the caller's policies, as on AWS.

It replaces moto's check, which ignores most conditions and the resources of most services. A call passes if the
caller's signature is right and each permission it needs (`required_permissions`) is allowed by the caller's identity
policies, or by the bucket's or queue's policy, and denied by neither. A bucket of another account needs both. The
credentials decide the account of a call.

Not evaluated: KMS key policies and grants, permissions boundaries, session policies, service control policies, the
resource policies of functions, tables and topics. Calls without a signature are refused; presigned URLs have one
(`local.aws.presigned_urls`). The operator (`local.aws.credentials.OPERATOR_ACCESS_KEY_ID`) passes unchecked, but for
writes that a bucket's policy denies to all, keys that can't be used, and roles that don't trust the account.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import AssumedRoleAccessKey, IAMRequestBase, PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Policy, iam_backends
from moto.s3.models import FakeBucket

from local.aws.calls import Call, Permission
from local.aws.credentials import ACCOUNT_ID, OPERATOR_ACCESS_KEY_ID
from local.aws.key_states import check_s3
from local.aws.policies import Decision, Document, Request, account_names, evaluate
from local.aws.refusals import refuse, refuse_unsigned
from local.aws.required_permissions import required_permissions
from local.aws.resource_policies import resource_policy_of
from local.aws.role_trust import ACTIONS as TRUST_ACTIONS
from local.aws.role_trust import assumption, may_assume
from local.aws.s3_permissions import s3_permissions

_OPERATOR_ARN = f"arn:aws:iam::{ACCOUNT_ID}:user/operator"
_FORM = "application/x-www-form-urlencoded"

actions_used: dict[str, set[str]] = defaultdict(set)
"""The actions that each principal was allowed, by its ARN, since `install`."""

_moto_authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action
_moto_check = IAMRequestBase.check_action_permitted
_moto_bucket_permission = FakeBucket.get_permission


def install() -> None:
    """Check every call from now on."""
    actions_used.clear()
    ActionAuthenticatorMixin._authenticate_and_authorize_action = _authorize  # type: ignore[method-assign, assignment]
    IAMRequestBase.check_action_permitted = _check_action_permitted  # type: ignore[method-assign, assignment]
    # moto calls it before the caller is known; here the bucket's policy is evaluated with the caller's permissions.
    FakeBucket.get_permission = _no_opinion  # type: ignore[method-assign, assignment]


def stop() -> None:
    """Restore moto's own checks."""
    ActionAuthenticatorMixin._authenticate_and_authorize_action = _moto_authorize  # type: ignore[method-assign]
    IAMRequestBase.check_action_permitted = _moto_check  # type: ignore[method-assign]
    FakeBucket.get_permission = _moto_bucket_permission  # type: ignore[method-assign]


def role_allows(role_arn: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether the identity policies of `role_arn` allow `action` on `resource`. False if there is no such role."""
    try:
        role = iam_backends[role_arn.split(":")[4]]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        return False
    documents = [*role.policies.values(), *(_default_version(p) for p in role.managed_policies.values())]
    request = Request(action, resource, {**_caller_context(role_arn, "us-east-1"), **(context or {})})
    return evaluate(documents, request) is Decision.ALLOW


def _authorize(response: ActionAuthenticatorMixin, iam_request_cls: type[IAMRequestBase], resource: str = "*") -> None:
    authorization = response.headers.get("Authorization", "")  # type: ignore[attr-defined]
    if f"Credential={OPERATOR_ACCESS_KEY_ID}/" in authorization:
        _hold_operator(response, resource)
        return
    if not authorization:
        refuse_unsigned(response.service_name, response._get_action())  # type: ignore[attr-defined]
    query = response.uri.partition("?")[2]  # type: ignore[attr-defined]
    parameters = response.data  # type: ignore[attr-defined]
    is_form = response.headers.get("Content-Type", "").startswith(_FORM)  # type: ignore[attr-defined]
    request = iam_request_cls(
        account_id=response.current_account,  # type: ignore[attr-defined]
        method=response.method,  # type: ignore[attr-defined]
        path=response.raw_path + (f"?{query}" if query else ""),  # type: ignore[attr-defined]
        # moto signs these if there is no body, as for a form that was parsed. For other requests without a body they
        # are headers, and the signature would never match.
        data=parameters if is_form else {},
        body=response.raw_body,  # type: ignore[attr-defined]
        headers=response.headers,  # type: ignore[attr-defined]
        action=response._get_action(),  # type: ignore[attr-defined]
    )
    request.check_signature()
    request._data = parameters
    request.check_action_permitted(resource)


def _hold_operator(response: ActionAuthenticatorMixin, resource: str) -> None:
    """Refuse what an administrator may not do either.

    That is a write that the bucket's policy denies to everyone, to read or write under a key that can't be used, and to
    assume a role that doesn't trust the account.
    """
    call = Call(
        service=response.service_name,  # type: ignore[attr-defined]
        operation=response._get_action(),  # type: ignore[attr-defined]
        resource=resource,
        region="us-east-1",
        account=ACCOUNT_ID,
        method=response.method,  # type: ignore[attr-defined]
        url=response.uri,  # type: ignore[attr-defined]
        headers={name.lower(): value for name, value in response.headers.items()},  # type: ignore[attr-defined]
        form=response.data,  # type: ignore[attr-defined]
        body="",
    )
    if call.service == "s3":
        for permission in s3_permissions(call):
            check_s3(permission)
            # moto names other calls so, too.
            policy = resource_policy_of(permission) if (call.operation, call.method) == ("PutObject", "PUT") else None
            if policy and evaluate([policy], _operators_question(permission)) is Decision.DENY:
                refuse("s3", _OPERATOR_ARN, permission)
    if (call.service, call.operation) == ("sts", "AssumeRole"):
        for permission in assumption(call):
            if not may_assume(Decision.ALLOW, _operators_question(permission)):
                refuse("sts", _OPERATOR_ARN, permission)


def _operators_question(permission: Permission) -> Request:
    context = {**_caller_context(_OPERATOR_ARN, "us-east-1"), **permission.context}
    return Request(permission.action, permission.resource, context, {"AWS": (_OPERATOR_ARN,)}, ACCOUNT_ID)


def _no_opinion(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


def _check_action_permitted(request: IAMRequestBase, resource: str) -> None:
    service, operation = request._action.split(":", 1)
    if request._action == "sts:GetCallerIdentity":
        return
    call = Call(
        service=service,
        operation=operation,
        resource=resource,
        region=request._region,
        account=request.account_id,
        method=request._method,
        url=request._path,
        headers={name.lower(): value for name, value in request._headers.items()},
        form=request._data,
        body=request._body,
    )
    try:
        documents = [_document(policy) for policy in request._access_key.collect_policies()]
    except NotFoundException:
        documents = []
    principal = _principal_arn(request)
    for permission in required_permissions(call):
        if not _allowed(permission, documents, principal, request._access_key.arn, call.region):
            refuse(service, request._access_key.arn, permission)
        actions_used[principal].add(permission.action)
        check_s3(permission)


def _allowed(
    permission: Permission, documents: list[Document | str], principal: str, session: str, region: str
) -> bool:
    account = principal.split(":")[4]
    owner = permission.bucket.account_id if permission.bucket else account
    context = {**_caller_context(principal, region), "aws:ResourceAccount": owner, **permission.context}
    question = Request(permission.action, permission.resource, context, {"AWS": (principal, session)}, account)
    if permission.action in TRUST_ACTIONS:
        return may_assume(evaluate(documents, question), question)
    decisions, resource_policy = {evaluate(documents, question)}, resource_policy_of(permission)
    if owner != account:
        # Both accounts decide, and the owner's may name the caller's account for all of its callers:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
        theirs = replace(question, principals={"AWS": (principal, session, *account_names(account))})
        return bool(
            decisions == {Decision.ALLOW} and resource_policy and evaluate([resource_policy], theirs) is Decision.ALLOW
        )
    if resource_policy:
        decisions.add(evaluate([resource_policy], question))
    return Decision.ALLOW in decisions and Decision.DENY not in decisions


def _caller_context(principal_arn: str, region: str) -> dict[str, str]:
    # Served over HTTP on the loopback interface, which stands for the HTTPS that AWS serves.
    return {
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": principal_arn,
        "aws:PrincipalAccount": principal_arn.split(":")[4],
        "aws:ResourceAccount": principal_arn.split(":")[4],
        "aws:RequestedRegion": region,
        "aws:PrincipalIsAWSService": "false",
    }


def _principal_arn(request: IAMRequestBase) -> str:
    """The ARN of the user or role (of a role's session, the role)."""
    key = request._access_key
    if isinstance(key, AssumedRoleAccessKey):
        return f"arn:aws:iam::{request.account_id}:role/{key._owner_role_name}"
    return key.arn


def _document(policy: Any) -> Document | str:
    """The document of an identity's policy, which moto stores in several forms."""
    if isinstance(policy, Policy):
        return _default_version(policy)
    if isinstance(policy, str):
        return policy
    document: Document | str = policy.get("policy_document", policy)
    return document


def _default_version(policy: Any) -> str:
    document = next(version.document for version in policy.versions if version.is_default)
    return document if isinstance(document, str) else json.dumps(document)
