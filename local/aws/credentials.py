"""Credentials with which a service acts: the caller's, those of a role it was given, or the operator's.

The local AWS has one account, `ACCOUNT_ID`, and any number of others, which moto creates when they are first named. The
credentials of a call decide its account.

On AWS, Transcribe reads and writes S3 with the rights of the job's starter, while Comprehend Medical and Clean Rooms ML
assume a data-access role that must trust them. With these credentials a local service fails for the same missing
permission. All functions return the credential arguments of `boto3.client`.
"""

import json

from moto.iam.exceptions import NotFoundException
from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends

from local.aws.policies import Decision, Request, evaluate

ACCOUNT_ID = "123456789012"
OPERATOR_ACCESS_KEY_ID = "local"
"""The person at the keyboard: may do everything, and signs with any secret."""

_EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_ADMINISTRATOR = "administrator"
_OPERATOR = {"aws_access_key_id": OPERATOR_ACCESS_KEY_ID, "aws_secret_access_key": "local"}
_SESSION_SECONDS = 43200


class AccessDenied(Exception):
    """A role cannot be assumed: it does not exist, or its trust policy does not allow the service to."""


def operator_credentials() -> dict[str, str]:
    """Credentials that may do everything."""
    return dict(_OPERATOR)


def administrator_credentials(account_id: str) -> dict[str, str]:
    """Credentials of a user who may do everything in an account other than ours; the first call makes the user."""
    iam = iam_backends[account_id]["aws"]
    if _ADMINISTRATOR not in iam.users:
        iam.create_user("us-east-1", _ADMINISTRATOR)
        iam.put_user_policy(_ADMINISTRATOR, "everything", json.dumps(_EVERYTHING))
        iam.create_access_key(user_name=_ADMINISTRATOR)
    (key,) = iam.list_access_keys(_ADMINISTRATOR)
    return caller_credentials(key.access_key_id)


def caller_arns(access_key_id: str) -> list[str]:
    """The ARNs by which a policy may name the caller: a user's, or a role's and its session's; none for the operator.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    account_id = get_account_id_from(access_key_id)
    if session := sts_backends[account_id]["aws"].get_assumed_role_from_access_key(access_key_id):
        return [session.role_arn, session.arn]
    user = iam_backends[account_id]["aws"].get_user_from_access_key_id(access_key_id)
    return [user.arn] if user else []


def caller_credentials(access_key_id: str) -> dict[str, str]:
    """Credentials with the rights of the caller that made a request with `access_key_id`, in any account.

    An id that belongs to no role session and no user is the operator's.
    """
    account_id = get_account_id_from(access_key_id)
    session = sts_backends[account_id]["aws"].get_assumed_role_from_access_key(access_key_id)
    if session:
        return {
            "aws_access_key_id": session.access_key_id,
            "aws_secret_access_key": session.secret_access_key,
            "aws_session_token": session.session_token,
        }
    user = iam_backends[account_id]["aws"].get_user_from_access_key_id(access_key_id)
    if user:
        key = user.get_access_key_by_id(access_key_id)
        return {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}
    return operator_credentials()


def check_trust(role_arn: str, service: str, source_arn: str | None = None) -> None:
    """Raise AccessDenied unless `role_arn` is a role whose trust policy lets the AWS service `service` assume it.

    `source_arn` is the ARN of the resource that the service works for (a job, a state machine), offered to the trust
    policy as `aws:SourceArn`, and its account as `aws:SourceAccount`. A service that sends neither has None.
    """
    account_id = role_arn.split(":")[4]
    try:
        role = iam_backends[account_id]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        raise AccessDenied(f"{service} cannot assume {role_arn}: there is no such role") from None
    source = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_arn.split(":")[4]} if source_arn else {}
    request = Request("sts:AssumeRole", role_arn, source, {"Service": [service]})
    # A trust policy has no Resource: the role itself is meant.
    if evaluate([role.assume_role_policy_document], request) is not Decision.ALLOW:
        raise AccessDenied(
            f"{service} cannot assume {role_arn} on behalf of {source_arn or 'no resource'}: "
            "the role's trust policy does not allow it (principal, aws:SourceAccount, aws:SourceArn)"
        )


def assume_service_role(role_arn: str, service: str, source_arn: str | None = None) -> dict[str, str]:
    """Credentials of `role_arn`, assumed by the AWS service `service` (such as "comprehendmedical.amazonaws.com").

    Raises AccessDenied as `check_trust` does, where `source_arn` is described.
    """
    check_trust(role_arn, service, source_arn)
    # moto's STS checks neither the role nor its trust.
    session = sts_backends[role_arn.split(":")[4]]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name=service.split(".")[0],
        role_arn=role_arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return caller_credentials(session.access_key_id)
