import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.credentials import assume_service_role
from local.server import LocalAws
from tests.local.aws.stacks import Stack

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


def test_a_role_changes_its_trust_and_its_policies_in_place(local_aws: LocalAws, stack: Stack) -> None:
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}}
    attached = {"ManagedPolicyArns": [{"Ref": "Policy"}], "Policies": [{"PolicyName": "a", "PolicyDocument": DOCUMENT}]}
    stack.create({"Policy": policy, "Role": role(**attached)})
    before = stack.physical_ids()
    iam, name = local_aws.client("iam"), before["Role"]
    # What others have added stays.
    iam.put_role_policy(RoleName=name, PolicyName="others", PolicyDocument=json.dumps(DOCUMENT))
    trust = json.loads(json.dumps(TRUST).replace("lambda", "states"))
    other = {
        "AssumeRolePolicyDocument": trust,
        "Description": "changed",
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "Policies": [{"PolicyName": "b", "PolicyDocument": DOCUMENT}],
    }
    assert stack.update({"Policy": policy, "Role": role(**other)}) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
    described = iam.get_role(RoleName=name)["Role"]
    assert (described["AssumeRolePolicyDocument"], described["Description"]) == (trust, "changed")
    (found,) = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert found["PolicyArn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"b", "others"}


@pytest.mark.parametrize("kind", ["managed", "added"])
def test_a_changed_policy_changes_the_rights_at_once(local_aws: LocalAws, stack: Stack, kind: str) -> None:
    def resources(action: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
        added = {"PolicyName": "added", "PolicyDocument": document, "Roles": [{"Ref": "Role"}]}
        if kind == "managed":
            return {"Role": role(ManagedPolicyArns=[{"Ref": "Policy"}]), "Policy": managed}
        return {"Role": role(), "Policy": {"Type": "AWS::IAM::Policy", "Properties": added}}

    stack.create(resources("s3:ListAllMyBuckets"))
    before = stack.physical_ids()
    # IAM stores five versions of a policy.
    for number in range(6):
        stack.update(resources(f"s3:List{number}"))
    assert stack.update(resources("sqs:ListQueues")) == "UPDATE_COMPLETE"
    assert stack.physical_ids() == before
    arn = local_aws.client("iam").get_role(RoleName=before["Role"])["Role"]["Arn"]
    credentials = assume_service_role(arn, "lambda.amazonaws.com")
    local_aws.client("sqs", **credentials).list_queues()
    with pytest.raises(ClientError, match="AccessDenied"):
        local_aws.client("s3", **credentials).list_buckets()


def test_a_policy_that_leaves_the_template_is_gone_and_another_description_replaces_it(
    local_aws: LocalAws, stack: Stack
) -> None:
    def policy(description: str) -> dict[str, Any]:
        properties = {"PolicyDocument": DOCUMENT, "Description": description}
        return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}

    def versions(arn: str) -> Any:
        return local_aws.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]

    attached = role(ManagedPolicyArns=[{"Ref": "Policy"}])
    stack.create({"Role": attached, "Policy": policy("first")})
    first = stack.physical_ids()["Policy"]
    stack.update({"Role": attached, "Policy": policy("second")})
    second = stack.physical_ids()["Policy"]
    assert first != second and versions(second)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        versions(first)
    stack.update({"Role": role()})
    with pytest.raises(ClientError, match="NoSuchEntity"):
        versions(second)


def test_a_key_is_changed_in_place_and_awaits_its_deletion_when_it_leaves(local_aws: LocalAws, stack: Stack) -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": "*"}, "Resource": "*"}
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement]}

    def key(**properties: Any) -> dict[str, Any]:
        return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document, **properties}}

    def alias(target: str) -> dict[str, Any]:
        properties = {"AliasName": f"alias/{stack.name}", "TargetKeyId": {"Ref": target}}
        return {"Type": "AWS::KMS::Alias", "Properties": properties}

    kms = local_aws.client("kms")
    stack.create({"Key": key(), "Other": key(), "Alias": alias("Other")})
    before = stack.physical_ids()
    document["Statement"][0]["Action"] = "kms:Decrypt"
    stack.update({"Key": key(Description="changed", EnableKeyRotation=True), "Alias": alias("Key")})
    described = kms.describe_key(KeyId=f"alias/{stack.name}")["KeyMetadata"]
    assert (described["KeyId"], described["Description"]) == (before["Key"], "changed")
    assert kms.get_key_rotation_status(KeyId=before["Key"])["KeyRotationEnabled"]
    policy = json.loads(kms.get_key_policy(KeyId=before["Key"], PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Action"] == "kms:Decrypt"
    assert kms.describe_key(KeyId=before["Other"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
