import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.credentials import ACCOUNT_ID, administrator_credentials
from local.server import LocalAws

OTHER = "222233334444"
ROOT = f"arn:aws:iam::{ACCOUNT_ID}:root"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(principal: Any, action: Any = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return statement | ({"Condition": condition} if condition else {})


@pytest.fixture
def make_trusting(local_aws: LocalAws) -> Any:
    """make_trusting(*statements, **credentials) -> the ARN of a role with this trust policy"""

    def make(*statements: dict[str, Any], **credentials: Any) -> str:
        iam = local_aws.client("iam", **credentials)
        name = f"trusting-{uuid.uuid4().hex[:12]}"
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*statements))["Role"]["Arn"]
        return arn

    return make


def assume(sts: Any, role: str, **given: Any) -> str:
    """The ARN of the session."""
    arn: str = sts.assume_role(RoleArn=role, RoleSessionName="session", **given)["AssumedRoleUser"]["Arn"]
    return arn


def refused(sts: Any, role: str, **given: Any) -> None:
    with pytest.raises(ClientError, match=r"is not authorized to perform: sts:\w+ on resource: arn:") as refusal:
        assume(sts, role, **given)
    answer = refusal.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)


def test_nobody_assumes_a_role_that_does_not_exist(local_aws: LocalAws, make_role: Any) -> None:
    anyone = make_role({"Effect": "Allow", "Action": "sts:*", "Resource": "*"}).client("sts")
    for sts in (local_aws.client("sts"), anyone):
        refused(sts, f"arn:aws:iam::{ACCOUNT_ID}:role/absent")


def test_even_the_operator_assumes_no_role_that_trusts_a_service_only(local_aws: LocalAws, make_trusting: Any) -> None:
    refused(local_aws.client("sts"), make_trusting(trusting({"Service": "lambda.amazonaws.com"})))


def test_the_operator_assumes_a_role_that_trusts_the_account(local_aws: LocalAws, make_trusting: Any) -> None:
    role = make_trusting(trusting({"AWS": ROOT}))
    assert (
        assume(local_aws.client("sts"), role)
        == f"{role.replace('iam', 'sts').replace(':role', ':assumed-role')}/session"
    )


def test_a_role_that_trusts_the_account_is_assumed_by_those_whose_policies_allow_it(
    make_role: Any, make_trusting: Any
) -> None:
    role = make_trusting(trusting({"AWS": ROOT}))
    allowed = make_role({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
    assert assume(allowed.client("sts"), role)
    refused(make_role().client("sts"), role)


def test_a_caller_that_the_role_names_needs_no_policy_and_may_be_denied_by_one(
    make_role: Any, make_trusting: Any
) -> None:
    caller = make_role()
    denied = make_role({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})
    role = make_trusting(trusting({"AWS": [caller.arn, denied.arn]}))
    assert assume(caller.client("sts"), role)
    refused(denied.client("sts"), role)
    refused(make_role({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}).client("sts"), role)


@pytest.mark.parametrize(
    ("condition", "given", "may"),
    [
        ({"StringEquals": {"sts:ExternalId": "ours"}}, {"ExternalId": "ours"}, True),
        ({"StringEquals": {"sts:ExternalId": "ours"}}, {"ExternalId": "theirs"}, False),
        ({"StringEquals": {"sts:ExternalId": "ours"}}, {}, False),
        ({"StringLike": {"sts:RoleSessionName": "sess*"}}, {}, True),
        ({"StringLike": {"sts:RoleSessionName": "other*"}}, {}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, False),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT_ID}:user/*"}}, {}, True),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, {"Tags": [{"Key": "team", "Value": "a"}]}, True),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, {"Tags": [{"Key": "team", "Value": "b"}]}, False),
    ],
)
def test_the_conditions_of_a_trust_policy_are_evaluated(
    local_aws: LocalAws, make_trusting: Any, condition: Any, given: Any, may: bool
) -> None:
    role = make_trusting(trusting({"AWS": ROOT}, ["sts:AssumeRole", "sts:TagSession"], **condition))
    (assume if may else refused)(local_aws.client("sts"), role, **given)


def test_tags_and_a_source_identity_take_trust_of_their_own(local_aws: LocalAws, make_trusting: Any) -> None:
    role = make_trusting(trusting({"AWS": ROOT}))
    refused(local_aws.client("sts"), role, Tags=[{"Key": "team", "Value": "a"}])
    refused(local_aws.client("sts"), role, SourceIdentity="somebody")
    trusted = make_trusting(trusting({"AWS": ROOT}, ["sts:AssumeRole", "sts:SetSourceIdentity"]))
    assert assume(local_aws.client("sts"), trusted, SourceIdentity="somebody")


def test_another_account_s_role_takes_its_trust_and_the_caller_s_policy(make_role: Any, make_trusting: Any) -> None:
    owner = administrator_credentials(OTHER)
    trusted = make_trusting(trusting({"AWS": ROOT}), **owner)
    everything = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    assert assume(make_role(everything).client("sts"), trusted).startswith(f"arn:aws:sts::{OTHER}:assumed-role/")
    refused(make_role().client("sts"), trusted)
    refused(make_role(everything).client("sts"), make_trusting(trusting({"AWS": OTHER}), **owner))
