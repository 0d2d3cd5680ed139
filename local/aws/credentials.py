"""Whose rights a service acts with: the caller's, those of a role it was given, or the operator's.

On AWS, Transcribe reads and writes S3 with the rights of whoever started the job, while Comprehend Medical and Clean
Rooms ML assume a data-access role that must trust them. A local service that took these credentials from here fails
for the same missing permission. All functions return the credential arguments of `boto3.client`.
"""

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local.aws.policies import Decision, Request, evaluate

ACCOUNT_ID = "123456789012"
OPERATOR_ACCESS_KEY_ID = "local"
"""The person at the keyboard: may do everything, and signs with any secret."""

_OPERATOR = {"aws_access_key_id": OPERATOR_ACCESS_KEY_ID, "aws_secret_access_key": "local"}
_SESSION_SECONDS = 43200


class AccessDenied(Exception):
    """A role cannot be assumed: it does not exist, or its trust policy does not allow the service to."""


def operator_credentials() -> dict[str, str]:
    """Credentials that may do everything."""
    return dict(_OPERATOR)


def caller_credentials(access_key_id: str) -> dict[str, str]:
    """Credentials with the rights of whoever made a request with `access_key_id`.

    An id that belongs to no role session and no user is the operator's.
    """
    session = sts_backends[ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(access_key_id)
    if session:
        return {
            "aws_access_key_id": session.access_key_id,
            "aws_secret_access_key": session.secret_access_key,
            "aws_session_token": session.session_token,
        }
    user = iam_backends[ACCOUNT_ID]["aws"].get_user_from_access_key_id(access_key_id)
    if user:
        key = user.get_access_key_by_id(access_key_id)
        return {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}
    return operator_credentials()


def check_trust(role_arn: str, service: str, source_arn: str | None = None) -> None:
    """Raise AccessDenied unless `role_arn` is a role whose trust policy lets the AWS service `service` assume it.

    `source_arn` is the ARN of the resource that the service works for (a job, a state machine), offered to the trust
    policy as `aws:SourceArn`, and its account as `aws:SourceAccount`. A service that sends neither has None.
    """
    try:
        role = iam_backends[ACCOUNT_ID]["aws"].get_role_by_arn(role_arn)
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
    session = sts_backends[ACCOUNT_ID]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name=service.split(".")[0],
        role_arn=role_arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return caller_credentials(session.access_key_id)
