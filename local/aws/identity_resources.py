"""CloudFormation's roles, policies and keys.

moto's CloudFormation drops a role's ManagedPolicyArns, without which no function could do anything, and stores a key's
policy in a form that its own DescribeKey fails on.
"""

import functools
import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, InlinePolicy, ManagedPolicy, Role, iam_backends
from moto.kms.models import Alias, Key

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import Properties, ResourceType, operator_client, put_tags


def complete_role(role: Role, properties: Properties) -> None:
    """Attach the managed policies."""
    _provide(properties.get("ManagedPolicyArns", []))
    for arn in properties.get("ManagedPolicyArns", []):
        iam_backends[ACCOUNT_ID]["aws"].attach_role_policy(arn, role.name)


def _provide(arns: list[str]) -> None:
    """Let those of AWS's own policies exist that are named, with the documents that moto ships.

    moto has either none of them or all, more than a thousand.
    """
    backend = iam_backends[ACCOUNT_ID]["aws"]
    for arn in arns:
        name = arn.rpartition("/")[2]
        if not arn.startswith("arn:aws:iam::aws:policy/") or arn in backend.managed_policies:
            continue
        if described := _aws_policies().get(name):
            policy = AWSManagedPolicy.from_data(name, ACCOUNT_ID, backend.region_name, described)
            backend.managed_policies[policy.arn] = policy
            backend.aws_managed_policies.append(policy)


@functools.cache
def _aws_policies() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def update_role(role: Role, properties: Properties, previous: Properties) -> None:
    """Change the trust policy, and which policies the role has, besides those that others attach to it."""
    iam, name = operator_client("iam"), role.name
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=_text(properties["AssumeRolePolicyDocument"]))
    iam.update_role(
        RoleName=name,
        Description=properties.get("Description", ""),
        MaxSessionDuration=int(properties.get("MaxSessionDuration", 3600)),
    )
    had, wanted = previous.get("ManagedPolicyArns", []), properties.get("ManagedPolicyArns", [])
    _provide(wanted)
    for arn in wanted:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for arn in had:
        if arn not in wanted and arn in role.managed_policies:
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}
    for policy, document in inline.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=_text(document))
    for policy in previous.get("Policies", []):
        if policy["PolicyName"] not in inline and policy["PolicyName"] in role.policies:
            iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
    put_tags(
        properties,
        previous,
        lambda tags: iam.tag_role(RoleName=name, Tags=tags),
        lambda keys: iam.untag_role(RoleName=name, TagKeys=keys),
    )


def delete_role(role: Role) -> None:
    """Delete it with the policies of its own; IAM refuses a role that others have attached a policy to."""
    iam, name = operator_client("iam"), role.name
    properties: Properties = role.deployed_properties  # type: ignore[attr-defined]
    for arn in properties.get("ManagedPolicyArns", []):
        if arn in role.managed_policies:
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    for policy in properties.get("Policies", []):
        if policy["PolicyName"] in role.policies:
            iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
    iam.delete_role(RoleName=name)


def update_managed_policy(policy: ManagedPolicy, properties: Properties, previous: Properties) -> None:
    """Make a new default version of the document, and attach it to the roles."""
    iam, arn = operator_client("iam"), policy.arn
    if properties["PolicyDocument"] != previous["PolicyDocument"]:
        # IAM stores five versions.
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=_text(properties["PolicyDocument"]), SetAsDefault=True)
    had, wanted = previous.get("Roles", []), properties.get("Roles", [])
    for role in wanted:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    for role in set(had) - set(wanted):
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)


def delete_managed_policy(policy: ManagedPolicy) -> None:
    """Detach and delete it, with all versions."""
    iam, arn = operator_client("iam"), policy.arn
    for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
        iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def update_policy(policy: InlinePolicy, properties: Properties, previous: Properties) -> None:
    iam_backends[ACCOUNT_ID]["aws"].update_inline_policy(
        policy.name, properties["PolicyName"], properties["PolicyDocument"], [], properties.get("Roles", []), []
    )


def update_key(key: Key, properties: Properties, previous: Properties) -> None:
    kms = operator_client("kms")
    kms.put_key_policy(KeyId=key.id, PolicyName="default", Policy=_text(properties["KeyPolicy"]))
    kms.update_key_description(KeyId=key.id, Description=properties.get("Description", ""))
    # Somebody may have disabled the key otherwise: that stays, unless the template changes it.
    if properties.get("EnableKeyRotation", False) != previous.get("EnableKeyRotation", False):
        (kms.enable_key_rotation if properties.get("EnableKeyRotation") else kms.disable_key_rotation)(KeyId=key.id)
    if properties.get("Enabled", True) != previous.get("Enabled", True):
        (kms.enable_key if properties.get("Enabled", True) else kms.disable_key)(KeyId=key.id)
    put_tags(
        properties,
        previous,
        lambda tags: kms.tag_resource(
            KeyId=key.id, Tags=[{"TagKey": item["Key"], "TagValue": item["Value"]} for item in tags]
        ),
        lambda keys: kms.untag_resource(KeyId=key.id, TagKeys=keys),
    )


def delete_key(key: Key) -> None:
    """Nobody can use it from now on; AWS deletes it after the waiting period, which here never ends."""
    days = int(key.deployed_properties.get("PendingWindowInDays", 30))  # type: ignore[attr-defined]
    operator_client("kms").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=days)


def update_alias(alias: Alias, properties: Properties, previous: Properties) -> None:
    operator_client("kms").update_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def complete_key(key: Key, properties: Properties) -> None:
    """Store the policy as the JSON text that the KMS API expects."""
    if not isinstance(key.policy, str):
        key.policy = json.dumps(key.policy)


TYPES = {
    "AWS::IAM::Role": ResourceType(
        frozenset(
            {
                "AssumeRolePolicyDocument",
                "Description",
                "ManagedPolicyArns",
                "MaxSessionDuration",
                "Path",
                "Policies",
                "RoleName",
                "Tags",
            }
        ),
        complete=complete_role,
        replaced_by=frozenset({"Path", "RoleName"}),
        update=update_role,
        delete=delete_role,
    ),
    "AWS::IAM::ManagedPolicy": ResourceType(
        frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"}),
        name_property="ManagedPolicyName",
        replaced_by=frozenset({"Description", "ManagedPolicyName", "Path"}),
        update=update_managed_policy,
        delete=delete_managed_policy,
    ),
    "AWS::IAM::Policy": ResourceType(frozenset({"PolicyDocument", "PolicyName", "Roles"}), update=update_policy),
    "AWS::KMS::Key": ResourceType(
        frozenset({"Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "PendingWindowInDays", "Tags"}),
        complete=complete_key,
        update=update_key,
        delete=delete_key,
    ),
    "AWS::KMS::Alias": ResourceType(
        frozenset({"AliasName", "TargetKeyId"}),
        name_property="AliasName",
        replaced_by=frozenset({"AliasName"}),
        update=update_alias,
    ),
}
