import json
from typing import Any

import pytest

from local.aws.credentials import (
    AccessDenied,
    administrator_credentials,
    assume_service_role,
    caller_arns,
    caller_credentials,
    check_trust,
    operator_credentials,
)
from local.server import LocalAws

SERVICE = "comprehendmedical.amazonaws.com"
JOB = "arn:aws:comprehendmedical:us-east-1:123456789012:entities-detection-job/1"


@pytest.fixture
def trusting_role(local_aws: LocalAws, make_role: Any) -> Any:
    """trusting_role(statement) -> ARN of a role with this trust statement."""

    def make(statement: Any) -> Any:
        role = make_role()
        trust = {"Version": "2012-10-17", "Statement": [{"Action": "sts:AssumeRole", **statement}]}
        local_aws.client("iam").update_assume_role_policy(RoleName=role.name, PolicyDocument=json.dumps(trust))
        return role.arn

    return make


def bound_to_jobs_of(account: Any) -> Any:
    return {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:comprehendmedical:us-east-1:{account}:*"},
        },
    }


def test_a_service_acts_as_a_role_that_trusts_it(local_aws: LocalAws, trusting_role: Any) -> None:
    arn = trusting_role(bound_to_jobs_of("123456789012"))
    credentials = assume_service_role(arn, SERVICE, JOB)
    identity = local_aws.client("sts", **credentials).get_caller_identity()
    assert identity["Arn"].split("/")[1] == arn.split("/")[1]


@pytest.mark.parametrize(
    ("service", "source_arn"),
    [
        ("transcribe.amazonaws.com", JOB),
        (SERVICE, JOB.replace("123456789012", "210987654321")),
        (SERVICE, JOB.replace("us-east-1", "eu-west-1")),
        (SERVICE, None),
    ],
)
def test_a_role_is_not_assumed_by_another_service_or_for_another_source(
    trusting_role: Any, service: Any, source_arn: Any
) -> None:
    arn = trusting_role(bound_to_jobs_of("123456789012"))
    with pytest.raises(AccessDenied, match="trust policy does not allow"):
        assume_service_role(arn, service, source_arn)


def test_a_service_that_names_no_source_sends_no_account_either(trusting_role: Any) -> None:
    statement = bound_to_jobs_of("123456789012")
    account = statement["Condition"]["StringEquals"]
    with pytest.raises(AccessDenied, match="on behalf of no resource"):
        check_trust(trusting_role(statement | {"Condition": {"StringEquals": account}}), SERVICE)
    check_trust(trusting_role(statement | {"Condition": {"StringEqualsIfExists": account}}), SERVICE)


def test_a_role_that_does_not_exist_cannot_be_assumed(local_aws: LocalAws) -> None:
    with pytest.raises(AccessDenied, match="no such role"):
        assume_service_role("arn:aws:iam::123456789012:role/absent", SERVICE, JOB)


def test_a_caller_is_known_by_the_access_key_of_its_session(local_aws: LocalAws, make_role: Any) -> None:
    role = make_role({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    session = assume_service_role(role.arn, "lambda.amazonaws.com")
    assert caller_credentials(session["aws_access_key_id"]) == session
    assert session.keys() == {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}


def test_a_caller_is_known_by_the_access_key_of_a_user(local_aws: LocalAws) -> None:
    iam = local_aws.client("iam")
    iam.create_user(UserName="clinician")
    key = iam.create_access_key(UserName="clinician")["AccessKey"]
    credentials = caller_credentials(key["AccessKeyId"])
    assert credentials == {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.mark.parametrize("access_key_id", ["local", "AKIAEXAMPLE"])
def test_a_caller_that_moto_does_not_know_is_the_operator(local_aws: LocalAws, access_key_id: Any) -> None:
    assert caller_credentials(access_key_id)["aws_access_key_id"] == "local"


OTHER = "222233334444"


def test_the_administrator_of_another_account_is_one_user_who_may_do_everything_there(local_aws: LocalAws) -> None:
    credentials = administrator_credentials(OTHER)
    assert administrator_credentials(OTHER) == credentials
    arn = f"arn:aws:iam::{OTHER}:user/administrator"
    assert local_aws.client("sts", **credentials).get_caller_identity()["Arn"] == arn
    assert caller_arns(credentials["aws_access_key_id"]) == [arn]
    local_aws.client("s3", **credentials).create_bucket(Bucket="in-the-other-account")
    ours = [bucket["Name"] for bucket in local_aws.client("s3").list_buckets()["Buckets"]]
    assert "in-the-other-account" not in ours


def test_a_service_acts_as_a_role_in_the_role_s_account(local_aws: LocalAws) -> None:
    iam = local_aws.client("iam", **administrator_credentials(OTHER))
    trust = {"Version": "2012-10-17", "Statement": [bound_to_jobs_of(OTHER) | {"Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    credentials = assume_service_role(role, SERVICE, JOB.replace("123456789012", OTHER))
    identity = local_aws.client("sts", **credentials).get_caller_identity()
    assert identity["Account"] == OTHER
    assert caller_arns(credentials["aws_access_key_id"]) == [role, identity["Arn"]]
    with pytest.raises(AccessDenied, match="trust policy does not allow"):
        assume_service_role(role, SERVICE, JOB)


def test_the_operator_has_no_name_that_a_policy_could_have(local_aws: LocalAws) -> None:
    assert caller_arns(operator_credentials()["aws_access_key_id"]) == []
