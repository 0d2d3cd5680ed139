import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.credentials import assume_service_role
from local.server import LocalAws

DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}


def role(**properties: Any) -> Any:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, **properties}}


def test_a_role_has_its_managed_policies(local_aws: LocalAws, create_stack: Any) -> None:
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT, "Description": "d"}}
    outputs = create_stack(
        {"Policy": policy, "Role": role(ManagedPolicyArns=[{"Ref": "Policy"}])},
        {"Role": {"Ref": "Role"}, "Policy": {"Ref": "Policy"}},
    )
    attached = local_aws.client("iam").list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [outputs["Policy"]]


def test_a_role_has_its_inline_policies_and_those_added_to_it(local_aws: LocalAws, create_stack: Any) -> None:
    added = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "added", "PolicyDocument": DOCUMENT, "Roles": [{"Ref": "Role"}]},
    }
    inline = [{"PolicyName": "inline", "PolicyDocument": DOCUMENT}]
    outputs = create_stack({"Role": role(Policies=inline), "Added": added}, {"Role": {"Ref": "Role"}})
    names = local_aws.client("iam").list_role_policies(RoleName=outputs["Role"])["PolicyNames"]
    assert sorted(names) == ["added", "inline"]


@pytest.mark.parametrize("kind", ["managed", "inline", "added"])
def test_policies_from_a_template_give_their_rights(local_aws: LocalAws, create_stack: Any, kind: str) -> None:
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}}
    properties = {"PolicyName": "added", "PolicyDocument": DOCUMENT, "Roles": [{"Ref": "Role"}]}
    resources = {
        "managed": {"Role": role(ManagedPolicyArns=[{"Ref": "Managed"}]), "Managed": managed},
        "inline": {"Role": role(Policies=[{"PolicyName": "inline", "PolicyDocument": DOCUMENT}])},
        "added": {"Role": role(), "Added": {"Type": "AWS::IAM::Policy", "Properties": properties}},
    }[kind]
    arn = create_stack(resources, {"Arn": {"Fn::GetAtt": ["Role", "Arn"]}})["Arn"]
    credentials = assume_service_role(arn, "lambda.amazonaws.com")
    assert local_aws.client("s3", **credentials).list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="AccessDenied"):
        local_aws.client("sqs", **credentials).list_queues()


def test_a_key_with_its_policy_rotation_and_alias(local_aws: LocalAws, create_stack: Any) -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": "*"}, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": document, "Description": "clinical text", "EnableKeyRotation": True},
    }
    alias = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/clinical", "TargetKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
    }
    arn = create_stack({"Key": key, "Alias": alias}, {"Arn": {"Fn::GetAtt": ["Key", "Arn"]}})["Arn"]
    kms = local_aws.client("kms")
    assert kms.describe_key(KeyId="alias/clinical")["KeyMetadata"]["Arn"] == arn
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Description"] == "clinical text"
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"]
    assert json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]) == document
